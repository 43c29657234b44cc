"""300 predictions in a row: in the web process through a real Chromium, and in a plain loop.

Each one on the page is a photo chosen, uploaded, answered by MobileNet V2, drawn as bars, and
taken away again. The server's resident memory is read from outside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page

from benchmarks._app import chromium, served, settle
from benchmarks._measure import ROOT, Row, save
from benchmarks.prediction import photos

EARLY = 50  # predictions after which nothing more should be needed
WARM = 10  # the first ones also load what the page needs
BARS = ".js-plotly-plot .barlayer .bars path"

LOOP = """
import json, sys, psutil
import numpy as np
from benchmarks import prediction
early, count, who = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
opened, _ = prediction.network()
photos = [path.read_bytes() for path in prediction.photos()]
if who == "ours":
    def ask(data): prediction.our_bars(data, opened)
else:
    def ask(data): prediction.their_answers(data, opened.model, opened.card.class_names)
taken = {}
for i in range(count):
    ask(photos[i % len(photos)])
    taken[i + 1] = psutil.Process().memory_info().rss
print(json.dumps([taken[early], taken[count]]))
"""


def upload(page: Page, photo: Path) -> float:
    """Seconds from choosing a photo until its bars are drawn; then it is taken away again."""
    began = time.perf_counter()
    page.locator('[data-testid="stFileUploader"] input[type="file"]').first.set_input_files(photo)
    page.wait_for_selector(BARS, state="attached", timeout=120_000)
    seconds = time.perf_counter() - began
    settle(page)
    page.locator('[data-testid="stFileChipDeleteBtn"]').first.click()
    page.wait_for_selector(BARS, state="detached", timeout=120_000)
    settle(page)
    return seconds


def on_the_page(count: int) -> tuple[list[float], list[int]]:
    """Seconds of each upload, and bytes of the server after each."""
    times, memory = [], []
    uploads = photos()
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        environment = {"CNNKIT_HOME": home, "CNNKIT_WARM_WORKERS": "0"}
        with served(ROOT / "app.py", environment) as address:
            server = next(p for p in psutil.Process().children() if "streamlit" in p.cmdline())
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(f"{address}/predict?networks=imagenet.mobilenet_v2")
            page.wait_for_selector("h1", timeout=120_000)
            settle(page)
            for i in range(count):
                times.append(upload(page, uploads[i % len(uploads)]))
                memory.append(server.memory_info().rss)
                if i % 25 == 24:
                    line = f"  {i + 1}: {times[-1]:.2f} s, {memory[-1] / 2**20:.0f} MiB"
                    print(line, file=sys.stderr)
    return times, memory


def in_a_loop(count: int, who: str) -> tuple[int, int]:
    """Bytes of a plain process after the early predictions and at the end."""
    command = [sys.executable, "-c", LOOP, str(EARLY), str(count), who]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    early, late = json.loads(output.splitlines()[-1])
    return early, late


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    count = parser.parse_args().count
    times, memory = on_the_page(count)
    ours, peer = in_a_loop(count, "ours"), in_a_loop(count, "keras")
    warm = sorted(times[WARM:])
    rows = [
        Row(
            what="Predict page, warm, from a photo chosen to bars drawn in Chromium",
            ours=f"{1000 * statistics.median(warm):.0f} ms",
            peer="",
            ratio="",
            target="under 150 ms from decoding to bars (row above); here with the browser",
        ),
        Row(
            what=f"Memory growth of the web process from prediction {EARLY} to {count}",
            ours=_growth(memory[EARLY - 1], memory[-1]),
            peer="",
            ratio="",
            target="under 2 %",
        ),
        Row(
            what=f"Memory growth of a plain loop from prediction {EARLY} to {count}",
            ours=_growth(*ours),
            peer=_growth(*peer),
            ratio=f"{ours[1] / peer[1]:.2f} of the peer's at the end",
            target="under 2 %",
        ),
    ]
    fast, slow = warm[len(warm) // 10], warm[-1 - len(warm) // 10]
    note = (
        f"The page was asked {count} times through one tab, each time with another of "
        f"{len(photos())} photos; between a tenth and nine tenths of the times lie "
        f"{1000 * fast:.0f} and {1000 * slow:.0f} ms, upload and drawing included. "
        "The loop's peer is `model.predict`."
    )
    save(rows, [note])


def _growth(early: int, late: int) -> str:
    return f"{100 * (late / early - 1):+.1f} % of {early / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
