"""The tool that changes code on purpose: what it says must be so, or it lulls everybody."""

import dataclasses
import subprocess

import pytest

from benchmarks import mutants
from benchmarks.mutants import NOTICED, SLOW, STALE, SURVIVED, Mutant, attempt, copy_tree, table

SIGN = Mutant(
    file="code.py", old="a + b", new="a - b", breaks="sums", tests=("tests/test_code.py",)
)


@pytest.fixture
def tree(tmp_path):
    """A project with a function and two tests, one of which looks at its result."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "code.py").write_text("def add(a, b):\n    return a + b\n")
    (tmp_path / "tests" / "test_code.py").write_text(
        "from code import add\n\ndef test_sum():\n    assert add(2, 3) == 5\n"
    )
    (tmp_path / "tests" / "test_blind.py").write_text(
        "from code import add\n\ndef test_runs():\n    add(2, 3)\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return tmp_path


@pytest.mark.parametrize("mutant", mutants.read(mutants.TABLE), ids=lambda mutant: mutant.breaks)
def test_every_row_of_the_table_still_fits_the_code(root, mutant):
    assert mutant.problem(root) == ""


def test_a_mutant_is_noticed_or_survives_and_the_code_is_put_back(tree):
    before = (tree / "code.py").read_text()
    blind = dataclasses.replace(SIGN, tests=("tests/test_blind.py",))
    assert [attempt(one, tree, 60).result for one in (SIGN, blind)] == [NOTICED, SURVIVED]
    assert (tree / "code.py").read_text() == before
    still = dataclasses.replace(SIGN, new="b + a")
    assert attempt(still, tree, 60).result == SURVIVED, "no code compiled before is run"


def test_tests_without_end_say_nothing(tree):
    endless = dataclasses.replace(SIGN, new="a + b\nwhile True: pass")
    assert attempt(endless, tree, 3).result == SLOW


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": "gone.py"}, "no gone.py"),
        ({"old": "a * b"}, "stands 0 times"),
        ({"old": "a"}, "times in code.py"),
        ({"new": "a +"}, "not Python"),
        ({"tests": ("tests/test_gone.py",)}, "no tests/test_gone.py"),
        ({"tests": ("tests/test_code.py::test_gone",)}, "pytest ended with 4"),
    ],
)
def test_a_row_that_fits_no_more_is_stale_and_counts_as_not_noticed(tree, changes, words):
    outcome = attempt(dataclasses.replace(SIGN, **changes), tree, 60)
    assert outcome.result == STALE and words in outcome.details
    text = "\n".join(table([outcome, attempt(SIGN, tree, 60)]))
    assert "1 of 2 mutants were noticed: 50%" in text and "1 rows are stale" in text


def test_a_test_that_fails_anyway_notices_nothing(tree):
    (tree / "tests" / "test_code.py").write_text("def test_sum():\n    assert False\n")
    broken = mutants.unmutated([SIGN], tree, 60)
    outcome = attempt(SIGN, tree, 60, broken)
    assert outcome.result == STALE and "fails unmutated" in outcome.details


def test_a_copy_holds_what_git_would_and_nothing_else(tree, tmp_path_factory):
    (tree / ".gitignore").write_text("*.log\n")
    (tree / "big.log").write_text("ignored")
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    target = copy_tree(tree, tmp_path_factory.mktemp("copy") / "tree")
    assert (target / "code.py").read_text() == (tree / "code.py").read_text()
    assert not (target / "big.log").exists() and not (target / ".git").exists()
