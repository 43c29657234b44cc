"""One type for every data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnnkit import assets

Where = slice | np.ndarray  # of images: neighbours, or int64 indices in any order


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """What can be known about a data set without reading it."""

    name: str
    title: str
    input_shape: tuple[int, int, int]  # (height, width, channels)
    class_names: tuple[str, ...]
    images: tuple[int, int]  # to learn from (validation included), to test on
    description: str
    source: str  # authors and title
    licence: str
    embedded: bool  # ships with the package or with a library, or is made on the spot
    asset: str | None = None  # file that must be had first, a key of `assets.ASSETS`
    kind: str = "small"  # "small" images for small networks, "images" of things, or "own"
    deleted: bool = False  # an own set whose images are gone; networks that know them are not

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def available(self) -> bool:
        """Whether it can be loaded now, with no network."""
        return not self.deleted and (self.asset is None or assets.find(self.asset) is not None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images, labels, and which of them are for what.

    Args:
        images: uint8, (images, height, width, channels), 0 to 255. Where there are many
            it is a read-only `np.memmap`: what is not looked at takes no memory.
        labels: int64, (images,), index into the class names.
        splits: of "train", "validation" and "test", slices or int64 indices; they share no
            image.
        names: of the files that the images come from, one an image; none where they
            come from no files.
        fingerprint: of the pixels, in their order; the same images have the same one
            however they are labelled and split. Empty where nobody asks for it.
    """

    spec: DatasetSpec
    images: np.ndarray
    labels: np.ndarray
    splits: Mapping[str, Where]
    names: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def name(self) -> str:
        """Registered name."""
        return self.spec.name

    @property
    def title(self) -> str:
        """Name for people."""
        return self.spec.title

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name of each class, in the order of the labels."""
        return self.spec.class_names

    @property
    def source(self) -> str:
        """Authors and title."""
        return self.spec.source

    @property
    def licence(self) -> str:
        """Licence of the images."""
        return self.spec.licence

    @property
    def embedded(self) -> bool:
        """Whether it needs no download."""
        return self.spec.embedded

    def part(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of "train", "validation" or "test".

        Nothing is copied where the part is a slice. Where it is a list of indices all of its
        images are read into memory: for many, go through `indices` in batches.

        Raises:
            KeyError: there is no such part.
        """
        where = self.splits[name]
        return np.asarray(self.images[where]), self.labels[where]

    def indices(self, name: str) -> np.ndarray:
        """Which images belong to a part, int64, in the part's order.

        Raises:
            KeyError: there is no such part.
        """
        where = self.splits[name]
        return np.arange(len(self.labels))[where] if isinstance(where, slice) else where

    def size(self, name: str) -> int:
        """Images in a part.

        Raises:
            KeyError: there is no such part.
        """
        return len(self.indices(name))
