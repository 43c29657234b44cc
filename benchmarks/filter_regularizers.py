"""The post's four treatments of one channel in each block of VGG16, for docs/mosaics.md.

    python -m benchmarks.filter_regularizers

Linear, with the Lp norm, with total variation, with both: the post's weights and optimizer, in
fewer steps and pixels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks._measure import machine
from benchmarks._mosaics_document import REGULARIZERS, save_image, save_results
from cnnkit.figures.rasters import mosaic
from cnnkit.networks import WITHOUT_TOP, NetworkRef
from cnnkit.visualize import channel, presets
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.optimize import Maximization
from cnnkit.visualize.presets import Preset
from cnnkit.visualize.regularizers import total_variation
from cnnkit.visualize.step import CompiledSteps

CHANNELS = {
    "block1_conv2": 30,
    "block2_conv2": 30,
    "block3_conv1": 30,  # the post's own example
    "block4_conv2": 30,
    "block5_conv2": 30,
}
STEPS, SIDE = 100, 112  # of the post: 1000, 224
LINEAR = presets.get("post_linear")
TREATMENTS = {
    "linear": LINEAR,
    "Lp norm": presets.get("post_lp"),
    "TV": replace(LINEAR, penalties=-10 * total_variation(2)),
    "both": presets.get("post_total_variation"),
}
WIDTH = 640  # pixels, of the image


def treated(
    model: Any, layer: str, unit: int, preset: Preset, *, side: int = SIDE, steps: int = STEPS
) -> tuple[np.ndarray, float, float]:
    """One channel's image, its activation and its variation.

    Returns:
        uint8 (side, side, channels); the channel's mean at the last step; the mean difference of
        neighboring pixels in gray levels.
    """
    plan = preset.plan(channel(layer, unit), size=(side, side), steps=steps)
    running = Maximization(CompiledSteps(model, cached=1), plan)
    for _ in range(steps):
        step = running.step()
    raw = step.images[0].astype(np.float32)
    variation = np.mean([np.abs(np.diff(raw, axis=axis)).mean() for axis in (0, 1)])
    activation = next(iter(step.values.values()))[0]
    return as_shown(step.images, plan)[0], float(activation), float(variation)


def main() -> None:
    """Make the image and the table."""
    model = NetworkRef(WITHOUT_TOP, "vgg16").open().model
    images, rows = [], []
    for layer, unit in CHANNELS.items():
        found = [treated(model, layer, unit, preset) for preset in TREATMENTS.values()]
        images += [image for image, _, _ in found]
        activations = [round(activation, 1) for _, activation, _ in found]
        variations = [round(variation, 2) for _, _, variation in found]
        rows.append(
            {"layer": layer, "unit": unit, "activations": activations, "variations": variations}
        )
        print(layer, activations, flush=True)
    grid = mosaic(np.stack(images), columns=len(TREATMENTS), width=WIDTH)
    save_image(grid, "filter-regularizers.jpg")
    values = {"treatments": list(TREATMENTS), "side": SIDE, "steps": STEPS, "rows": rows}
    save_results(REGULARIZERS, values | {"machine": "; ".join(machine())})


if __name__ == "__main__":
    main()
