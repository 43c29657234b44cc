"""Damaged files of all kinds, a few hundred; `python -m benchmarks.fuzz` reads ten thousand."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from benchmarks import _mutations
from benchmarks.fuzz import everything, fuzz, written_outside
from cnnkit.sandbox import MIB

COUNTS = {"images": 240, "tables": 40, "archives": 30}  # networks: tests/models/test_uploads.py


@pytest.mark.parametrize("name", COUNTS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(name, tmp_path, root):
    folders = [root / "cnnkit", tmp_path]
    before = everything(folders)
    door = fuzz(name, COUNTS[name], seed=7)
    assert door.foreign == []
    assert dict(door.failures) == {}, "not even inside of the child"
    assert sum(door.outcomes.values()) == COUNTS[name]
    assert door.outcomes["read"] > 0 and door.outcomes["time"] == door.outcomes["memory"] == 0
    assert door.slowest[0] < 5 and door.memory < 600 * MIB
    assert written_outside(before, folders) == []


def test_the_same_seed_makes_the_same_files():
    files = _mutations.table_files()

    def some(seed: int) -> list[tuple[str, bytes]]:
        return list(islice(_mutations.mutants(files, random.Random(seed)), 20))  # noqa: S311

    assert some(3) == some(3) != some(4)
    assert any(data != files[name] for name, data in some(3))
