"""From thirty shots of three things to answers several times a second, as a visitor does it.

A real Chromium films a file; the app has its warm worker, as after a minute of a visit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from benchmarks._app import chromium, served, settle
from benchmarks._camera import SHOTS, THINGS, take_classes, with_camera
from benchmarks._measure import ROOT, Row, save

SECONDS = 15.0  # of which answers are counted
WARM = 20.0  # seconds that a worker has to import TensorFlow, as it has while one takes images


def fine_tune(page: Page, address: str) -> float:
    """Seconds from pressing the button until the result is on the page."""
    page.goto(f"{address}/camera")
    take_classes(page)
    page.get_by_role("button", name="Make the data set").click()
    button = page.get_by_role("button", name="Fine-tune MobileNetV2")
    button.wait_for()
    settle(page)
    time.sleep(WARM)
    began = time.perf_counter()
    button.click()
    page.get_by_text("95 % confidence interval").wait_for(timeout=120_000)
    return time.perf_counter() - began


def answers(page: Page) -> float:
    """Answers a second that the bars of a running live prediction show."""
    count = "row => Number(row.dataset.answers ?? 0)"
    row = page.locator(".rate")
    before, began = row.evaluate(count), time.perf_counter()
    time.sleep(SECONDS)
    return (row.evaluate(count) - before) / (time.perf_counter() - began)


def live(page: Page) -> tuple[float, float]:
    """Answers a second without and with Grad-CAM."""
    page.get_by_role("link", name="Ask it live").click()
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".answer.best").first.wait_for(timeout=60_000)
    plain = answers(page)
    page.get_by_text("Grad-CAM", exact=True).click()
    page.locator('img[alt^="Grad-CAM"]').wait_for(timeout=120_000)
    return plain, answers(page)


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    seconds, rates = [], []
    for number in range(rounds):  # each in a home of its own: features would be cached
        with tempfile.TemporaryDirectory() as home, chromium() as browser:
            with (
                with_camera(browser, Path(home)) as filming,
                served(ROOT / "app.py", {"CNNKIT_HOME": home}) as address,
            ):
                page = filming.new_page(viewport={"width": 1280, "height": 1000})
                page.set_default_timeout(120_000)
                seconds.append(fine_tune(page, address))
                rates.append(live(page))
                print(f"  round {number + 1}: {seconds[-1]:.1f} s, {rates[-1]}", file=sys.stderr)
    plain, mapped = zip(*rates, strict=True)
    what = f"{len(THINGS)} classes of {SHOTS} shots"
    rows = [
        Row(
            what=f"MobileNetV2 on {what}, from the button to the result on the page",
            ours=f"{statistics.median(seconds):.1f} s",
            peer="",
            ratio="",
            target="at most 20 s",
        ),
        Row(
            what="Live prediction, answers shown in the browser",
            ours=f"{statistics.median(plain):.1f} a second",
            peer="",
            ratio="",
            target="at least 4 a second",
        ),
        Row(
            what="The same with Grad-CAM",
            ours=f"{statistics.median(mapped):.1f} a second",
            peer="",
            ratio="",
        ),
    ]
    span = f"{min(seconds):.1f} to {max(seconds):.1f} s"
    note = (
        f"{rounds} rounds ({span}), each with a new home and its own warm worker. The browser, its "
        "camera and the app share the machine."
    )
    save(rows, [note])


if __name__ == "__main__":
    main()
