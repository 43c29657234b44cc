import os

import numpy as np
import pytest

from cnnkit.files import BoundedFolder, disk_size, replacing, write_atomic


def add(folder, key, size=4096, used=None):
    with folder.adding(key) as aside:
        (aside / "data").write_bytes(b"x" * size)
    if used is not None:
        os.utime(folder.path(key), (used, used))


def test_a_file_is_written_whole_with_its_folder(tmp_path):
    path = tmp_path / "deep" / "card.json"
    write_atomic(path, "é")
    assert path.read_bytes() == "é".encode()
    write_atomic(path, b"new")
    assert [file.name for file in path.parent.iterdir()] == ["card.json"]
    assert path.read_bytes() == b"new"


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "card.json"
    write_atomic(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["card.json"]


def test_the_least_recently_used_entries_go_first(tmp_path):
    folder = BoundedFolder(tmp_path / "store", max_bytes=10_000)
    for used, key in enumerate(("a", "b", "c"), start=1):
        add(folder, key, used=used)
    folder.touch("a")
    folder.shrink()
    assert folder.keys() == ["c", "a"]


def test_entries_to_keep_stay_whatever_is_needed(tmp_path):
    folder = BoundedFolder(tmp_path, max_bytes=10_000)
    for used, key in enumerate(("a", "b"), start=1):
        add(folder, key, used=used)
    folder.shrink(needed=10_000, keep={"a"})
    assert folder.keys() == ["a"]


def test_an_entry_that_fails_is_never_there(tmp_path):
    folder = BoundedFolder(tmp_path, max_bytes=10_000)
    with pytest.raises(RuntimeError), folder.adding("a") as aside:
        (aside / "data").write_text("half")
        raise RuntimeError
    assert folder.keys() == [] and list(tmp_path.iterdir()) == []


def test_who_is_first_with_a_key_wins(tmp_path):
    folder = BoundedFolder(tmp_path, max_bytes=10**6)
    with folder.adding("a") as aside:
        (aside / "data").write_text("second")
        with folder.adding("a") as other:
            (other / "data").write_text("first")
    assert (folder.path("a") / "data").read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_an_entry_in_the_making_is_neither_listed_nor_removed(tmp_path):
    folder = BoundedFolder(tmp_path, max_bytes=0)
    with folder.adding("a") as aside:
        (aside / "data").write_bytes(b"x" * 4096)
        folder.shrink()
        assert folder.keys() == [] and aside.exists()
    assert folder.keys() == ["a"]
    folder.shrink()
    assert folder.keys() == []


def test_holes_take_no_room(tmp_path):
    np.lib.format.open_memmap(tmp_path / "holes.npy", "w+", np.uint8, (10**7,))
    assert disk_size(tmp_path) < 10**6


def test_touching_what_another_process_removed_makes_nothing(tmp_path):
    folder = BoundedFolder(tmp_path, max_bytes=0)
    folder.touch("gone")
    folder.remove("gone")
    assert list(tmp_path.iterdir()) == []
