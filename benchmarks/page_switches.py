"""Page switches of one visitor, alone and beside others: `python -m benchmarks page_switches`.

One visitor goes from page to page over Streamlit's websocket (`benchmarks._visitor`). Beside that,
others open a network file of 500 layers, have a TIFF of 20 MB read, let an image dream, or ask for
Score-CAM, ten at once. Timed is each switch, from the request until the page's script has run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._app import served
from benchmarks._children import end_children
from benchmarks._measure import ROOT, Row, save
from benchmarks._visitor import VisitError, Visitor
from cnnkit.predict import FITS, example_photos
from cnnkit.settings import get_settings

PAGES = ("concepts", "draw", "runs", "architectures", "visualize", "predict", "")
SWITCHES = 42
TARGET = 1.0  # second, the 95th percentile
LAYERS = 500
VISITORS = 10  # who ask for Score-CAM
DREAM = {"from": "example", "example": "china", "side": "600"}


def deep_network() -> bytes:
    """A `.keras` file of 500 layers that takes images of 32 by 32 pixels."""
    import keras

    layers = [keras.layers.Input((32, 32, 3))]
    layers += [keras.layers.Conv2D(4, 3, padding="same") for _ in range(LAYERS - 3)]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
    output = layers[0]
    for layer in layers[1:]:
        output = layer(output)  # a Sequential would be built anew at each layer
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep.keras"
        keras.Model(layers[0], output).save(path)
        return path.read_bytes()


def large_tiff() -> bytes:
    """An image of noise without compression, 20 MB."""
    pixels = np.random.default_rng(0).integers(0, 256, (2200, 3000, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "TIFF")
    return stream.getvalue()


async def switch(visitor: Visitor, count: int) -> list[float]:
    """So many page switches, one after the other."""
    seconds = []
    for number in range(count):
        seconds.append(await visitor.open(PAGES[number % len(PAGES)]))
        await asyncio.sleep(0.2)
    return seconds


Doing = Callable[[str], Awaitable[object]]  # what somebody else does, at an address


async def open_network(address: str, file: bytes) -> None:
    """Drop a network file on Predict."""
    async with Visitor(address) as visitor:
        await visitor.open("predict")
        await visitor.upload("A network that takes images", "deep.keras", file)


async def read_tiff(address: str, file: bytes) -> None:
    """Drop an image on Predict."""
    async with Visitor(address) as visitor:
        await visitor.open("predict", **{"from": "upload", "networks": "run.starter"})
        await visitor.upload("Drop images here", "large.tiff", file)


async def dream(address: str) -> None:
    """Start a dream, and watch it."""
    async with Visitor(address) as visitor:
        await visitor.open("deepdream", network="pretrained.googlenet", **DREAM)
        await visitor.wait_for("button", lambda button: button.label == "Dream")
        await visitor.click("Dream")
        await asyncio.sleep(20)


async def ask_for_maps(address: str) -> None:
    """Ten ask for Score-CAM, each of another image or part of one, and wait."""
    photos, fits = list(example_photos(get_settings().data_dir)), list(FITS)

    async def ask(number: int) -> None:
        query = {"networks": "pretrained.mobilenet_v2", "methods": "score_cam", "from": "example"}
        query |= {"example": photos[number % len(photos)]}
        query |= {"fit": fits[number // len(photos) % len(fits)]}
        async with Visitor(address) as visitor:
            await visitor.open("explain", **query)
            await asyncio.sleep(20)

    await asyncio.gather(*map(ask, range(VISITORS)))


@contextlib.asynccontextmanager
async def beside(doing: Doing | None, address: str) -> AsyncIterator[list[int]]:
    """Have others do something again and again while the block runs; how often it was done."""
    done: list[int] = [0]

    async def repeat() -> None:
        while doing:
            try:
                await doing(address)
            except (VisitError, OSError) as error:
                print(f"  beside: {error}", file=sys.stderr)
                await asyncio.sleep(1)
            done[0] += 1

    task = asyncio.create_task(repeat())
    await asyncio.sleep(2 if doing else 0)
    yield done
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def compare(address: str, doings: dict[str, Doing | None], count: int) -> dict[str, tuple]:
    """Page switches beside each, after visits that import what pages need."""
    results = {}
    async with Visitor(address) as visitor:
        await switch(visitor, 2 * len(PAGES))
        for what, doing in doings.items():
            async with beside(doing, address) as done:
                results[what] = await switch(visitor, count), done[0]
            print(f"  {what}: {np.percentile(results[what][0], 95):.2f} s", file=sys.stderr)
    return results


def main() -> None:
    """Alone, then beside each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=SWITCHES)
    count = parser.parse_args().switches
    network, tiff = deep_network(), large_tiff()
    doings: dict[str, Doing | None] = {
        "alone": None,
        f"a network file of {LAYERS} layers is opened": lambda at: open_network(at, network),
        f"a TIFF of {len(tiff) / 1e6:.0f} MB is read": lambda at: read_tiff(at, tiff),
        "another visitor's image dreams": dream,
        f"{VISITORS} visitors wait for Score-CAM": ask_for_maps,
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {"CNNKIT_HOME": home, "CNNKIT_WARM_WORKERS": "0"}
        try:
            with served(ROOT / "app.py", environment) as address:
                results = asyncio.run(compare(address, doings, count))
        finally:
            end_children(home)
    alone = float(np.percentile(results.pop("alone")[0], 95))
    rows = []
    for what, (seconds, _) in results.items():
        p95 = float(np.percentile(seconds, 95))
        rows.append(
            Row(
                what=f"Page switch while {what}, p95",
                ours=f"{p95:.2f} s",
                peer=f"alone {alone:.2f} s",
                ratio=f"{p95 / alone:.2f}",
                target=f"under {TARGET:g} s: {'reached' if p95 < TARGET else 'not reached'}",
            )
        )
    often = "; ".join(f"{what}: {done} times to its end" for what, (_, done) in results.items())
    notes = [f"{count} switches among {', '.join(p or 'home' for p in PAGES)}. {often}."]
    save(rows, notes)


if __name__ == "__main__":
    main()
