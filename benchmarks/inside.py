"""All feature maps of MobileNet V2 for a photo: computed, drawn, and on the page Inside.

On the page each photo is uploaded in a real Chromium, with the same block open, and the time runs
from choosing the file until the block's filmstrip shows another image.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time

from playwright.sync_api import Page

from benchmarks._app import chromium, served, settle
from benchmarks._measure import ROOT, Row, save
from benchmarks.prediction import photos

NETWORK, BLOCK = "pretrained.mobilenet_v2", "block_3"
WARM = 3  # rounds that load what the others need
FILM = ".cnn-maps .film img"
CHANGED = "before => document.querySelector('.cnn-maps .film img')?.src !== before"


def in_process(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of the pass through all layers, and of drawing the blocks and the filmstrip."""
    from cnnkit.anatomy.layout import rows_of
    from cnnkit.figures.feature_maps import Frame, draw_blocks, draw_filmstrip
    from cnnkit.image_io import decode_image
    from cnnkit.networks import NetworkRef
    from cnnkit.predict import prepare
    from cnnkit.visualize.layer_activations import ActivationReader

    opened = NetworkRef.parse(NETWORK).open()
    reader = ActivationReader(opened.model, opened.card.input_shape)
    images = [prepare(decode_image(path.read_bytes()), reader.input_shape) for path in photos()]
    block = next(block for block in reader.blocks if block.names[0] == BLOCK)
    names = [reader.table.rows[number].name for number in rows_of(block.parts)]
    ends = [reader.table.rows[max(rows_of(one.parts))].name for one in reader.blocks[1:]]
    passes, drawings = [], []
    for i in range(WARM + rounds):
        began = time.perf_counter()
        activations = reader(images[i % len(images)])
        computed = time.perf_counter()
        for layers, draw in ((ends, lambda f: draw_blocks(f, 0)), (names, draw_filmstrip)):
            draw([Frame(title=n, detail="", values=activations[n]) for n in layers])
        passes.append(computed - began)
        drawings.append(time.perf_counter() - computed)
    return passes[WARM:], drawings[WARM:]


def on_the_page(rounds: int) -> list[float]:
    """Seconds from choosing a photo until its feature maps are in the browser."""
    times = []
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        environment = {"CNNKIT_HOME": home, "CNNKIT_WARM_WORKERS": "0"}
        with served(ROOT / "app.py", environment) as address:
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(f"{address}/inside?network={NETWORK}&from=upload&block={BLOCK}")
            page.wait_for_selector("h1", timeout=120_000)
            settle(page)
            for i in range(WARM + rounds):
                times.append(_upload(page, photos()[i % len(photos())]))
    return times[WARM:]


def _upload(page: Page, photo) -> float:
    film = page.locator(FILM).first
    before = film.get_attribute("src") if film.count() else ""
    began = time.perf_counter()
    page.locator('[data-testid="stFileUploader"] input[type="file"]').last.set_input_files(photo)
    page.wait_for_function(CHANGED, arg=before, timeout=120_000, polling="raf")
    page.wait_for_selector(FILM, timeout=120_000)
    seconds = time.perf_counter() - began
    settle(page)
    return seconds


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    passes, drawings = in_process(rounds)
    page = sorted(on_the_page(rounds))
    both = statistics.median(p + d for p, d in zip(passes, drawings, strict=True))
    rows = [
        Row(
            what="All feature maps of MobileNet V2 for one photo, warm: computed, and one block's "
            "maps and a map of every block drawn",
            ours=_words(both),
            peer="",
            ratio="",
            target="under 300 ms",
        ),
        Row(
            what="Page Inside, warm, from a photo chosen to its feature maps in Chromium",
            ours=_words(statistics.median(page)),
            peer="",
            ratio="",
            target="under 300 ms; here with upload and decoding",
        ),
    ]
    fast, slow = page[len(page) // 10], page[-1 - len(page) // 10]
    note = (
        f"{rounds} photos in turn. The pass through all layers took "
        f"{_words(statistics.median(passes))}, drawing {_words(statistics.median(drawings))}. On "
        f"the page a tenth of the times are below {_words(fast)}, a tenth above {_words(slow)}."
    )
    save(rows, [note])


def _words(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


if __name__ == "__main__":
    main()
