"""`python -m benchmarks.fuzz`: what the doors do with thousands of damaged files.

Valid files of every kind are changed by chance and read as the app reads strangers' files: in
children, see `cnnkit.sandbox`. Writes the part on fuzzing of `docs/security.md`.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import _mutations
from benchmarks._measure import ROOT, machine
from benchmarks._regions import write_part
from cnnkit import image_io, sandbox
from cnnkit.datasets.folders.sources import LIST_LIMITS, TABLE_LIMITS
from cnnkit.errors import CnnkitError
from cnnkit.models.uploaded import READ, upload_limits
from cnnkit.sandbox import FIRST_FILE, MIB, BreachError, Limits, Sandbox

FILES = {"images": 8400, "tables": 800, "archives": 800, "networks": 700}
FILES_OF_A_CHILD = 200  # then the next child begins with the memory of the zygote
ARCHIVES = "cnnkit.datasets.folders.archives"
TABLE = "cnnkit.datasets.folders.tables:labels_of_table"
COLUMNS = (
    *("door", "files", "read", "refused in a sentence", "of these: reader failed"),
    *("cut off: time", "cut off: memory", "slowest, s of computing", "most memory, MB"),
    "foreign exceptions",
)


@dataclass
class Door:
    """What became of the files of one kind.

    Args:
        name: for people.
        outcomes: how many were read, refused, and went beyond their limits.
        failures: what readers failed with, other than a sentence: it never leaves the child.
        slowest: seconds of computing, and the file.
        memory: bytes, the most of a child.
        foreign: exceptions that are not ours, which left a door.
    """

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    memory: int = 0
    foreign: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, outcome: str, seconds: float, memory: int, file: str) -> None:
        """Count a file."""
        with self.lock:
            self.outcomes[outcome] += 1
            self.slowest = max(self.slowest, (seconds, file))
            self.memory = max(self.memory, memory)

    def row(self) -> str:
        """A line of the table."""
        count = self.outcomes
        refused = count["refused"] + count["crash"]
        cells = [
            self.name,
            f"{sum(count.values()):,}",
            *(
                f"{n:,}"
                for n in (count["read"], refused, count["crash"], count["time"], count["memory"])
            ),
            f"{self.slowest[0]:.2f}",
            f"{self.memory / MIB:.0f}",
            str(len(self.foreign)),
        ]
        return f"| {' | '.join(cells)} |"


class Attempts:
    """Reads files in one child after the other.

    Args:
        door: gets what becomes of them.
        box: whose children.
        limits: of each file.
    """

    def __init__(self, door: Door, box: Sandbox, limits: Limits):
        self.door = door
        self._box = box
        self._limits = limits
        self._child: Any = None
        self._files = 0

    def read(self, file: str, function: str, *arguments: Any) -> None:
        """Have a child read a file, and note what becomes of it."""
        if self._child is None or self._files >= FILES_OF_A_CHILD:
            self.close()
            self._child = self._box.zygote.child(self._limits)
        self._files += 1
        began = time.monotonic()
        outcome = _outcome(self.door, file, lambda: self._child.call(function, *arguments))
        ended = outcome in ("time", "memory", "crash")
        seconds = time.monotonic() - began if outcome == "time" else self._child.seconds
        self.door.note(outcome, min(seconds, self._limits.seconds), self._child.memory, file)
        if ended:
            self.close()

    def close(self) -> None:
        """Let the child go."""
        if self._child is not None:
            self._child.close()
        self._child, self._files = None, 0


def _outcome(door: Door, file: str, call: Any) -> str:
    try:
        call()
    except BreachError as breach:
        if breach.what == "crash":
            with door.lock:
                door.failures[breach.detail.partition(":")[0]] += 1
        return breach.what
    except CnnkitError as error:
        text = str(error)
        if "\n" in text or not text.strip():
            door.foreign.append(f"{file}: no sentence: {text!r}")
        return "refused"
    # The very thing that is looked for: whatever it is, it is counted.
    except Exception as error:
        door.foreign.append(f"{file}: {type(error).__name__}: {error}")
        return "foreign"
    return "read"


def read_images(door: Door, files: Iterator[tuple[str, bytes]]) -> None:
    """As Predict reads them."""
    attempts = Attempts(door, sandbox.files, image_io.LIMITS)
    for name, data in files:
        attempts.read(name, image_io.DECODE, data, 3, 2048)
    attempts.close()


def read_tables(door: Door, files: Iterator[tuple[str, bytes]]) -> None:
    """As an import of a folder reads them."""
    attempts = Attempts(door, sandbox.files, TABLE_LIMITS)
    paths = [[f"{number}.png"] for number in range(40)]
    for name, data in files:
        attempts.read(name, TABLE, data, paths, [])
    attempts.close()


def read_archives(door: Door, files: Iterator[tuple[str, bytes]]) -> None:
    """As an import reads them: the list, then every image and table in it."""
    for name, data in files:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            with sandbox.files.zygote.child(LIST_LIMITS, [file.fileno()]) as child:
                seconds: list[float] = []
                outcome = _outcome(door, name, partial(_whole_archive, door, name, child, seconds))
                door.note(outcome, sum(seconds), child.memory, name)


def _whole_archive(door: Door, name: str, child: Any, seconds: list[float]) -> None:
    found = child.call(f"{ARCHIVES}:list_archive", FIRST_FILE, name)
    seconds.append(child.seconds)
    for path, number, _ in found["members"]:
        if path[-1].endswith(".csv"):
            call = (f"{ARCHIVES}:labels_of_member", FIRST_FILE, number, [["a0.png"]], [])
        else:
            call = (f"{ARCHIVES}:square_of_member", FIRST_FILE, number, 64)
        if _outcome(door, name, lambda call=call: child.call(*call)) in ("time", "memory", "crash"):
            return
        seconds.append(child.seconds)


def read_networks(door: Door, files: Iterator[tuple[str, bytes]]) -> None:
    """As an upload is opened, answers once, and leaves its checked form."""
    with tempfile.TemporaryDirectory() as folder:
        limits = upload_limits(2**16, str(Path(folder).resolve()))
        attempts = Attempts(door, sandbox.networks, limits)
        for name, data in files:
            attempts.read(name, READ, data, limits.folder, False)
        attempts.close()


DOORS = {
    "images": (_mutations.image_files, read_images),
    "tables": (_mutations.table_files, read_tables),
    "archives": (_mutations.archive_files, read_archives),
    "networks": (_mutations.network_files, read_networks),
}


def fuzz(name: str, count: int, seed: int, threads: int = 2) -> Door:
    """Read so many files of a kind.

    Args:
        name: key of `DOORS`.
        count: of files.
        seed: of the changes; each thread has its own share of them.
        threads: that read at the same time.
    """
    make, read = DOORS[name]
    files, door = make(), Door(name)
    shares = [
        islice(_mutations.mutants(files, random.Random(f"{seed} {name} {k}")), count // threads)  # noqa: S311
        for k in range(threads)
    ]
    workers = [threading.Thread(target=read, args=(door, share)) for share in shares]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return door


def written_outside(before: set[str], folders: Sequence[Path]) -> list[str]:
    """Files that are there now and were not before."""
    return sorted(everything(folders) - before)


def everything(folders: Sequence[Path]) -> set[str]:
    """All files in some folders, but Python's own caches."""
    return {
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts and ".git" not in path.parts
    }


