"""The top activating images of each unit of a layer, among a collection.

An optimized image shows a unit's preference without limits; these show it among real images.

Reference:
    Zeiler, Fergus 2013, "Visualizing and Understanding Convolutional Networks".
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.datasets import dataset_info, list_datasets, load_dataset
from cnnkit.errors import InvalidImageError
from cnnkit.image_io import decode_image
from cnnkit.predict import example_photos, prepare

if TYPE_CHECKING:
    Tensor = Any

TOP = 9  # images for each unit
MOST = 2_000  # images of a collection
BATCH = 16  # images that are asked about together
SUMMARIES = ("max", "mean")
PARTS = 3  # squares of a photo, in each direction
THUMBNAIL = 112  # pixels a side, at most


@dataclass(frozen=True, eq=False)
class Collection:
    """Images that a network can be shown."""

    title: str  # what and how many, for people
    images: np.ndarray  # uint8 (images, height, width, channels), 0 to 255
    names: tuple[str, ...]  # what is on each

    @property
    def batches(self) -> int:
        """How many times the network is asked."""
        return -(-len(self.images) // BATCH)


@dataclass(frozen=True, eq=False)
class TopActivations:
    """The top activating images of each unit, the largest activation first."""

    places: np.ndarray  # int64 (units, most), in the collection
    values: np.ndarray  # float32 (units, most)


def collection_for(
    input_shape: Sequence[int], dataset: str = "", data_dir: Path | None = None
) -> Collection | None:
    """Images on this machine that fit a network; None: there are none.

    Args:
        input_shape: (height, width, channels) of the network.
        dataset: that it was trained on; preferred where it fits and is here.
        data_dir: the operator's folder, for its photos.
    """
    height, width, channels = input_shape
    shape = height, width, channels
    specs = [dataset_info(name) for name in list_datasets()]
    fitting = [spec.name for spec in specs if spec.available and spec.input_shape == shape]
    if fitting:
        return _digits(dataset if dataset in fitting else fitting[0])
    return _photos(shape, data_dir) if shape[-1] == 3 else None


def find_top_activations(
    model: Any,
    layer: str,
    units: Sequence[int],
    images: np.ndarray,
    *,
    by: str = "max",
    top: int = TOP,
) -> Generator[int, None, TopActivations]:
    """Find the images with the largest activation of each unit of a layer.

    Args:
        model: Keras network, see `network.ActivationModel`.
        layer: of `network.target_layers`.
        units: filters.
        images: uint8 (images, height, width, channels), 0 to 255.
        by: what counts of a filter's map: its "max" or its "mean".
        top: how many images for each unit.

    Yields:
        Batches done.

    Returns:
        The best of each unit, no more than there are images.
    """
    from cnnkit.visualize.network import ActivationModel

    if by not in SUMMARIES:
        raise ValueError(f"`by` must be one of {', '.join(SUMMARIES)}. Received: {by!r}.")
    network = ActivationModel(model, (layer,), images.shape[1:3])
    measure = tf.function(lambda batch: _summary(network(batch)[layer], units, by), autograph=False)
    values = []
    for done, start in enumerate(range(0, len(images), BATCH), start=1):
        batch = images[start : start + BATCH].astype(np.float32)
        # One size, so that it is compiled once.
        full = np.pad(batch, [(0, BATCH - len(batch)), (0, 0), (0, 0), (0, 0)])
        values.append(measure(tf.constant(full)).numpy()[: len(batch)])
        yield done
    return _best(np.concatenate(values), top)


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Images as small as they are shown: uint8 (images, height, width, channels)."""
    height, width, channels = images.shape[1:]
    if max(height, width) <= THUMBNAIL:
        return images
    share = THUMBNAIL / max(height, width)
    small = (round(height * share), round(width * share), channels)
    return np.stack([prepare(image, small, "stretch") for image in images])


def _summary(activations: Tensor, units: Sequence[int], by: str) -> Tensor:
    """One number for each image and unit: (images, units)."""
    chosen = tf.gather(activations, list(units), axis=-1)
    places = tuple(range(1, len(chosen.shape) - 1))
    if not places:  # plain units have no map
        return chosen
    return tf.reduce_max(chosen, places) if by == "max" else tf.reduce_mean(chosen, places)


def _best(values: np.ndarray, top: int) -> TopActivations:
    """The largest of each column, of equals the first."""
    order = np.argsort(-values, axis=0, kind="stable")[:top].T
    return TopActivations(order, np.take_along_axis(values.T, order, axis=1))


def _digits(name: str) -> Collection:
    dataset = load_dataset(name)
    images, labels = dataset.part("test")
    names = tuple(dataset.class_names[label] for label in labels[:MOST])
    return Collection(f"{len(names):,} test images of {dataset.title}", images[:MOST], names)


def _photos(shape: tuple[int, int, int], data_dir: Path | None) -> Collection | None:
    """Example photos, each whole and in overlapping squares: a few photos, many sights."""
    squares: list[tuple[str, np.ndarray]] = []
    for name, path in example_photos(data_dir).items():
        try:
            photo = decode_image(path.read_bytes(), longest_side=1024)
        except InvalidImageError:  # one damaged photo is no reason to show none
            continue
        squares += [(name, prepare(part, shape)) for part in (photo, *_squares(photo))]
    if not squares:
        return None
    names, images = zip(*squares[:MOST], strict=True)
    return Collection(f"{len(names):,} squares of the example photos", np.stack(images), names)


def _squares(photo: np.ndarray) -> list[np.ndarray]:
    """Squares of half the photo's shorter side, spread evenly."""
    height, width = photo.shape[:2]
    side = min(height, width) // 2
    tops = np.linspace(0, height - side, PARTS).round().astype(int)
    lefts = np.linspace(0, width - side, PARTS).round().astype(int)
    return [photo[top : top + side, left : left + side] for top in tops for left in lefts]
