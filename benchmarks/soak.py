"""A day of one server in minutes: `python -m benchmarks soak`, or `.soak --actions 100`.

The hours are not simulated, what happens in them is: a thousand actions one after the other, three
at once, as a class has over a day. Tabs are opened and closed, images uploaded and classified, jobs
of the kind `rehearsal` run, images are optimized and left, while the caches have small limits, so
that each is full many times over. Nothing may grow: the slope of memory, file descriptors, threads,
children, temporary files and cache folders after the first part of the actions is measured. What
takes hours by itself (the expiry of a login, the rotation of a log) is not covered.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._app import served
from benchmarks._children import end_children
from benchmarks._measure import ROOT, Row, machine, save
from benchmarks._regions import write_part
from benchmarks._visitor import Seen, VisitError, Visitor
from benchmarks._watch import Held, Watch
from cnnkit.files import folder_bytes
from cnnkit.runs import RunStore, Status
from cnnkit.settings import Settings

ACTIONS, AT_ONCE = 1000, 3
WARM_UP = 0.4  # of the actions, before growth is measured
LIMITS = {"CNNKIT_RESULTS_MEMORY": "8", "CNNKIT_MODEL_MEMORY": "64", "CNNKIT_IMAGES_MEMORY": "64"}
LOOKED_AT = ("", "runs", "draw", "concepts", "architectures", "explain", "inside", "train")
# Streamlit keeps the session of a closed tab for two minutes, with two sockets, in case it comes
# back. Where a day has minutes, that would be hours.
KEPT = 10  # seconds
WATCHED = 60  # seconds at most that somebody waits for an image
LIVE = (Status.QUEUED, Status.RUNNING)
DOCUMENT = ROOT / "docs" / "reliability.md"
FOLDERS = ("results", "sessions", "jobs", "cache")  # of the home


class Day:
    """What happens in a day, and what it leaves.

    Args:
        address: of the server.
        seed: of what is done, and in which order.
    """

    def __init__(self, address: str, seed: int):
        self.address = address
        self.chance = random.Random(seed)
        self.seen = Seen()
        self.done: Counter[str] = Counter()
        self.doing: dict[str, tuple[int, Callable[[Visitor], Awaitable[object]]]] = {
            "pages looked at": (45, self._look),
            "examples classified": (15, self._classify),
            "images uploaded and classified": (20, self._upload),
            "images optimized": (12, self._optimize),
            "tabs closed in the middle": (8, self._leave),
        }

    async def live(self, actions: int, each: Callable[[int], None]) -> None:
        """Do so many things, a few at once.

        Args:
            actions: how many.
            each: called with the number of actions done, after each.
        """
        left = iter(range(actions))
        finished = 0

        async def one() -> None:
            nonlocal finished
            for _ in left:
                await self._act()
                finished += 1
                each(finished)

        await asyncio.gather(*(one() for _ in range(AT_ONCE)))

    async def _act(self) -> None:
        name = self.chance.choices(list(self.doing), [one[0] for one in self.doing.values()])[0]
        visitor = Visitor(self.address, name)
        try:
            async with visitor:
                await visitor.open("")
                await self.doing[name][1](visitor)
        except (VisitError, OSError, TimeoutError) as error:
            self.seen.lost.append(f"{name}: {error}")
        self.done[name] += 1
        self.seen.errors += visitor.seen.errors
        self.seen.lost += visitor.seen.lost

    async def _look(self, visitor: Visitor) -> None:
        for page in self.chance.sample(LOOKED_AT, 2):
            await visitor.open(page)

    async def _classify(self, visitor: Visitor) -> None:
        networks = self.chance.choice(("pretrained.mobilenet_v2", "pretrained.squeezenet"))
        await visitor.open("predict", **{"from": "example", "networks": networks})

    async def _upload(self, visitor: Visitor) -> None:
        await visitor.open("predict", **{"from": "upload", "networks": "pretrained.squeezenet"})
        pixels = np.random.default_rng(self.chance.randrange(2**31)).integers(0, 255, (480, 640, 3))
        stream = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(stream, "JPEG")
        await visitor.upload("Drop images here", "noise.jpg", stream.getvalue())

    async def _optimize(self, visitor: Visitor) -> None:
        seed = str(self.chance.randrange(10**6))
        await visitor.open("visualize", network="run.starter", seed=seed, steps="16")
        if visitor.has("button", lambda button: button.label == "Start"):
            await visitor.click("Start")
            # Most people wait for their image; who goes leaves it to be finished without them.
            until = time.monotonic() + self.chance.choice((2, WATCHED, WATCHED, WATCHED))
            while time.monotonic() < until and visitor.has("button", _stops):
                await asyncio.sleep(0.5)

    async def _leave(self, visitor: Visitor) -> None:
        going = asyncio.create_task(visitor.open(self.chance.choice(("runs", "inside", "predict"))))
        await asyncio.sleep(0.05)
        going.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await going


def _stops(button) -> bool:
    return button.label == "Stop"


def queue_rehearsals(home: Path, count: int) -> RunStore:
    """Queue jobs that only count, as an earlier server would have left them; the record."""
    store = RunStore(Settings.from_environment({"CNNKIT_HOME": str(home)}))
    for number in range(count):
        store.create("rehearsal", {"epochs": 2, "steps": 10}, f"rehearsal {number}")
    return store


@dataclass(frozen=True)
class Sample:
    """What there is after so many actions."""

    held: Held
    temporary: int  # files
    folders: int  # bytes of all caches


def spend_day(arguments: argparse.Namespace, home: Path) -> tuple[Day, list[Sample], Counter]:
    """All actions against one server; what there was after every twentieth."""
    temporary = home / "tmp"
    temporary.mkdir()
    store = queue_rehearsals(home, max(1, arguments.actions // 25))
    environment = {"CNNKIT_HOME": str(home), "CNNKIT_WARM_WORKERS": "0", "TMPDIR": str(temporary)}
    environment["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"] = str(KEPT)
    samples: list[Sample] = []
    with served(ROOT / "app.py", environment | LIMITS) as address, Watch(address) as watch:
        day = Day(address, arguments.seed)

        def look(done: int) -> None:
            if done % 20 == 0:
                files = sum(len(names) for _, _, names in os.walk(temporary))
                bytes_of = sum(folder_bytes(home / name) for name in FOLDERS)
                samples.append(Sample(watch.look(), files, bytes_of))
                print(f"  {done}: {samples[-1]}", file=sys.stderr)

        asyncio.run(day.live(arguments.actions, look))
        deadline = time.monotonic() + 300
        while store.list(kind="rehearsal", statuses=LIVE) and time.monotonic() < deadline:
            time.sleep(1)
        ended = Counter(str(run.status) for run in store.list(kind="rehearsal", limit=10_000))
    return day, samples, ended


def slope(values: list[float]) -> float:
    """Growth from the first to the last, by the straight line that fits best."""
    if len(values) < 2:
        return 0.0
    return float(np.polyfit(np.arange(len(values)), values, 1)[0] * (len(values) - 1))


def rows_of(day: Day, samples: list[Sample], ended: Counter) -> list[Row]:
    """The table: at the end of the warm-up, at the end, and the growth between."""
    kept = samples[round(WARM_UP * len(samples)) :]
    rows = [
        _row(words, [read(one) / unit for one in kept], bound)
        for words, read, unit, bound in MEASURES
    ]
    for what, bad in (("Errors", day.seen.errors), ("Lost connections", day.seen.lost)):
        print(*bad[:20], sep="\n", file=sys.stderr)
        rows.append(Row(what=what, ours=str(len(bad)), peer="", ratio="", target="0"))
    jobs = ", ".join(f"{count} {status}" for status, count in ended.items())
    rows.append(Row(what="Jobs (rehearsals)", ours=jobs, peer="", ratio="", target="all finished"))
    return rows


def _row(words: str, values: list[float], bound: float) -> Row:
    grown = slope(values)
    reached = "reached" if grown <= bound else "not reached"
    return Row(
        what=words,
        ours=f"{values[-1]:,.0f} at the end, grew by {grown:+.1f}",
        peer=f"{values[0]:,.0f} after the warm-up",
        ratio="",
        target=f"at most {bound:g}: {reached}",
    )


# What is measured: words, how it is read, its unit, and the growth that is allowed for noise.
MEASURES: tuple[tuple[str, Callable[[Sample], float], float, float], ...] = (
    ("Resident memory of the server, MB", lambda one: one.held.server, 1e6, 50),
    ("Resident memory of its children, MB", lambda one: one.held.children, 1e6, 100),
    ("File descriptors of the server", lambda one: one.held.descriptors, 1, 10),
    ("Threads of the server", lambda one: one.held.threads, 1, 5),
    ("Children of the server", lambda one: one.held.processes, 1, 2),
    ("Temporary files", lambda one: one.temporary, 1, 5),
    ("Folders of caches and sessions, MB", lambda one: one.folders, 1e6, 20),
)


def describe(rows: list[Row], notes: list[str]) -> str:
    """The part of `docs/reliability.md`."""
    head = (
        "Written by `python -m benchmarks soak`. The hours of a day are not simulated, what "
        "happens in them is: the actions follow each other without a pause, against one server "
        "with small caches."
    )
    lines = ["| what | measured | before | growth allowed |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.ours} | {row.peer} | {row.target} |" for row in rows]
    said = [f"- {note}" for note in (*notes, *machine(), date.today().isoformat())]
    return "\n".join([head, "", *lines, "", *said])


def main() -> None:
    """Spend a day and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=ACTIONS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", file=sys.stderr)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        try:
            day, samples, ended = spend_day(arguments, Path(home))
        finally:
            end_children(home)
    minutes = (time.monotonic() - began) / 60
    rows = rows_of(day, samples, ended)
    done = ", ".join(f"{count} {what}" for what, count in sorted(day.done.items()))
    limits = ", ".join(f"{name}={value}" for name, value in LIMITS.items())
    notes = [
        f"{arguments.actions} actions in {minutes:.0f} minutes, {AT_ONCE} at once, seed "
        f"{arguments.seed}: {done}. Growth is that of the straight line through the samples after "
        f"the first {WARM_UP:.0%} of the actions. {limits}, no warm worker; "
        f"sessions of closed tabs are kept for {KEPT} s.",
        "Not covered: what takes hours by itself, such as logins that expire or logs that rotate.",
    ]
    if arguments.actions >= ACTIONS:
        write_part(DOCUMENT, "soak", describe(rows, notes))
    print(*map(asdict, rows), *notes, sep="\n", file=sys.stderr)
    save(rows, notes)


if __name__ == "__main__":
    main()
