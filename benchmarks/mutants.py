"""`python -m benchmarks.mutants`: change the code on purpose, and see whether a test notices.

Each row of `mutants.toml` names a file, an exact piece of its text, what to write instead, what
that breaks and which tests should fail. A row is applied to a copy of the working tree, never to
the tree itself. A mutant that the tests notice is killed; one that they do not notice shows what
no test looks at. Prints a table in Markdown.

`python -m benchmarks.mutants studio jobs` tries only the rows whose file or description has one
of these words.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._measure import ROOT

TABLE = Path(__file__).with_suffix(".toml")
SECONDS = 300.0  # that the tests of one mutant may take
NOTHING_RAN = (4, 5)  # exit codes of pytest: there is no such test

NOTICED, SURVIVED = "noticed", "**survived**"
SLOW = "**out of time**"  # says nothing: the machine may have been busy
STALE = "**stale**"  # the code or the tests have changed: adapt the row


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One deliberate change.

    Args:
        file: path within the repository.
        old: text that stands there exactly once.
        new: what to write instead.
        breaks: what is wrong then, in a few words.
        tests: files, or tests within files, that should fail.
    """

    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]

    def problem(self, tree: Path) -> str:
        """Why this row cannot be tried; "": it can."""
        path = tree / self.file
        if not path.is_file():
            return f"there is no {self.file}"
        found = path.read_text("utf-8").count(self.old)
        if found != 1:
            return f"its old text stands {found} times in {self.file}, and must stand there once"
        try:
            compile(self.changed(path.read_text("utf-8")), self.file, "exec")
        except SyntaxError as error:
            return f"its new text is not Python ({error})"
        missing = [test for test in self.tests if not (tree / test.partition("::")[0]).exists()]
        return f"there is no {', '.join(missing)}" if missing or not self.tests else ""

    def changed(self, text: str) -> str:
        """The file's text with the mutation."""
        return text.replace(self.old, self.new)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    result: str  # NOTICED, SURVIVED, SLOW or STALE
    seconds: float = 0.0
    details: str = ""


def main(words: Sequence[str], seconds: float) -> int:
    """Try the mutants and print the table.

    Args:
        words: only rows with one of these in their file or description; none: all.
        seconds: that the tests of one mutant may take.

    Returns:
        Exit status: 0 when all were noticed.
    """
    mutants = [one for one in read(TABLE) if _wanted(one, words)]
    with tempfile.TemporaryDirectory(prefix="cnnkit-mutants-") as folder:
        tree = copy_tree(ROOT, Path(folder) / "cnnkit")
        broken = unmutated(mutants, tree, seconds)
        outcomes = []
        for number, mutant in enumerate(mutants, start=1):
            outcomes.append(attempt(mutant, tree, seconds, broken))
            line = f"{number}/{len(mutants)} {outcomes[-1].result}: {mutant.breaks}"
            print(line, outcomes[-1].details, file=sys.stderr, flush=True)
    print("\n".join(table(outcomes)))
    return 0 if all(outcome.result == NOTICED for outcome in outcomes) else 1


def read(path: Path) -> list[Mutant]:
    """The rows of a table.

    Raises:
        TypeError: a row lacks a field or has an unknown one.
    """
    rows = tomllib.loads(path.read_text("utf-8"))["mutant"]
    return [Mutant(**row | {"tests": tuple(row["tests"])}) for row in rows]


def copy_tree(source: Path, target: Path) -> Path:
    """Copy what Git tracks or would track, as it is now, uncommitted changes included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=source,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    for name in listed.decode().split("\0"):
        if name and (source / name).is_file() and not (source / name).is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    return target


def unmutated(mutants: Sequence[Mutant], tree: Path, seconds: float) -> set[str]:
    """The tests that do not pass without any mutation: their failures would say nothing."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    tests = [test for test in tests if (tree / test.partition("::")[0]).exists()]
    if not tests or run_tests(tests, tree, seconds * len(tests)) == 0:
        return set()
    return {test for test in tests if run_tests([test], tree, seconds) != 0}


def attempt(mutant: Mutant, tree: Path, seconds: float, broken: set[str] = frozenset()) -> Outcome:
    """Apply a mutation to a copy of the tree, run its tests, and take it back.

    Args:
        mutant: which.
        tree: the copy.
        seconds: that the tests may take.
        broken: tests that fail anyway.
    """
    failing = broken.intersection(mutant.tests)
    problem = f"fails unmutated: {', '.join(failing)}" if failing else mutant.problem(tree)
    if problem:
        return Outcome(mutant=mutant, result=STALE, details=problem)
    path = tree / mutant.file
    text = path.read_text("utf-8")
    began = time.monotonic()
    try:
        _write(path, mutant.changed(text))
        status = run_tests(mutant.tests, tree, seconds)
    finally:
        _write(path, text)
    results = {0: SURVIVED, None: SLOW} | dict.fromkeys(NOTHING_RAN, STALE)
    result = results.get(status, NOTICED)
    details = f"pytest ended with {status}" if result == STALE else ""
    taken = time.monotonic() - began
    return Outcome(mutant=mutant, result=result, seconds=taken, details=details)


def run_tests(tests: Sequence[str], tree: Path, seconds: float) -> int | None:
    """Exit code of pytest, which stops at the first failure; None: it was out of time."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Lines of Markdown: a row for each mutant, and the share that was noticed."""
    lines = ["| file | what the mutation breaks | result | seconds |", "| --- | --- | --- | --- |"]
    for outcome in outcomes:
        mutant, told = outcome.mutant, outcome.result
        if outcome.details:
            told += f" ({outcome.details})"
        lines.append(f"| `{mutant.file}` | {mutant.breaks} | {told} | {outcome.seconds:.0f} |")
    noticed = sum(outcome.result == NOTICED for outcome in outcomes)
    stale = sum(outcome.result == STALE for outcome in outcomes)
    share = noticed / max(1, len(outcomes))
    lines += ["", f"{noticed} of {len(outcomes)} mutants were noticed: {share:.0%}."]
    if stale:
        lines.append(f"**{stale} rows are stale: adapt `{TABLE.relative_to(ROOT)}`.**")
    return lines


def _wanted(mutant: Mutant, words: Sequence[str]) -> bool:
    place = f"{mutant.file} {mutant.breaks}".casefold()
    return not words or any(word.casefold() in place for word in words)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    # Compiled code is matched by size and whole second: a quick change would go unseen.
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _end(process: subprocess.Popen) -> None:
    """End pytest and the children that it left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all have ended by themselves
    process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only rows with one of these words")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each mutant's tests")
    arguments = parser.parse_args()
    sys.exit(main(arguments.words, arguments.seconds))
