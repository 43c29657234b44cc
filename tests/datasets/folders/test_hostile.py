"""ZIPs that were made to harm, or by somebody in a hurry."""

import io
import os
import stat
import zipfile

import pytest

from cnnkit.datasets import load_dataset
from cnnkit.datasets.folders import image_folder, sources
from cnnkit.errors import InvalidImagesError, LimitError

from .conftest import classes, image

GOOD = classes("a", "b")


def everything_beside(home):
    return {path for path in home.parent.rglob("*") if not path.is_relative_to(home)}


def member(name, mode=0):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    "name",
    [
        "../outside.png",
        "a/../../outside.png",
        "/etc/outside.png",
        "C:\\outside.png",
        "..\\..\\outside.png",
        "a/../b/outside.png",
    ],
)
def test_a_path_that_leads_out_is_left_out_and_nothing_is_written_there(pack, own_home, name):
    path = pack(GOOD | {name: image(7)})
    before = everything_beside(own_home)
    report = image_folder(path).report
    assert [one.kind for one in report.left_out] == ["unsafe"] and report.images == 8
    assert everything_beside(own_home) == before


def test_links_and_devices_are_left_out(pack, lay):
    link = [*GOOD.items(), (member("a/link.png", stat.S_IFLNK | 0o777), b"/etc/passwd")]
    link.append((member("a/pipe.png", stat.S_IFIFO | 0o666), b""))
    assert [one.kind for one in image_folder(pack(link)).report.left_out] == ["link", "link"]
    folder = lay(GOOD)
    (folder / "a" / "link.png").symlink_to(folder / "b" / "1.png")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "a" / "pipe.png")
    report = image_folder(folder).report
    assert {one.file: one.kind for one in report.left_out} == {"a/link.png": "link", "loop": "link"}
    assert report.images == 8


def test_an_archive_that_grows_without_end_is_refused_before_it_is_read(pack, monkeypatch):
    monkeypatch.setattr(sources, "SMALL", 2**20)
    zeros = {f"c/{n}.bmp": bytes(2**20) for n in range(3)}
    with pytest.raises(LimitError, match="would grow from .* which images do not"):
        image_folder(pack(GOOD | zeros))
    monkeypatch.setattr(sources, "UNPACKED_BYTES", 500)
    with pytest.raises(LimitError, match="would grow"):
        image_folder(pack(GOOD, compression=zipfile.ZIP_STORED))


def test_one_enormous_file_is_left_out_unread(pack):
    report = image_folder(pack(GOOD | {"a/huge.png": bytes(21 * 2**20)})).report
    (one,) = report.left_out
    assert one.kind == "large" and "It has 21 MB; at most 20" in one.why


def test_an_image_of_too_many_pixels_is_left_out(pack):
    from PIL import Image

    file = io.BytesIO()
    Image.new("1", (9000, 9000)).save(file, "PNG")
    (one,) = image_folder(pack(GOOD | {"a/bomb.png": file.getvalue()})).report.left_out
    assert one.kind == "damaged" and "million pixels" in one.why


def test_a_list_that_lies_about_sizes_gives_no_more_than_it_says(pack):
    path = pack(GOOD | {"a/liar.png": bytes(10**6)})
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"a/liar.png") - 46  # of the central directory
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    (one,) = image_folder(path).report.left_out
    assert one.file == "a/liar.png" and one.kind in ("damaged", "text")


def test_an_endless_list_is_refused_before_it_is_read(pack, monkeypatch):
    path = pack(GOOD)
    monkeypatch.setattr(sources, "DIRECTORY_BYTES", 100)
    with pytest.raises(LimitError, match="more than 200,000 files"):
        image_folder(path)
    monkeypatch.setattr(sources, "DIRECTORY_BYTES", 10**6)
    monkeypatch.setattr(sources, "MOST_FILES", 5)
    with pytest.raises(LimitError, match="more than 5 files"):
        image_folder(path)


