"""Time to first paint: Home against a bare Streamlit page, in a real Chromium.

Each visit is a new browser profile, so that nothing is cached. Painted means that the
heading stands on the screen; complete, that the script has ended and all of it is there.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks._app import READY, chromium, served
from benchmarks._measure import ROOT, Row, ratio_text, save

BARE = "import streamlit as st\n\nst.title('Bare')\nst.write('A page of two lines.')\n"


def visit(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds until the heading is painted and until the page is complete."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("h1", state="visible", timeout=120_000)
    painted = time.perf_counter() - began
    page.wait_for_selector(READY, timeout=120_000)
    complete = time.perf_counter() - began
    context.close()
    return painted, complete


def starts(browser: Browser, scripts: dict[str, Path], home: str, rounds: int) -> dict:
    """First visit after each start of a server, in turns."""
    first: dict[str, list[tuple[float, float]]] = {name: [] for name in scripts}
    for _ in range(rounds):
        for name, script in scripts.items():
            with served(script, {"CNNKIT_HOME": home}) as address:
                first[name].append(visit(browser, address))
    return first


def visits(browser: Browser, scripts: dict[str, Path], home: str, rounds: int) -> dict:
    """Later visits to servers that both run, in turns."""
    later: dict[str, list[tuple[float, float]]] = {name: [] for name in scripts}
    ours, bare = scripts.values()
    environment = {"CNNKIT_HOME": home}
    with served(ours, environment) as our_address, served(bare, environment) as bare_address:
        addresses = dict(zip(scripts, (our_address, bare_address), strict=True))
        for address in addresses.values():
            visit(browser, address)
        time.sleep(20)  # the warm worker imports TensorFlow after the first visit
        for _ in range(rounds):
            for name, address in addresses.items():
                later[name].append(visit(browser, address))
    return later


def main() -> None:
    """Measure in turns and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--starts", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        scripts = {"ours": ROOT / "app.py", "bare": bare}
        first = starts(browser, scripts, f"{folder}/home", arguments.starts)
        later = visits(browser, scripts, f"{folder}/home", arguments.rounds)
    print(first, later, sep="\n", file=sys.stderr)
    save(
        [
            _row(f"{which}, {moment}", times, index)
            for which, times in (
                ("Home, first visit after a server's start", first),
                ("Home, later visits", later),
            )
            for index, moment in enumerate(("heading painted", "page complete"))
        ],
        [],
    )


def _row(what: str, times: dict[str, list[tuple[float, float]]], index: int) -> Row:
    ours, peer = ([pair[index] for pair in times[name]] for name in ("ours", "bare"))
    return Row(
        what=what,
        ours=f"{statistics.median(ours):.2f} s",
        peer=f"{statistics.median(peer):.2f} s",
        ratio=ratio_text(ours, peer),
        target="at most 1.3" if index == 0 else "",
    )


if __name__ == "__main__":
    main()
