"""Mosaics of filters that ship with cnnkit: VGG16's take most of an hour to compute.

Written by `python -m benchmarks.mosaics`: of each network a card and an image for each layer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from cnnkit.errors import CorruptPackageError
from cnnkit.visualize.mosaics import LayerMosaic, MosaicSettings

FOLDER = Path(__file__).resolve().parent / "mosaics"
COLUMNS = 4
QUALITY = 85  # of WebP
PHOTOS = "photos"  # instead of a layer: the images of the collection


@dataclass(frozen=True, kw_only=True, eq=False)
class ShippedMosaics:
    """Mosaics of one network, and what they were made with.

    Args:
        network: its registered name.
        weights: of `models.convolutions_digest`: of no other weights are they mosaics.
        settings: how they were made.
        layers: layer → its mosaic, from shallow to deep.
    """

    network: str
    weights: str
    settings: MosaicSettings
    layers: Mapping[str, LayerMosaic]


def shipped_mosaics(network: str) -> ShippedMosaics | None:
    """The mosaics of a network that ship; None: none do.

    Args:
        network: registered name, or any other.

    Raises:
        CorruptPackageError: a file is missing or damaged; names it.
    """
    return read_mosaics(network, FOLDER) if _card_path(FOLDER, network).exists() else None


@cache
def read_mosaics(network: str, folder: Path = FOLDER) -> ShippedMosaics:
    """The mosaics of a network that are in a folder.

    Raises:
        CorruptPackageError: a file is missing or damaged; names it.
    """
    card = read_card(network, folder)
    collection = card["collection"]
    photos = _read(_image_path(folder, network, PHOTOS), len(collection["names"]))
    layers = {}
    for one in card["layers"]:
        places = np.array(one["places"], np.int64)
        shown, places_shown = np.unique(places, return_inverse=True)
        layers[one["layer"]] = LayerMosaic(
            layer=one["layer"],
            shape=tuple(one["shape"]),
            field=tuple(one["field"]),
            units=tuple(one["units"]),
            images=_read(_image_path(folder, network, one["layer"]), len(one["units"])),
            collection=collection["title"],
            names=tuple(collection["names"][place] for place in shown),
            shown=photos[shown],
            places=places_shown.reshape(places.shape),
            values=np.array(one["values"], np.float32),
        )
    settings = MosaicSettings.from_dict(card["settings"])
    return ShippedMosaics(
        network=network, weights=card["weights"], settings=settings, layers=layers
    )


def read_card(network: str, folder: Path = FOLDER) -> dict:
    """What was written of a network: plain values.

    Args:
        network: registered name.
        folder: where the files are.

    Raises:
        CorruptPackageError: the file is missing or damaged.
    """
    path = _card_path(folder, network)
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptPackageError(path, f"cannot be read ({error})") from error


def write_card(network: str, card: Mapping, folder: Path = FOLDER) -> None:
    """Write what a network's images are.

    Args:
        network: registered name.
        card: "weights", "settings", "collection" and "layers"; see `ShippedMosaics`.
        folder: where the files are.
    """
    folder.mkdir(exist_ok=True)
    _card_path(folder, network).write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def write_images(network: str, layer: str, images: np.ndarray, folder: Path = FOLDER) -> None:
    """Write a layer's images, or the photos of the collection, as one WebP file.

    Args:
        network: registered name.
        layer: its name, or `PHOTOS`.
        images: uint8 (images, side, side, 3).
        folder: where the files are.
    """
    folder.mkdir(exist_ok=True)
    count, side = images.shape[:2]
    rows = -(-count // COLUMNS)
    padded = np.zeros((rows * COLUMNS, side, side, 3), np.uint8)
    padded[:count] = images
    grid = padded.reshape(rows, COLUMNS, side, side, 3).transpose(0, 2, 1, 3, 4)
    path = _image_path(folder, network, layer)
    image = Image.fromarray(np.ascontiguousarray(grid).reshape(rows * side, COLUMNS * side, 3))
    image.save(path, quality=QUALITY, method=6)


def _read(path: Path, count: int) -> np.ndarray:
    """The first images of a grid: uint8 (count, side, side, 3)."""
    try:
        with Image.open(path) as file:
            grid = np.asarray(file.convert("RGB"))
    except OSError as error:
        raise CorruptPackageError(path, f"cannot be read ({error})") from error
    side = grid.shape[1] // COLUMNS
    tiles = grid.reshape(-1, side, COLUMNS, side, 3).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(-1, side, side, 3)[:count]


def _card_path(folder: Path, network: str) -> Path:
    return folder / f"{network}.json"


def _image_path(folder: Path, network: str, layer: str) -> Path:
    return folder / f"{network}-{layer}.webp"
