"""Computing features: every image goes through the frozen layers once for each variant."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnnkit.datasets import Dataset
from cnnkit.training._pipeline import to_size
from cnnkit.training.augmentation import augment
from cnnkit.training.events import FeaturesKept, Report
from cnnkit.training.memmap import Stored
from cnnkit.training.recipe import Augmentation
from cnnkit.training.transfer.features import FeatureEntry, FeatureKey, FeatureStore
from cnnkit.training.transfer.network import TransferNetwork
from cnnkit.training.transfer.recipe import TransferRecipe

BATCH = 32  # images at once: more is no faster on a CPU
LARGEST = {"float16": 65_504.0, "float32": np.inf}  # what a kept value can be
REPORT_SECONDS = 0.3

Control = Callable[[], str | None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Rows of a variant that must be there before the tail can learn."""

    variant: int  # 0: the image as it is
    augmentation: Augmentation
    rows: np.ndarray  # of the data set


class Features:
    """What the trunks of a recipe's phases make of a data set, on disk.

    Args:
        recipe: sizes, augmentation and variants.
        network: to cut.
        layers: names of the layers whose outputs are kept, each the end of a trunk.
        dataset: images of any size.
        store: where they are kept.
    """

    def __init__(
        self,
        recipe: TransferRecipe,
        network: TransferNetwork,
        layers: Sequence[str],
        dataset: Dataset,
        store: FeatureStore,
    ):
        """Find what is there already; compute nothing."""
        self.recipe, self.dataset, self.store = recipe, dataset, store
        self.wanted = _wanted(recipe, dataset)
        self.size = network.whole.input_shape[1:3]
        self.trunks = {
            layer: keras.Model(network.whole.input, network.maps(layer)) for layer in layers
        }
        self.keys = self._keys()
        self._make_room()
        self.entries = {place: self._open(*place) for place in self.keys}
        together = keras.Model(network.whole.input, [t.output for t in self.trunks.values()])
        # Keras gives one output without a list around it.
        self._outputs = tf.function(
            lambda images: keras.tree.flatten(together(images, training=False))
        )

    @property
    def total(self) -> int:
        """Images that must go through, each variant counted."""
        return sum(len(wanted.rows) for wanted in self.wanted)

    def compute(self, report: Report, control: Control) -> str | None:
        """Fill what lacks; a stop is obeyed after a batch and loses nothing.

        Returns:
            "cancelled" or "paused", or None: all is there.
        """
        lacking = [self._lacking(wanted) for wanted in self.wanted]
        left = sum(map(len, lacking))
        told = _Told(report, self.total, self.total - left)
        for wanted, rows in zip(self.wanted, lacking, strict=True):
            for start in range(0, len(rows), BATCH):
                wish = control()
                if wish in ("cancel", "pause"):
                    return {"cancel": "cancelled", "pause": "paused"}[wish]
                batch = rows[start : start + BATCH]
                self._keep(wanted, batch)
                told.more(len(batch))
        told.end()
        return None

    def part(self, layer: str, name: str) -> Stored:
        """Features of a part of the data set, all variants of the images to learn from."""
        variants = [place for place in self.entries if place[0] == layer]
        if name != "train":
            variants = variants[:1]
        return Stored(
            [self.entries[place].features for place in variants],
            self.dataset.indices(name),
            self.recipe.seed,
        )

    def _lacking(self, wanted: Wanted) -> np.ndarray:
        lacking = [
            self.entries[layer, wanted.variant].lacking(wanted.rows) for layer in self.trunks
        ]
        return np.unique(np.concatenate(lacking))

    def _keep(self, wanted: Wanted, rows: np.ndarray) -> None:
        # The last batch is filled up with its own rows: another size would be traced anew.
        filled = np.resize(rows, BATCH)
        images = tf.constant(np.asarray(self.dataset.images[filled]))
        changed = _changed(images, self.size, wanted.augmentation, wanted.variant, filled)
        largest = LARGEST[self.recipe.feature_type]
        for layer, values in zip(self.trunks, self._outputs(changed), strict=True):
            clipped = np.clip(values.numpy()[: len(rows)], -largest, largest)
            self.entries[layer, wanted.variant].write(rows, clipped)

    def _keys(self) -> dict[tuple[str, int], FeatureKey]:
        fingerprint = self.dataset.fingerprint or _fingerprint(self.dataset.images)
        return {
            (layer, wanted.variant): FeatureKey(
                images=fingerprint,
                trunk=digest,
                size=self.size,
                augmentation=asdict(wanted.augmentation) if wanted.augmentation else {},
                variant=wanted.variant,
                dtype=self.recipe.feature_type,
            )
            for layer, digest in ((name, _digest(trunk)) for name, trunk in self.trunks.items())
            for wanted in self.wanted
        }

    def _make_room(self) -> None:
        """For all rows, less what is there: more than is needed where splits share entries."""
        needed = 0
        for (layer, variant), key in self.keys.items():
            rows = self.wanted[variant].rows
            if self.store.has(key):
                rows = self._open(layer, variant).lacking(rows)
            needed += len(rows) * self._bytes(layer)
        self.store.make_room(needed, self.keys.values())

    def _bytes(self, layer: str) -> int:
        values = int(np.prod(self.trunks[layer].output_shape[1:]))
        return values * np.dtype(self.recipe.feature_type).itemsize

    def _open(self, layer: str, variant: int) -> FeatureEntry:
        shape = self.trunks[layer].output_shape[1:]
        return self.store.open(self.keys[layer, variant], len(self.dataset.labels), shape)


