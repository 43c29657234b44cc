"""`make faults`: let things fail at random moments, and look at what is left and what was said.

`python -m benchmarks.faults --rounds 100 --seed 18` draws a hundred rounds of the kinds in
`_fault_rounds`, with at least one of each. After each round no run may be lost or stuck, every
finished epoch is there, results equal those of undisturbed runs bit for bit, nothing is left
over, and what a person saw is a sentence. Writes the part on faults of `docs/reliability.md`.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from benchmarks._fault_rounds import ROUNDS
from benchmarks._measure import ROOT, machine
from benchmarks._regions import write_part

DOCUMENT = ROOT / "docs" / "reliability.md"
TEXT = """Written by `make faults`: {rounds} rounds with seed {seed}, {lanes} at once, {minutes:.0f}
minutes; {failed} failed. After each round no run is lost or stuck, every finished epoch is there,
results equal those of undisturbed runs bit for bit, half-written files are found and removed by
`cnnkit doctor --repair`, and what a person saw is a sentence.{skipped}

| what failed | rounds | passed | slowest round | a sentence that was seen |
| --- | --- | --- | --- | --- |
{table}

{machine}
- {date}
"""


@dataclass(frozen=True)
class Outcome:
    """Of one round."""

    kind: str
    seconds: float
    seen: str
    problem: str = ""


def draw(kinds: dict[str, int], rounds: int, generator: random.Random) -> list[str]:
    """Names of rounds in random order: at least one of each kind, if there are so many.

    Args:
        kinds: name -> share among a hundred.
        rounds: how many.
        generator: draws them.
    """
    names = list(kinds)
    chosen = names[:rounds]
    total = sum(kinds.values())
    for name in names:
        chosen += [name] * (round(kinds[name] / total * rounds) - 1)
    while len(chosen) < rounds:
        chosen += generator.choices(names, list(kinds.values()))
    chosen = chosen[:rounds]
    generator.shuffle(chosen)
    return chosen


def carry_out(names: list[str], folder: Path, seed: str) -> list[Outcome]:
    """Do the rounds one after the other; a failed one is told and does not end the others."""
    # What other programs leave in the system's folder is none of ours.
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    from benchmarks._fault_rounds import Bench

    bench = Bench(folder, random.Random(seed))
    outcomes = []
    for number, name in enumerate(names, start=1):
        began = time.monotonic()
        seen, problem = "", ""
        try:
            seen = ROUNDS[name][2](bench)
        except Exception as error:  # whatever it is, the other rounds are worth having
            problem = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        outcomes.append(Outcome(name, time.monotonic() - began, seen, problem))
        print(f"{number}/{len(names)} {outcomes[-1]}", file=sys.stderr, flush=True)
    return outcomes


def in_lanes(names: list[str], lanes: int, seed: int) -> list[Outcome]:
    """Do the rounds in several processes at once, each with homes of its own."""
    parts = [names[lane::lanes] for lane in range(lanes)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True, prefix="faults-") as folder:
        folders = [Path(folder) / str(lane) for lane in range(lanes)]
        for one in folders:
            one.mkdir()
        seeds = [f"{seed}.{lane}" for lane in range(lanes)]
        with ProcessPoolExecutor(lanes, mp_context=get_context("spawn")) as pool:
            return [one for done in pool.map(carry_out, parts, folders, seeds) for one in done]


def mounting() -> bool:
    """Whether this process may mount a small disk."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as place:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True
        )
        if mounted.returncode == 0:
            subprocess.run(["umount", place], check=True)
        return mounted.returncode == 0


def table(outcomes: list[Outcome], titles: dict[str, str]) -> str:
    """A line for each kind of round."""
    kinds = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.kind].append(outcome)
    lines = []
    for kind, ended in kinds.items():
        passed = sum(not one.problem for one in ended)
        sentences = Counter(one.seen for one in ended if one.seen)
        seen = _shown(sentences.most_common(1)[0][0]) if sentences else ""
        slowest = max(one.seconds for one in ended)
        lines.append(f"| {titles[kind]} | {len(ended)} | {passed} | {slowest:.0f} s | {seen} |")
    return "\n".join(lines)


def _shown(sentence: str) -> str:
    """A sentence for a cell of the table, without the folders that rounds happened in."""
    short = re.sub(r"/\S*/home/", "…/", sentence)
    return textwrap.shorten(short.replace("|", "\\|"), 200, placeholder=" …")


def main() -> None:
    """Draw the rounds, do them, write the table; the exit code is 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--lanes", type=int, default=3, help="rounds at once")
    parser.add_argument("--only", action="append", help="kinds of rounds; nothing is written")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", file=sys.stderr)
    began = time.monotonic()
    kinds = {name: share for name, (share, *_) in ROUNDS.items()}
    skipped = "" if mounting() else " No disk was filled: only root may mount a small one."
    if skipped:
        del kinds["fill_disk"]
    if arguments.only:
        kinds = {name: share for name, share in kinds.items() if name in arguments.only}
    names = draw(kinds, arguments.rounds, random.Random(arguments.seed))
    outcomes = in_lanes(names, arguments.lanes, arguments.seed)
    failed = [one for one in outcomes if one.problem]
    text = TEXT.format(
        rounds=len(outcomes),
        seed=arguments.seed,
        lanes=arguments.lanes,
        minutes=(time.monotonic() - began) / 60,
        failed=len(failed),
        skipped=skipped,
        table=table(outcomes, {name: title for name, (_, title, _) in ROUNDS.items()}),
        machine="\n".join(f"- {line}" for line in machine()),
        date=date.today().isoformat(),
    )
    print(text)
    if not arguments.only:
        write_part(DOCUMENT, "faults", text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
