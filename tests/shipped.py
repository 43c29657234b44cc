"""Small weight files and mosaics, as they ship."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from cnnkit.published import mosaics
from cnnkit.visualize.mosaics import default_settings

BLOCKS = (2, 2, 3, 3, 3)
VGG16 = [
    f"block{block}_conv{number}"
    for block, count in enumerate(BLOCKS, start=1)
    for number in range(1, count + 1)
]


def write_weights(path, *, dense=(), named="kernel:0", change=0.0):
    """A weight file as `keras.applications` writes it, of two small convolutions."""
    draw = np.random.default_rng(0)
    layers = {"input": (), "conv1": (3, 3, 3, 4), "conv2": (3, 3, 4, 5), "pool": ()}
    layers |= dict(dense)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, shape in layers.items():
            group = file.create_group(name)
            names = [f"{name}/{named}", f"{name}/bias:0"] if shape else []
            group.attrs["weight_names"] = [one.encode() for one in names]
            if shape:
                kernel = draw.normal(size=shape).astype(np.float32)
                kernel.flat[-1] += change
                group[names[0]], group[names[1]] = kernel, np.zeros(shape[-1], np.float32)
    return path


def write_mosaics(
    folder: Path, network: str, layers: Mapping[str, np.ndarray], *, weights: str = "none"
) -> None:
    """Put mosaics into a folder; every filter's top activating image is the second of two.

    Args:
        folder: where the package's would be.
        network: registered name.
        layers: layer → uint8 (filters, side, side, 3).
        weights: digest of the weights they were made with.
    """
    rows = []
    for layer, images in layers.items():
        count = len(images)
        mosaics.write_images(network, layer, images, folder)
        rows.append(
            {
                "layer": layer,
                "shape": [8, 8, count],
                "field": [3, 3],
                "units": list(range(count)),
                "places": [[1]] * count,
                "values": [[2.0]] * count,
            }
        )
    mosaics.write_images(network, mosaics.PHOTOS, np.zeros((2, 8, 8, 3), np.uint8), folder)
    card = {
        "weights": weights,
        "settings": default_settings(network).to_dict(),
        "collection": {"title": "photos", "names": ["cat", "dog"]},
        "layers": rows,
    }
    mosaics.write_card(network, card, folder)
