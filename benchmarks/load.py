"""A class visits: `python -m benchmarks load`; options: `python -m benchmarks.load --people 5`.

Two people come in Chromium, the others over Streamlit's own websocket (`benchmarks._visitor`).
They predict, visualize, look at runs, ask for explanations and start trainings, and think some
seconds between two actions, while a training and a visualization take all slots. Measured: page
switches and predictions (from the request until the page's script has run), errors, lost
connections, and the resident memory of the server and its children, then and after an idle time.
Writes its part of `docs/reliability.md` where it ran in full.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Error as BrowserError

from benchmarks._app import READY, chromium, served, settle
from benchmarks._children import end_children
from benchmarks._classroom import Tally, hold_class
from benchmarks._measure import ROOT, Row, machine, save
from benchmarks._regions import write_part
from benchmarks._visitor import Visitor
from benchmarks._watch import Watch
from cnnkit.runs import STARTER_ID, RunStore, Status
from cnnkit.settings import Settings

PEOPLE, MINUTES, IDLE = 50, 10.0, 5.0
TRAINING = 10  # people who press Train
BROWSERS = 2
RUNS = 12  # finished ones that are there before
TARGET = 1.0  # second, the 95th percentile of a page switch
ALONE = 40  # page switches of one visitor, before the others come
PAGES = ("", "runs", "predict", "visualize", "explain", "draw", "inside", "concepts", "train")
TITLES = ("Concepts", "Draw", "Runs", "Architectures", "Visualize", "Predict", "Inside")
DOCUMENT = ROOT / "docs" / "reliability.md"


def prepare_runs(home: Path) -> list[str]:
    """Ids of finished runs, each with the network that ships, as a class would have them."""
    store = RunStore(Settings.from_environment({"CNNKIT_HOME": str(home)}))
    starter, ids = store.get(STARTER_ID), []
    for number in range(RUNS):
        run = store.create("train", {**starter.spec, "seed": number}, f"LeNet, seed {number}")
        for name in ("model.keras", "card.json", "predictions.npz"):
            store.add_artifact(run.id, store.artifact(STARTER_ID, name))
        store.set_metrics(run.id, starter.metrics)
        store.update(run.id, status=Status.FINISHED)
        ids.append(run.id)
    return ids


async def switch_alone(address: str, tally: Tally) -> None:
    """Go from page to page with nobody else there, each twice before it counts."""
    async with Visitor(address, "first visitor") as visitor:
        for page in PAGES * 2:
            await visitor.open(page)
        for number in range(ALONE):
            page = PAGES[number % len(PAGES)]
            tally.switches[page or "home"].append(await visitor.open(page))
            await asyncio.sleep(0.3)
        tally.seen.errors += visitor.seen.errors
        tally.seen.lost += visitor.seen.lost


class Browsing(threading.Thread):
    """People in real browsers, who go from page to page.

    Their Chromium gets what time is left: such visitors have machines of their own.

    Args:
        address: of the server.
        count: how many.
        until: `time.monotonic()` at which they leave.
        seed: of what they do.
    """

    def __init__(self, address: str, count: int, until: float, seed: int):
        super().__init__(name="browsers")
        self.address, self.count, self.until = address, count, until
        self.chance = random.Random(f"{seed}/browsers")
        self.seconds: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        """Visit until it is time to leave."""
        with chromium(idle=True) as browser:
            pages = [browser.new_context().new_page() for _ in range(self.count)]
            for page in pages:
                page.set_default_timeout(120_000)
                page.on("pageerror", lambda error: self.errors.append(str(error)))
                page.goto(self.address)
                settle(page)
            while time.monotonic() < self.until:
                for page in pages:
                    self._switch(page)
                    page.wait_for_timeout(1000 * self.chance.uniform(5, 20) / self.count)

    def _switch(self, page) -> None:
        title = self.chance.choice(TITLES)
        link = page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True)
        began = time.perf_counter()
        try:
            link.click()
            page.locator("h1", has_text=title).wait_for()
            page.wait_for_selector(READY)
            self.seconds.append(time.perf_counter() - began)
            for kind in ("stException", "stAlertContentError"):
                for shown in page.get_by_test_id(kind).all():
                    self.errors.append(f"browser on {title}: {shown.inner_text()}")
        except BrowserError as error:
            self.errors.append(f"browser on {title}: {error}")


@contextlib.contextmanager
def browsing(address: str, count: int, minutes: float, seed: int) -> Iterator[Browsing]:
    """So many people in browsers while the block runs; they have left when it ends."""
    thread = Browsing(address, count, time.monotonic() + 60 * minutes, seed)
    if count:
        thread.start()
    yield thread
    if count:
        thread.join()


def hold(arguments: argparse.Namespace, home: Path) -> dict:
    """One class from the first visitor to the last, and the idle time after it."""
    runs = prepare_runs(home)
    alone, browsers = Tally(), min(arguments.browsers, arguments.people)
    environment = {"CNNKIT_HOME": str(home), "CNNKIT_LOG_FILE": str(home / "server.log")}
    with served(ROOT / "app.py", environment) as address, Watch(address) as watch:
        asyncio.run(switch_alone(address, alone))
        watch.mark("before")
        own = psutil.Process().cpu_times()
        with browsing(address, browsers, arguments.minutes, arguments.seed) as people:
            tally = asyncio.run(
                hold_class(
                    address,
                    arguments.people - browsers,
                    arguments.minutes,
                    runs,
                    seed=arguments.seed,
                    training=min(TRAINING, arguments.people // 3),
                )
            )
        after = psutil.Process().cpu_times()
        watch.mark("at the end")
        time.sleep(60 * arguments.idle)
        watch.mark(f"{arguments.idle:g} min later")
        trained = Counter(
            str(run.status)
            for run in RunStore(Settings.from_environment(environment)).list(kind="train")
            if run.id not in runs and not run.starter
        )
    tally.seen.errors += people.errors
    busy = sum(after[:2]) - sum(own[:2])
    return {
        "alone": alone,
        "tally": tally,
        "browser": people.seconds,
        "watch": watch,
        "trained": trained,
        "logged": count_events(home / "server.log"),
        "own": busy / (60 * arguments.minutes),
    }


def count_events(log: Path) -> Counter:
    """How often each event is in the server's log, and each exception that nobody expected."""
    counts: Counter = Counter()
    for line in log.read_text("utf-8").splitlines():
        event = json.loads(line)
        counts[event["event"]] += 1
        if event["event"] == "page failed":
            print(line, file=sys.stderr)
    return counts


