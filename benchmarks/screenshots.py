"""Images of every page, for the README: `python -m benchmarks.screenshots`.

The app starts with a home of its own, in which two short trainings have run and a third
one is running, so that the pages have something to show. Only digits that are embedded,
drawn or from MNIST are on the images.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks._app import chromium, served, settle
from benchmarks._camera import take_classes, with_camera
from benchmarks._children import end_children
from benchmarks._measure import ROOT
from cnnkit.datasets import mnist_or_digits
from cnnkit.ui.common.page import PAGES

FOLDER = ROOT / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 860}  # pixels
LARGEST = 300_000  # bytes of a file
PATIENCE = 600.0  # seconds for a page to be complete, on a busy machine
LAST_STEP = re.compile(r"Step ([1-9]\d*) of \1\b")
COLORS = 128  # of a palette, where a full-color file would be larger than that


def main() -> None:
    """Train, serve, visit, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of images; none: all")
    wanted = parser.parse_args().names or [name for name, *_ in SHOTS]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        environment = {"CNNKIT_HOME": home}
        data = mnist_or_digits().name
        train(environment, "softmax_regression", data, epochs=3)
        train(environment, "lenet_tutorial", data, epochs=2)
        with (
            served(ROOT / "app.py", environment) as address,
            chromium() as plain,
            with_camera(plain, Path(home)) as browser,
        ):
            for name, path, prepare in (shot for shot in SHOTS if shot[0] in wanted):
                if name == "train":  # last, for it slows all others
                    running = train(environment, "deep_mnist", data, detach=True, epochs=20)
                    path = f"train?run={running}"
                theme = "dark" if name.endswith("-dark") else "light"
                shoot(browser, f"{address}/{path}", name, prepare, theme)
        end_children(home)


def train(
    environment: dict[str, str], model: str, data: str, *, detach: bool = False, **changes
) -> str:
    """Train as the command line does; the run's id."""
    options = [f"--set={field}={value}" for field, value in changes.items()]
    verb = ["train", model, "--recipe", "fast", "--dataset", data, *options, "--json"]
    return json.loads(command(environment, *verb, *(["--detach"] if detach else [])))["id"]


