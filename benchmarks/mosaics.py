"""Feature visualization mosaics of sixteen channels a layer, for docs/mosaics.md.

    python -m benchmarks.mosaics vgg16 googlenet

Of VGG16 the kernels of its first seven convolutions are enough, as arrays
`block1_conv1|kernel`, `block1_conv1|bias`, … of `weights/vgg16_block1-3.npz` in the
operator's data folder: nothing above them is computed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from keras import Model
from PIL import Image

from benchmarks._measure import ROOT, machine
from cnnkit.figures.rasters import mosaic
from cnnkit.models import ModelCache, Predictor, open_pretrained
from cnnkit.networks import NetworkRef
from cnnkit.settings import get_settings
from cnnkit.visualize import presets
from cnnkit.visualize.mosaics import MosaicBuilder, MosaicSettings

LAYERS = {
    "vgg16": (
        *("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"),
        *("block3_conv1", "block3_conv2", "block3_conv3"),
    ),
    "googlenet": tuple(f"inception_{place}" for place in "3a 3b 4a 4b 4c 4d 4e 5a 5b".split()),
}
TITLES = {"vgg16": "VGG16, block1 to block3", "googlenet": "GoogLeNet, inception 3a to 5b"}
PRESET = presets.get("all")
RESULTS = ROOT / "docs" / "mosaics.json"
DOCUMENT = ROOT / "docs" / "mosaics.md"
WIDTH = 480  # pixels, of a mosaic
QUALITY = 88  # of JPEG


@dataclass(frozen=True)
class MosaicRow:
    """One layer of the document."""

    layer: str
    units: tuple[int, ...]
    side: int  # pixels of each image
    seconds: float


def opened(name: str) -> Predictor:
    """The network with all the weights that its layers here need."""
    if name != "vgg16":
        return open_pretrained(name)
    found = NetworkRef("built", name).open(ModelCache(get_settings().model_memory))
    give_kernels(found.model)
    return found


def give_kernels(model: Model) -> None:
    """The published kernels and biases of the first seven convolutions."""
    with np.load(get_settings().data_dir / "weights" / "vgg16_block1-3.npz") as arrays:
        for layer in LAYERS["vgg16"]:
            model.get_layer(layer).set_weights([arrays[f"{layer}|{x}"] for x in ("kernel", "bias")])


def draw(name: str) -> Iterator[MosaicRow]:
    """Write the mosaics of a network, one after the other."""
    settings = MosaicSettings(preset=PRESET.name, steps=PRESET.steps)
    builder = MosaicBuilder(opened(name), settings, LAYERS[name], None)
    for layer in LAYERS[name]:
        began = time.perf_counter()
        result = builder.finished(layer)
        seconds = time.perf_counter() - began
        grid = mosaic(result.images, columns=4, width=WIDTH)
        white = Image.new("RGB", grid.shape[1::-1], "white")
        white.paste(Image.fromarray(grid), mask=Image.fromarray(grid[..., 3]))
        path = ROOT / "docs" / "images" / f"filters-{name}-{layer}.jpg"
        white.save(path, quality=QUALITY)
        print(f"  {layer}: {seconds:.0f} s", flush=True)
        yield MosaicRow(layer, result.units, result.images.shape[1], round(seconds, 1))


def document(results: dict[str, dict]) -> str:
    """The file as it is committed."""
    lines = [
        "# Feature visualization of channels",
        "",
        "Written by `python -m benchmarks.mosaics`. Sixteen channels of each layer, at random,",
        f"an image optimized from noise with the preset *{PRESET.title}* in {PRESET.steps} steps.",
        "Images are as large as the receptive field of their layer asks for. VGG16 has its",
        "published weights in these layers.",
    ]
    for name, found in results.items():
        lines += ["", f"## {TITLES[name]}", "", f"{found['machine']}.", ""]
        for sheet in found["sheets"]:
            layer, units = sheet["layer"], ", ".join(map(str, sheet["units"]))
            lines += [
                f"**{layer}**, {sheet['side']} pixels, {sheet['seconds']:.0f} s: channels {units}",
                "",
                f"![Images of sixteen channels of {layer}](images/filters-{name}-{layer}.jpg)",
                "",
            ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Draw the networks that are named, and write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", choices=[[], *LAYERS], default=[])
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for name in parser.parse_args().networks or LAYERS:
        print(name, flush=True)
        known[name] = {"machine": "; ".join(machine()), "sheets": []}
        for sheet in draw(name):  # written after each: a run that is cut short is not lost
            known[name]["sheets"].append(asdict(sheet))
            RESULTS.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
            DOCUMENT.write_text(document(known), "utf-8")


if __name__ == "__main__":
    main()
