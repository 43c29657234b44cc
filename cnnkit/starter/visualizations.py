"""Finished images of the starter, which Ladder, Layers and DeepDream show before the first start.

Written by `python -m cnnkit.starter.visualizations`, in about a minute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parent / "visualizations.npz"
DIGIT = 7  # class of the ladder
FILTERS = 16  # of a layer
DREAM_SIDE, DREAM_STEPS = 112, 8  # pixels, and steps per octave


@dataclass(frozen=True, eq=False)
class StarterVisualizations:
    """Images of the starter network.

    Args:
        ladder: title of a configuration → uint8 (height, width, 1), maximizing `DIGIT`.
        values: title of a configuration → its final figures, as text.
        layers: layer → uint8 (filters, height, width, 1).
        before: uint8 (height, width, 1), the image that the dream began with.
        after: uint8, the same after the dream.
    """

    ladder: Mapping[str, np.ndarray]
    values: Mapping[str, str]
    layers: Mapping[str, np.ndarray]
    before: np.ndarray
    after: np.ndarray


def load_visualizations(path: Path = FILE) -> StarterVisualizations:
    """Read the images that ship."""
    with np.load(path, allow_pickle=False) as file:
        card = json.loads(str(file["card"]))
        return StarterVisualizations(
            ladder=dict(zip(card["ladder"], file["ladder"], strict=True)),
            values=dict(zip(card["ladder"], card["values"], strict=True)),
            layers={layer: file[f"layer_{n}"] for n, layer in enumerate(card["layers"])},
            before=file["before"],
            after=file["after"],
        )


def main() -> None:
    """Make the images and write the file."""
    from cnnkit.networks import NetworkRef

    predictor = NetworkRef("run", "starter").open()
    ladder, values = _ladder(predictor.model)
    layers = _layers(predictor)
    before, after = _dream(predictor.model, list(layers))
    card = {"ladder": list(ladder), "values": values, "layers": list(layers)}
    np.savez_compressed(
        FILE,
        allow_pickle=False,
        card=json.dumps(card),
        ladder=np.stack(list(ladder.values())),
        before=before,
        after=after,
        **{f"layer_{n}": images for n, images in enumerate(layers.values())},
    )
    print(f"{FILE.stat().st_size / 1000:.0f} kB written to {FILE}.")


def _ladder(model) -> tuple[dict[str, np.ndarray], list[str]]:
    from cnnkit.visualize import class_logit, maximize
    from cnnkit.visualize.fooling import as_shown
    from cnnkit.visualize.presets import completed, regularizer_ladder

    images, values = {}, []
    for preset in regularizer_ladder():
        plan = completed(preset.plan(class_logit(DIGIT), size=(28, 28)))
        *_, last = maximize(model, plan)
        images[preset.title] = as_shown(last.images, plan)[0]
        name, value = next(iter(last.values.items()))
        values.append(f"{name.partition('(')[0].replace('_', ' ')} {float(np.mean(value)):.3g}")
        print(preset.title, flush=True)
    return images, values


def _layers(predictor) -> dict[str, np.ndarray]:
    from cnnkit.visualize import target_layers
    from cnnkit.visualize.mosaics import MosaicBuilder, MosaicSettings

    names = [layer.name for layer in target_layers(predictor.model, (28, 28))]
    names = [name for name in names if "conv" in name]
    builder = MosaicBuilder(predictor, MosaicSettings(units=FILTERS), names, None)
    return {name: builder.finished(name).images for name in names}


def _dream(model, layers: list[str]) -> tuple[np.ndarray, np.ndarray]:
    from cnnkit.image_io import decode_image, resized
    from cnnkit.predict import example_photos
    from cnnkit.visualize.deepdream import dream
    from cnnkit.visualize.deepdream_presets import Dream
    from cnnkit.visualize.fooling import to_8bit

    data = example_photos(None)["china"].read_bytes()
    before = resized(decode_image(data, channels=1), DREAM_SIDE)
    how = Dream(layers={layers[-1]: 1.0}, octaves=3, steps=DREAM_STEPS)
    *_, last = dream(model, before.astype(np.float32), how)
    return before, to_8bit(last.image)


if __name__ == "__main__":
    main()
