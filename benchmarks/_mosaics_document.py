"""docs/mosaics.md, from what the commands measured: docs/mosaics.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from benchmarks._measure import ROOT
from cnnkit.visualize import presets

RESULTS = ROOT / "docs" / "mosaics.json"
DOCUMENT = ROOT / "docs" / "mosaics.md"
IMAGES = ROOT / "docs" / "images"
QUALITY = 85  # of JPEG
SETTINGS, REGULARIZERS = "filter_settings", "filter_regularizers"  # beside networks
TITLES = {"vgg16": "VGG16", "googlenet": "GoogLeNet"}


def read_results() -> dict[str, Any]:
    """What was measured: network or comparison → its values."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}


def save_results(name: str, values: Mapping[str, Any]) -> None:
    """Replace one part of the results, and write the document."""
    known = read_results() | {name: values}
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    DOCUMENT.write_text(document(read_results()), "utf-8")


def save_image(grid: np.ndarray, name: str) -> None:
    """Write an image of the documents, on white.

    Args:
        grid: uint8 (height, width, 4).
        name: of the file.
    """
    white = Image.new("RGB", grid.shape[1::-1], "white")
    white.paste(Image.fromarray(grid), mask=Image.fromarray(grid[..., 3]))
    white.save(IMAGES / name, quality=QUALITY)


def document(results: Mapping[str, Any]) -> str:
    """The file as it is committed."""
    lines = [
        "# Feature visualization of channels",
        "",
        "Written by `python -m benchmarks.mosaics`. Sixteen channels of each layer, drawn at",
        "random with seed 0, each an image that was optimized from noise. Images are as large as",
        "the receptive field of their layer asks for. The weights are the published ones.",
    ]
    for name in (name for name in TITLES if name in results):
        lines += ["", *_mosaics(name, results[name])]
    if SETTINGS in results:
        lines += ["", *_settings(results[SETTINGS])]
    if REGULARIZERS in results:
        lines += ["", *_regularizers(results[REGULARIZERS])]
    return "\n".join(lines).rstrip() + "\n"


def _mosaics(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    settings = found["settings"]
    title = presets.get(settings["preset"]).title
    yield f"## {TITLES[name]}"
    yield f"\nThe preset *{title}* in {settings['steps']} steps. {found['machine']}."
    for row in found["layers"]:
        layer, units = row["layer"], ", ".join(map(str, row["units"]))
        yield f"\n**{layer}**, {row['side']} pixels, {row['seconds']:.0f} s: channels {units}"
        yield (f"\n![Images of sixteen channels of {layer}](images/filters-{name}-{layer}.jpg)")


def _settings(found: Mapping[str, Any]) -> Iterator[str]:
    units = ", ".join(map(str, found["rows"][0]["units"]))
    yield "## Which settings show the deep layers of VGG16"
    yield (
        f"\nWritten by `python -m benchmarks.filter_settings`. Channels {units} of "
        f"{found['layer']}, the deepest convolution. Lines between the first and the last two "
        "differ from the first in one thing. Activation is the mean of the channel's map on the "
        "finished image, before and after a Gaussian blur of one pixel: what is lost lay in single "
        "pixels. Variation is the mean difference of neighboring pixels, in gray levels."
    )
    yield "\n| settings | pixels | steps | activation | after blur | left | variation |"
    yield f"| --- |{' --- |' * 6}"
    for row in found["rows"]:
        yield _cells(
            row["title"],
            row["side"],
            row["steps"],
            f"{row['activation']:,.0f}",
            f"{row['blurred']:,.0f}",
            f"{100 * row['blurred'] / row['activation']:.0f} %",
            f"{row['variation']:.0f}",
        )
    for row in found["rows"]:
        title = row["title"]
        yield f"\n{title[0].upper()}{title[1:]}:"
        yield f"\n![Three channels, {title}](images/filter-settings-{row['name']}.jpg)"
    yield f"\n{found['machine']}."


def _regularizers(found: Mapping[str, Any]) -> Iterator[str]:
    names = found["treatments"]
    yield "## The post's four treatments"
    yield (
        "\nWritten by `python -m benchmarks.filter_regularizers`. One channel of a layer in each "
        f"block, from the same noise, {found['side']} pixels, {found['steps']} steps of the post's "
        f"optimizer; from left to right: {', '.join(names)}."
    )
    yield "\n![One channel of each block with four treatments](images/filter-regularizers.jpg)"
    yield f"\n| channel | {' | '.join(f'{name}: activation, variation' for name in names)} |"
    yield f"| --- |{' --- |' * len(names)}"
    for row in found["rows"]:
        pairs = zip(row["activations"], row["variations"], strict=True)
        yield _cells(
            f"{row['layer']} {row['unit']}", *(f"{one:,.0f}, {other:.1f}" for one, other in pairs)
        )
    yield f"\n{found['machine']}."


def _cells(*values: object) -> str:
    return f"| {' | '.join(map(str, values))} |"