class _Told:
    """Reports progress, a few times a second."""

    def __init__(self, report: Report, total: int, done: int):
        self.report, self.total, self.done = report, total, done
        self._last = (done, time.monotonic())
        report(FeaturesKept(done=done, total=total, images_per_second=None))

    def more(self, count: int) -> None:
        self.done += count
        if time.monotonic() - self._last[1] >= REPORT_SECONDS:
            self.end()

    def end(self) -> None:
        now, (done, then) = time.monotonic(), self._last
        if self.done == done:
            return
        self._last = (self.done, now)
        rate = (self.done - done) / max(now - then, 1e-9)
        self.report(FeaturesKept(done=self.done, total=self.total, images_per_second=rate))


def _wanted(recipe: TransferRecipe, dataset: Dataset) -> list[Wanted]:
    """The image as it is for every part that is learnt from or validated on, then variants.

    The test part is asked of the whole network at the end, as any image will be.
    """
    train, validation = dataset.indices("train"), dataset.indices("validation")
    changes = recipe.augmentation.of_images
    variants = range(1, recipe.variants if changes else 1)
    return [
        Wanted(variant=0, augmentation=Augmentation(), rows=np.union1d(train, validation)),
        *(Wanted(variant=v, augmentation=changes, rows=np.unique(train)) for v in variants),
    ]


def _changed(originals, size, augmentation: Augmentation, variant: int, rows: np.ndarray):
    """Images as the network gets them, each changed by what (variant, its number) says.

    The number is that of the image in the data set: no split, batch or recipe changes what
    is drawn, so that all of them share what was computed.
    """
    images = tf.cast(to_size(originals, size), tf.float32)
    if not augmentation:
        return images
    seeds = np.stack([np.full_like(rows, variant), rows], axis=1)
    return _each_changed(images, tf.constant(seeds, tf.int64), augmentation)


@tf.function(reduce_retracing=True)
def _each_changed(images, seeds, augmentation: Augmentation) -> Any:
    def change(one: tuple) -> Any:
        image, seed = one
        return augment(image[tf.newaxis], augmentation, seed)[0]

    return tf.map_fn(change, (images, seeds), fn_output_signature=tf.float32)


def _digest(trunk: keras.Model) -> str:
    """Of layers and weights: equal for trunks that compute the same."""
    digest = hashlib.sha256()
    for layer in trunk.layers:
        digest.update(f"{type(layer).__name__} {layer.name} {_config(layer)}".encode())
        for weight in layer.get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _config(layer: keras.Layer) -> list[tuple[str, str]]:
    left_out = ("trainable", "dtype", "kernel_initializer", "bias_initializer")
    config: Mapping[str, Any] = layer.get_config()
    return sorted((name, repr(value)) for name, value in config.items() if name not in left_out)


def _fingerprint(images: np.ndarray) -> str:
    """Of pixels, for data sets that bring none."""
    digest = hashlib.sha256(str(images.shape).encode())
    for start in range(0, len(images), 1000):
        digest.update(np.ascontiguousarray(images[start : start + 1000]).tobytes())
    return digest.hexdigest()