def command(environment: dict[str, str], *words: str) -> str:
    """What a verb of the command line prints."""
    return subprocess.run(
        [sys.executable, "-m", "cnnkit", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def shoot(
    browser: Browser,
    address: str,
    name: str,
    prepare: Callable[[Page], None],
    theme: str,
) -> None:
    """One image of one page, in a browser profile of its own."""
    context = browser.new_context(viewport=SIZE, color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    settle(page, PATIENCE)
    prepare(page)
    settle(page, PATIENCE)
    time.sleep(1.5)  # charts draw after the script has ended
    if page.locator('[data-testid="stException"]').count():
        raise SystemExit(f"{address} shows an exception.")
    save(page.screenshot(), FOLDER / f"{name}.png")
    context.close()


def save(png: bytes, path: Path) -> None:
    """Write an image, with fewer colors where it would be too large."""
    path.write_bytes(png)
    if len(png) > LARGEST:
        with Image.open(path) as image:
            reduced = image.convert("RGB").quantize(COLORS)
        reduced.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def as_it_opens(page: Page) -> None:
    """Nothing to do first."""


def draw_a_three(page: Page) -> None:
    """Draw a digit with the mouse."""
    canvas = page.locator("canvas").last
    canvas.wait_for(timeout=60_000)
    box = canvas.bounding_box()
    if box is None:
        raise SystemExit("There is no canvas on the page Draw.")
    points = [(0.30, 0.22), (0.52, 0.15), (0.68, 0.28), (0.50, 0.45), (0.70, 0.62), (0.52, 0.82)]
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for x, y in [*corners[1:], (box["x"] + 0.28 * box["width"], box["y"] + 0.74 * box["height"])]:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    page.wait_for_selector(".js-plotly-plot", timeout=120_000)
    time.sleep(5)  # each network predicts in its turn


def until_it_is_drawn(page: Page) -> None:
    """Wait for the drawing, scroll to it, and open a block."""
    block = page.locator(".cnn-architecture details").nth(3)
    block.wait_for(timeout=120_000)
    page.locator(".cnn-architecture").scroll_into_view_if_needed()
    block.locator("summary").click()


def until_the_maps_are_drawn(page: Page) -> None:
    """Wait for the heatmaps, and scroll to them."""
    maps = page.locator(".js-plotly-plot")
    maps.nth(2).wait_for(timeout=120_000)
    page.locator(".cnn-row").evaluate("row => row.scrollIntoView()")


def until_the_blocks_are_drawn(page: Page) -> None:
    """Wait for the filmstrip, and scroll to the blocks."""
    page.locator(".cnn-maps .film img").first.wait_for(timeout=120_000)
    page.locator(".cnn-maps .blocks").evaluate("blocks => blocks.scrollIntoView()")


def until_it_is_explained(page: Page) -> None:
    """Wait for the map of the slowest method."""
    page.get_by_alt_text(re.compile("Occlusion of")).wait_for(timeout=300_000)


def until_it_is_optimized(page: Page) -> None:
    """Press Start, and wait for the end."""
    page.get_by_role("button", name="Start").click()
    page.get_by_text(LAST_STEP).wait_for(timeout=600_000)
    page.get_by_role("button", name="Pause").wait_for(state="detached", timeout=60_000)
    time.sleep(2)


def until_the_dream_is_finished(page: Page) -> None:
    """Press Dream, and wait for the end."""
    page.get_by_role("button", name="Dream", exact=True).click(timeout=120_000)
    page.get_by_text("Before ↔ after").wait_for(timeout=600_000)
    time.sleep(2)


def until_the_ladder_is_optimized(page: Page) -> None:
    """Press Optimize, and wait for the re-classification check of all configurations."""
    page.get_by_role("button", name="Optimize").click(timeout=120_000)
    page.get_by_text("on re-classification").wait_for(timeout=1_800_000)
    time.sleep(2)


def until_the_mosaics_are_made(page: Page) -> None:
    """Press the button, and wait for the deepest layer's mosaic."""
    page.get_by_role("button", name="Make the mosaics").click(timeout=120_000)
    page.get_by_role("button", name="Pause").wait_for(timeout=120_000)
    page.get_by_role("button", name="Pause").wait_for(state="detached", timeout=900_000)


def until_the_points_are_there(page: Page) -> None:
    """Press Compute, wait for the points, and draw around some of them."""
    page.get_by_role("button", name="Compute").click(timeout=120_000)
    points = page.locator(".st-key-embedding_chart .nsewdrag")
    points.wait_for(timeout=900_000)
    settle(page, PATIENCE)
    time.sleep(2)
    box = points.bounding_box()
    if box is None:
        raise SystemExit("There is no chart on the page Embedding.")
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(across, down - 160)
    page.mouse.down()
    for x, y in ((190, -160), (190, 20), (0, 20), (0, -160)):
        page.mouse.move(across + x, down + y, steps=6)
    page.mouse.up()
    page.get_by_text("selected", exact=False).first.wait_for(timeout=60_000)


def until_it_is_fine_tuned(page: Page) -> None:
    """Press Fine-tune, and wait for the test accuracy."""
    page.get_by_role("button", name="Fine-tune", exact=True).click(timeout=120_000)
    page.get_by_text("Test accuracy", exact=True).first.wait_for(timeout=900_000)


def until_images_are_taken(page: Page) -> None:
    """Take images of three things."""
    take_classes(page)
    page.locator("h1").scroll_into_view_if_needed()


def until_curves_are_drawn(page: Page) -> None:
    """Wait until the curves of a running training have some points."""
    page.wait_for_selector(".js-plotly-plot", timeout=120_000)
    time.sleep(25)


PREPARED: tuple[tuple[str, str, Callable[[Page], None]], ...] = (
    ("draw", "draw", draw_a_three),
    (
        "backpropagation",
        "backpropagation?way=backward&layer=block2_conv1",
        until_the_maps_are_drawn,
    ),
    (
        "predict",
        "predict?networks=imagenet.mobilenet_v2,imagenet.googlenet&from=example&example=china",
        as_it_opens,
    ),
    (
        "inside-photo",
        "inside?network=pretrained.mobilenet_v2&from=example&example=china&block=block_3",
        until_the_blocks_are_drawn,
    ),
    ("inside", "inside?network=run.starter", as_it_opens),
    (
        "explain",
        "explain?networks=pretrained.mobilenet_v2&from=example&example=china"
        "&methods=grad_cam,integrated_gradients,occlusion",
        until_it_is_explained,
    ),
    ("architectures", "architectures?network=resnet", until_it_is_drawn),
    ("visualize", "visualize?network=imagenet.googlenet&unit=130", until_it_is_optimized),
    ("ladder", "ladder?network=imagenet.googlenet&unit=130", until_the_ladder_is_optimized),
    ("layers", "layers?network=run.starter", until_the_mosaics_are_made),
    ("embedding", "embedding?network=run.starter", until_the_points_are_there),
    (
        "fine-tune",
        "fine_tune?data=drawn_flowers&network=mobilenet_v2",
        until_it_is_fine_tuned,
    ),
    (
        "deepdream",
        "deepdream?network=imagenet.googlenet&example=china",
        until_the_dream_is_finished,
    ),
    ("camera", "camera", until_images_are_taken),
    ("home", "", as_it_opens),
    ("home-dark", "", as_it_opens),
    ("train", "train", until_curves_are_drawn),
)

# Every other page is taken as it opens.
_OTHERS = {page.file.removeprefix("pages/").removesuffix(".py") for page in PAGES[1:]} - {
    path.split("?")[0] for _, path, _ in PREPARED
}
SHOTS = (*((path.replace("_", "-"), path, as_it_opens) for path in sorted(_OTHERS)), *PREPARED)


if __name__ == "__main__":
    main()
