"""Some rounds of `make faults`, and what they are drawn and told with."""

import os
import random
import subprocess
import sys

import pytest

from benchmarks import faults
from cnnkit.files import disk_problem


@pytest.mark.faults
def test_a_few_things_fail_and_nothing_is_lost(root):
    kinds = ("kill_job", "kill_import", "fill_disk")
    seed = random.randrange(10_000)
    command = [sys.executable, "-m", "benchmarks.faults", "--rounds", "3", "--seed", str(seed)]
    only = [word for kind in kinds for word in ("--only", kind)]
    done = subprocess.run([*command, *only], cwd=root, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "; 0 failed" in done.stdout.replace("\n", " ")


def test_rounds_are_drawn_by_their_shares_and_each_kind_comes_once():
    kinds = {"often": 90, "seldom": 9, "once": 1}
    names = faults.draw(kinds, 100, random.Random(3))
    assert len(names) == 100 and names.count("once") == 1
    assert 80 < names.count("often") < 95
    assert names == faults.draw(kinds, 100, random.Random(3))
    assert sorted(faults.draw(kinds, 3, random.Random(3))) == sorted(kinds)


def test_the_table_counts_what_passed_and_quotes_what_was_seen():
    outcomes = [
        faults.Outcome("kill", 1.2, "a | b"),
        faults.Outcome("kill", 7.0, "a | b"),
        faults.Outcome("kill", 3.0, "", "Broken: lost"),
    ]
    assert faults.table(outcomes, {"kill": "killed"}) == "| killed | 3 | 2 | 7 s | a \\| b |"


@pytest.mark.parametrize(
    ("number", "words"), [(28, "disk is full (/x)"), (30, "only be read (/x)"), (2, "")]
)
def test_a_problem_of_the_disk_is_told_with_what_to_do(number, words):
    assert words in disk_problem(OSError(number, os.strerror(number), "/x"))
    assert bool(disk_problem(OSError(number, os.strerror(number)))) == bool(words)