def test_archives_within_are_named_and_not_opened(pack):
    inner = pack(GOOD, "inner.zip").read_bytes()
    report = image_folder(pack(GOOD | {"more.zip": inner, "b/more.tar.gz": b"x"})).report
    assert [one.kind for one in report.left_out] == ["archive", "archive"]
    with pytest.raises(InvalidImagesError, match=r"only\.zip: Archives within are not opened"):
        image_folder(pack({"only.zip": inner}))


def test_encrypted_files_are_left_out_and_an_archive_of_nothing_else_is_refused(pack):
    def encrypted(path, names):
        data = bytearray(path.read_bytes())
        for name in names:
            for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
                length = 30 if mark == b"PK\x03\x04" else 46
                at = -1
                while (at := data.find(mark, at + 1)) >= 0:
                    if data[at + length : at + length + len(name)] == name.encode():
                        data[at + offset] |= 1
        path.write_bytes(data)
        return path

    (one,) = image_folder(encrypted(pack(GOOD), ["a/0.png"])).report.left_out
    assert (one.file, one.kind) == ("a/0.png", "encrypted")
    with pytest.raises(InvalidImagesError, match="without a password. 7 more files"):
        image_folder(encrypted(pack(GOOD), GOOD))


def test_what_systems_leave_is_passed_over_and_counted(pack):
    files = {
        "__MACOSX/a/._0.png": b"x",
        "a/.DS_Store": b"x",
        "b/Thumbs.db": b"x",
        "b/._1.png": b"x",
    }
    report = image_folder(pack(GOOD | files)).report
    assert report.left_out == () and report.system_files == 4 and report.images == 8


def test_what_is_no_image_is_named_with_the_reason(pack):
    files = {
        "a/notes.txt": b"roses are red",
        "a/film.mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(50),
        "b/half.png": image(55)[:60],
        "b/empty.jpg": b"",
    }
    report = image_folder(pack(GOOD | files)).report
    kinds = {one.file: one.kind for one in report.left_out}
    assert kinds == {
        "a/notes.txt": "text",
        "a/film.mp4": "text",
        "b/half.png": "damaged",
        "b/empty.jpg": "damaged",
    }
    assert any("text, perhaps a web page" in one.why for one in report.left_out)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_both_taken(pack):
    files = [*GOOD.items(), ("a/0.png", image(50)), ("a/1.png", GOOD["a/1.png"])]
    imported = image_folder(pack(files))
    assert imported.report.images == 9
    assert load_dataset(imported.name).names.count("a/0.png") == 2
    assert [one.kind for one in imported.report.left_out] == ["duplicate"]


def test_paths_as_windows_packs_them(pack):
    files = {name.replace("/", "\\"): data for name, data in GOOD.items()}
    assert load_dataset(image_folder(pack(files)).name).class_names == ("a", "b")


def test_names_in_utf_8_without_the_mark_for_it(pack):
    path = pack(classes("früh", "spät"))
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + offset] &= ~0x08
    path.write_bytes(data)
    assert load_dataset(image_folder(path).name).class_names == ("früh", "spät")


def test_a_flipped_byte_costs_one_image(pack):
    path = pack(GOOD, compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.find(GOOD["a/2.png"]) + 50] ^= 0xFF
    path.write_bytes(data)
    (one,) = image_folder(path).report.left_out
    assert one.file == "a/2.png" and "The archive is damaged at this file" in one.why


def test_a_rare_compression_is_named(pack):
    with_lzma = [*GOOD.items(), (member("a/rare.png"), image(70))]
    with_lzma[-1][0].compress_type = zipfile.ZIP_LZMA
    (one,) = image_folder(pack(with_lzma)).report.left_out
    assert one.file == "a/rare.png" and "ordinary ZIP compression" in one.why


def test_parts_of_an_archive_that_lie_over_each_other_are_not_read_twice(pack):
    """Each name of the list points at the same bytes, as in the bombs that do so."""
    path = pack(classes("a", "b", count=7), compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    entries, at = [], -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        entries.append(at)
    for entry in entries[1:4]:
        data[entry + 42 : entry + 46] = (0).to_bytes(4, "little")
    path.write_bytes(data)
    report = image_folder(path, title="Overlapping").report
    assert {one.kind for one in report.left_out} == {"damaged"} and len(report.left_out) == 3
