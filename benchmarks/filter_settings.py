"""What each setting is worth for the deep layers of VGG16, for docs/mosaics.md.

    python -m benchmarks.filter_settings

Rows that are there already are kept; `--again` measures them anew.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks._measure import machine
from benchmarks._mosaics_document import SETTINGS, read_results, save_image, save_results
from cnnkit.figures.rasters import mosaic
from cnnkit.networks import WITHOUT_TOP, NetworkRef
from cnnkit.visualize import channel, maximize, neuron, optimizers, parametrizations, presets
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.mosaics import MosaicSettings
from cnnkit.visualize.network import ActivationModel
from cnnkit.visualize.optimize import last_of
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.presets import Preset
from cnnkit.visualize.regularizers import gaussian_blur, total_variation

LAYER = "block5_conv3"
CHANNELS = 3
SIDE = 112  # pixels
BLUR = 1.0  # pixels, of the blur after which activations are measured again
WIDTH = 480  # pixels, of the image
OURS = presets.get("vgg_filters")


@dataclass(frozen=True)
class Candidate:
    """One way to optimize the images."""

    title: str
    preset: Preset
    side: int = SIDE
    target: Callable[..., Any] = channel


def _with_half_the_transforms(preset: Preset) -> Preset:
    fitted = replace(preset, penalties=None, made_for=2 * SIDE)
    return replace(preset, transforms=fitted.plan(channel("any", 0), size=(SIDE, SIDE)).transforms)


CANDIDATES: Mapping[str, Candidate] = {
    "vgg_filters": Candidate("the preset *Filters of VGG*", OURS),
    "no_variation": Candidate("no total variation", replace(OURS, penalties=None)),
    "more_variation": Candidate(
        "total variation six times as heavy", replace(OURS, penalties=-0.5 * total_variation(2))
    ),
    "decay": Candidate(
        "waves divided by their frequency, not by its power 1.25",
        replace(OURS, parametrization=parametrizations.fourier()),
    ),
    "transforms": Candidate("transforms half as large", _with_half_the_transforms(OURS)),
    "rate": Candidate(
        "learning rate .05 and β₂ .999, as lucid", replace(OURS, optimizer=optimizers.adam(0.05))
    ),
    "neuron": Candidate("center neuron instead of the whole channel", OURS, target=neuron),
    "larger": Candidate("160 pixels", OURS, side=160),
    "all": Candidate("the preset *Everything together*", presets.get("all")),
    "lucid": Candidate("the preset *lucid*", presets.get("lucid"), side=128),
}


def plan_of(candidate: Candidate, layer: str, units: tuple[int, ...]) -> Plan:
    """The plan that optimizes an image for each unit this way."""
    size = (candidate.side, candidate.side)
    return candidate.preset.plan(candidate.target(layer, units), images=len(units), size=size)


def measured(model: Any, candidate: Candidate, layer: str) -> tuple[dict[str, Any], np.ndarray]:
    """Figures of the finished images, and the images: uint8 (channels, side, side, 3)."""
    count = model.get_layer(layer).output.shape[-1]
    units = MosaicSettings().channels(count)[::5][:CHANNELS]
    plan = plan_of(candidate, layer, units)
    began = time.perf_counter()
    images = as_shown(last_of(maximize(model, plan)).images, plan)
    seconds = time.perf_counter() - began
    pixels = tf.constant(images, tf.float32)
    network = ActivationModel(model, (layer,), images.shape[1:3])

    def activation(images: Any) -> float:
        maps = np.asarray(network(images)[layer])
        return float(np.mean([maps[n, ..., unit].mean() for n, unit in enumerate(units)]))

    steps = [np.abs(np.diff(images.astype(np.float32), axis=axis)).mean() for axis in (1, 2)]
    figures = {
        "units": units,
        "side": candidate.side,
        "steps": plan.steps,
        "seconds": round(seconds, 1),
        "activation": round(activation(pixels), 1),
        "blurred": round(activation(gaussian_blur(pixels, tf.constant(BLUR))), 1),
        "variation": round(float(np.mean(steps)), 2),
    }
    return figures, images


def main() -> None:
    """Measure what lacks; the table is written after each row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true")
    found = {} if parser.parse_args().again else read_results().get(SETTINGS, {})
    rows = {row["name"]: row for row in found.get("rows", ())}
    model = NetworkRef(WITHOUT_TOP, "vgg16").open().model
    for name, candidate in CANDIDATES.items():
        if name in rows:
            continue
        figures, images = measured(model, candidate, LAYER)
        print(name, figures, flush=True)
        save_image(mosaic(images, columns=CHANNELS, width=WIDTH), f"filter-settings-{name}.jpg")
        rows[name] = {"name": name, "title": candidate.title, **figures}
        ordered = [rows[name] for name in CANDIDATES if name in rows]
        save_results(SETTINGS, {"layer": LAYER, "rows": ordered, "machine": "; ".join(machine())})


if __name__ == "__main__":
    main()
