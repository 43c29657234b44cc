"""ZIPs that were made to harm, or by somebody in a hurry."""

import contextlib
import dataclasses
import io
import os
import stat
import zipfile

import pytest

from cnnkit import image_io
from cnnkit.datasets import load_dataset
from cnnkit.datasets.folders import archives, image_folder, sources
from cnnkit.errors import CnnkitError, InvalidImagesError, LimitError
from tests.hostile_files import bitmap_of_runs

from .conftest import classes, image

GOOD = classes("a", "b")


def everything_beside(home):
    return {path for path in home.parent.rglob("*") if not path.is_relative_to(home)}


def listed(path):
    """What a child would find in an archive, found in this process."""
    archives._archive.cache_clear()
    with path.open("rb") as file:
        return archives.list_archive(file.fileno(), path.name)


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
    zeros = {f"c/{n}.bmp": bytes(2**24) for n in range(5)}
    with pytest.raises(LimitError, match="would grow from .* which images do not"):
        image_folder(pack(GOOD | zeros))
    monkeypatch.setattr(archives, "UNPACKED_BYTES", 500)
    with pytest.raises(LimitError, match="would grow"):
        listed(pack(GOOD, compression=zipfile.ZIP_STORED))


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
    monkeypatch.setattr(archives, "DIRECTORY_BYTES", 100)
    with pytest.raises(LimitError, match="more than 200,000 files"):
        listed(path)
    monkeypatch.setattr(archives, "DIRECTORY_BYTES", 10**6)
    monkeypatch.setattr(archives, "MOST_FILES", 5)
    monkeypatch.setattr(sources, "MOST_FILES", 5)
    with pytest.raises(LimitError, match="more than 5 files"):
        listed(path)


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


def test_missing_bytes_and_a_name_of_no_letters_end_in_a_sentence(pack):
    whole = pack([*GOOD.items(), (member("x"), image(9))])
    data = bytearray(whole.read_bytes())
    for mark, offset, length in ((b"PK\x03\x04", 26, 30), (b"PK\x01\x02", 28, 46)):
        at = data.rfind(mark)
        assert data[at + length : at + length + 1] == b"x"
        data[at + offset : at + offset + 2] = bytes(2)  # the name's length
        del data[at + length]
    end = data.rfind(b"PK\x05\x06")
    for place, less in ((end + 12, 1), (end + 16, 1)):
        size = int.from_bytes(data[place : place + 4], "little") - less
        data[place : place + 4] = size.to_bytes(4, "little")
    whole.write_bytes(data)
    (one,) = image_folder(whole).report.left_out
    assert (one.file, one.kind) == ("a file without a name", "unsafe")
    for length in range(100, len(data), len(data) // 12):
        whole.write_bytes(data[length:])
        with contextlib.suppress(CnnkitError):
            listed(whole)


def test_files_that_cost_too_much_are_left_out_and_the_others_imported(pack, monkeypatch):
    limits = dataclasses.replace(image_io.LIMITS, seconds=0.3)
    monkeypatch.setattr(image_io, "LIMITS", limits)
    monkeypatch.setattr(image_io, "MOST_BREACHES", 2)
    costly = bitmap_of_runs(megabytes=8)
    files = {"a/0 costly.bmp": costly} | GOOD | {"b/costly.bmp": costly}
    report = image_folder(pack(files)).report
    assert report.images == 8
    first, second = (one.why for one in report.left_out)
    assert "more than 0.3 s" in first and "more than 0.3 s" in second


def test_a_table_of_many_columns_is_given_up_in_time(pack, monkeypatch):
    wide = b",".join([b"x"] * 3_000_000) + b"\n"
    limits = dataclasses.replace(sources.TABLE_LIMITS, seconds=1)
    monkeypatch.setattr(sources, "TABLE_LIMITS", limits)
    path = pack(GOOD | {"t.csv": wide * 3})
    report = image_folder(path).report
    assert report.images == 8, "the folders tell the classes"
    with pytest.raises(InvalidImagesError):
        image_folder(path, by="table")


@pytest.mark.parametrize("path", ["~nosuchuser/x", "a\0b", "x" * 5000, ""])
def test_a_path_that_cannot_be_gets_a_sentence(path):
    with pytest.raises(InvalidImagesError, match=r"\.( |$)"):
        image_folder(path)