def main() -> None:
    """Read damaged files of all kinds, and write down what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of files")
    parser.add_argument("--doors", nargs="+", choices=DOORS, default=list(DOORS))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cnnkit-fuzz-")))
        os.environ["TMPDIR"] = tempfile.tempdir = str(root)
        watched = [root, ROOT / "cnnkit", ROOT / "tests", Path.home() / ".keras"]
        before = everything(watched)
        doors = []
        for name in arguments.doors:
            doors.append(fuzz(name, int(FILES[name] * arguments.share), arguments.seed))
            print(
                doors[-1].row(),
                *doors[-1].foreign[:5],
                dict(doors[-1].failures),
                sep="\n",
                flush=True,
            )
        outside = written_outside(before, watched)
    files = sum(sum(door.outcomes.values()) for door in doors)
    if arguments.share >= 1:
        write_part(
            ROOT / "docs" / "security.md",
            "fuzzing",
            _text(doors, files, outside, arguments.seed, time.monotonic() - began),
        )
    print(f"{files:,} files, {len(outside)} files written outside", *outside[:5])
    raise SystemExit(any(door.foreign for door in doors) or bool(outside))


def _text(
    doors: Sequence[Door], files: int, outside: Sequence[str], seed: int, seconds: float
) -> str:
    slowest, file = max(door.slowest for door in doors)
    failures = sum((door.failures for door in doors), Counter())
    named = ", ".join(f"{name} ({n:,})" for name, n in failures.most_common(8)) or "none"
    left_out = FILES.keys() - {door.name for door in doors}
    lines = [
        f"{files:,} files with seed {seed}, in {seconds:.0f} s: valid files of every",
        "kind, changed by flipped bits, lost, repeated and exchanged pieces, odd numbers in",
        "fields, and odd values in descriptions of networks.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{' --- |' * len(COLUMNS)}",
        *(door.row() for door in doors),
        *(f"| {name} | not in this run |{' |' * (len(COLUMNS) - 2)}" for name in left_out),
        "",
        f"Files written outside of a child's own folder: {len(outside)}. Slowest file: "
        f"{slowest:.2f} s of computing ({file}).",
        "What readers failed with inside of their children, which people see as a sentence: "
        f"{named}.",
        "",
        *(f"- {line}" for line in machine()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
