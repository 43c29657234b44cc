"""Which images of a data set are embedded, and how small they are shown."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cnnkit.datasets import Dataset, load_dataset
from cnnkit.embedding.settings import ALL, EmbeddingSettings

THUMBNAIL = 48  # pixels a side, at most


@dataclass(frozen=True, eq=False)
class Sample:
    """Images of a data set."""

    dataset: Dataset
    rows: np.ndarray  # int64, among all images of the data set, ascending

    @property
    def labels(self) -> np.ndarray:
        """True class of each: int64."""
        return self.dataset.labels[self.rows]

    @property
    def names(self) -> tuple[str, ...]:
        """File of each; none where the data set comes from no files."""
        names = self.dataset.names
        return tuple(names[row] for row in self.rows) if names else ()


def load_sample(settings: EmbeddingSettings) -> Sample:
    """Read the data set and draw the images.

    Raises:
        UnknownDatasetError, AssetUnavailableError, CorruptAssetError, StorageError
    """
    return draw_sample(load_dataset(settings.dataset, split_seed=settings.split_seed), settings)


def draw_sample(dataset: Dataset, settings: EmbeddingSettings) -> Sample:
    """The images of a data set that the settings choose; fewer are always among more."""
    every = settings.split == ALL
    rows = np.arange(len(dataset.labels)) if every else np.sort(dataset.indices(settings.split))
    order = np.random.default_rng(settings.seed).permutation(len(rows))
    return Sample(dataset, np.sort(rows[order[: settings.count]]))


def pack_thumbnails(images: np.ndarray) -> bytes:
    """Many images as one: a file of small squares, row by row, for browsers.

    Args:
        images: uint8 (images, height, width, 1 or 3).

    Returns:
        PNG where images are small enough to be shown pixel by pixel, else WebP.
    """
    side = min(THUMBNAIL, images.shape[1])
    columns = thumbnail_columns(len(images))
    mode = "L" if images.shape[-1] == 1 else "RGB"
    rows = -(-len(images) // columns)
    canvas = Image.new(mode, (columns * side, rows * side))
    for number, image in enumerate(images):
        tile = Image.fromarray(image[..., 0] if mode == "L" else image)
        if tile.size != (side, side):
            tile = tile.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0)
        canvas.paste(tile, (number % columns * side, number // columns * side))
    stream = io.BytesIO()
    if images.shape[1] <= THUMBNAIL:
        canvas.save(stream, "PNG")
    else:
        canvas.save(stream, "WEBP", quality=85)
    return stream.getvalue()


def unpack_thumbnails(packed: bytes, count: int) -> np.ndarray:
    """The inverse of `pack_thumbnails`: uint8 (images, side, side, 1 or 3)."""
    with Image.open(io.BytesIO(packed)) as image:
        pixels = np.asarray(image)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    columns = thumbnail_columns(count)
    side, channels = pixels.shape[1] // columns, pixels.shape[2]
    tiles = pixels.reshape(-1, side, columns, side, channels).swapaxes(1, 2)
    return tiles.reshape(-1, side, side, channels)[:count]


def thumbnail_columns(count: int) -> int:
    """How many thumbnails stand in a row of a file with so many."""
    return math.ceil(math.sqrt(count))