def percentiles(seconds: list[float]) -> str:
    """The 50th, 95th and 99th, in seconds."""
    return " / ".join(f"{value:.2f}" for value in np.percentile(seconds or [0], (50, 95, 99)))


def rows_of(found: dict, people: int) -> list[Row]:
    """The table."""
    tally, alone = found["tally"], [one for of in found["alone"].switches.values() for one in of]
    switches = [one for of in tally.switches.values() for one in of]
    p95, before = np.percentile(switches, 95), np.percentile(alone, 95)
    reached = "reached" if p95 < TARGET else "not reached"
    rows = [
        Row(
            what=f"Page switch with {people} people, p50 / p95 / p99",
            ours=f"{percentiles(switches)} s ({len(switches)})",
            peer=f"{percentiles(alone)} s alone",
            ratio=f"{p95 / before:.1f}",
            target=f"p95 under {TARGET:g} s: {reached}",
        )
    ]
    if found["browser"]:
        rows.append(_line("The same in Chromium, until it is drawn", found["browser"]))
    rows += [_line(what.capitalize(), tally.others[what]) for what in sorted(tally.others)]
    seen = tally.seen
    for what, bad in (("Errors that people saw", seen.errors), ("Lost connections", seen.lost)):
        rows.append(Row(what=what, ours=str(len(bad)), peer="", ratio="", target="0"))
        print(*bad[:20], sep="\n", file=sys.stderr)
    return rows + found["watch"].rows()


def _line(what: str, seconds: list[float]) -> Row:
    ours = f"{percentiles(seconds)} s ({len(seconds)})"
    return Row(what=f"{what}, p50 / p95 / p99", ours=ours, peer="", ratio="")


def notes_of(found: dict, arguments: argparse.Namespace) -> list[str]:
    """What the table does not say."""
    tally = found["tally"]
    slow = sorted(tally.switches, key=lambda page: -float(np.percentile(tally.switches[page], 95)))
    pages = ", ".join(f"{p} {np.percentile(tally.switches[p], 95):.2f}" for p in slow)
    trained = ", ".join(f"{n} {status}" for status, n in sorted(found["trained"].items()))
    events = ", ".join(f"{n} × {event}" for event, n in found["logged"].most_common(6))
    return [
        f"{arguments.people} people for {arguments.minutes:g} minutes, {arguments.browsers} of "
        f"them in Chromium; 5 to 20 s between two actions, seed {arguments.seed}. All ran on the "
        "server's machine, where Chromium got what time others left; people without a browser "
        f"took {found['own']:.0%} of one core.",
        f"p95 of a page switch by page, in seconds: {pages}.",
        f"p95 of a page switch by minute, in seconds: {by_minute(tally.moments)}.",
        f"Trainings that they started: {trained or 'none'}; {len(tally.places)} times somebody was "
        f"shown a place in a queue. {tally.images:,} images were fetched.",
        f"The server's log: {events}.",
    ]


def by_minute(moments: list[tuple[float, float]]) -> str:
    """The 95th percentile of each minute, for when the machine was slow."""
    minutes: dict[int, list[float]] = {}
    for moment, seconds in moments:
        minutes.setdefault(int(moment // 60), []).append(seconds)
    return ", ".join(f"{np.percentile(minutes[one], 95):.2f}" for one in sorted(minutes))


def describe(rows: list[Row], notes: list[str]) -> str:
    """The part of `docs/reliability.md`."""
    lines = ["| what | measured | alone | target |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.ours} | {row.peer} | {row.target} |" for row in rows]
    said = [f"- {note}" for note in (*notes, *machine(), date.today().isoformat())]
    head = "Written by `python -m benchmarks load`: a class on one server."
    return "\n".join([head, "", *lines, "", *said])


def main() -> None:
    """Hold a class and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--idle", type=float, default=IDLE, help="minutes; 60 in the long form")
    parser.add_argument("--browsers", type=int, default=BROWSERS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        try:
            found = hold(arguments, Path(home))
        finally:
            end_children(home)
    rows, notes = rows_of(found, arguments.people), notes_of(found, arguments)
    if arguments.people >= PEOPLE and arguments.minutes >= MINUTES:
        write_part(DOCUMENT, "load", describe(rows, notes))
    print(*map(asdict, rows), *notes, sep="\n", file=sys.stderr)
    save(rows, notes)


if __name__ == "__main__":
    main()
