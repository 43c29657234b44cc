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
SMALL, MOST_LARGE = 64 * 64, 300  # pixels of an image; images that are larger
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
    # int64 (units, most, 2), row and column of the largest value in the map of each image; None
    # where the layer has no maps, or their means count.
    positions: np.ndarray | None = None

    @property
    def dead(self) -> np.ndarray:
        """Units that no image activates: bool (units,), never above zero; of maxima alone."""
        return self.values[:, 0] <= 0


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


def collection_of_dataset(input_shape: Sequence[int], name: str) -> Collection:
    """Test images of a data set, resized to what a network takes as its training resized them.

    Args:
        input_shape: (height, width, channels) of the network.
        name: of a data set on this machine.

    Raises:
        CnnkitError: it cannot be read; says why.
    """
    height, width, channels = input_shape
    dataset = load_dataset(name)
    indices = dataset.indices("test")
    most = MOST if height * width <= SMALL else MOST_LARGE
    # Spread over the whole test set: its classes may follow one after the other.
    chosen = indices[np.linspace(0, len(indices) - 1, min(most, len(indices))).astype(int)]
    shape = height, width, channels
    images = np.stack([prepare(dataset.images[i], shape, "stretch") for i in chosen])
    names = tuple(dataset.class_names[label] for label in dataset.labels[chosen])
    return Collection(f"{len(names):,} test images of {dataset.title}", images, names)


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
    values, indices = [], []
    for done, start in enumerate(range(0, len(images), BATCH), start=1):
        batch = images[start : start + BATCH].astype(np.float32)
        # One size, so that it is compiled once.
        full = np.pad(batch, [(0, BATCH - len(batch)), (0, 0), (0, 0), (0, 0)])
        summary, index = (x.numpy()[: len(batch)] for x in measure(tf.constant(full)))
        values.append(summary)
        indices.append(index)
        yield done
    shape = network.shapes[layer]
    width = shape[1] if by == "max" and len(shape) == 3 else None
    return _best(np.concatenate(values), np.concatenate(indices), width, top)


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Images as small as they are shown: uint8 (images, height, width, channels)."""
    height, width, channels = images.shape[1:]
    if max(height, width) <= THUMBNAIL:
        return images
    share = THUMBNAIL / max(height, width)
    small = (round(height * share), round(width * share), channels)
    return np.stack([prepare(image, small, "stretch") for image in images])


def _summary(activations: Tensor, units: Sequence[int], by: str) -> tuple[Tensor, Tensor]:
    """One number for each image and unit, and the flat index of the largest: (images, units)."""
    chosen = tf.gather(activations, list(units), axis=-1)
    flat = tf.reshape(chosen, (tf.shape(chosen)[0], -1, len(units)))  # plain units have no map
    summary = tf.reduce_max(flat, 1) if by == "max" else tf.reduce_mean(flat, 1)
    return summary, tf.argmax(flat, 1)


def _best(values: np.ndarray, indices: np.ndarray, width: int | None, top: int) -> TopActivations:
    """The largest of each column, of equals the first."""
    order = np.argsort(-values, axis=0, kind="stable")[:top].T
    best = np.take_along_axis(values.T, order, axis=1)
    if width is None:
        return TopActivations(order, best)
    flat = np.take_along_axis(indices.T, order, axis=1)
    return TopActivations(order, best, np.stack(np.divmod(flat, width), axis=-1))


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
