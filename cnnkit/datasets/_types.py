"""One type for every data set, and how readers of many images report progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cnnkit import assets
from cnnkit.errors import UnknownSplitError

DIGIT_NAMES = tuple("0123456789")
# Called with a seed: training images and labels, test images and labels.
Reader = Callable[[int], tuple[np.ndarray, ...]]
Where = slice | np.ndarray  # of images: neighbors, or int64 indices in any order


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
    license: str
    embedded: bool  # ships with the package or with a library, or is made on the spot
    files: tuple[str, ...] = ()  # that must be had first, keys of `assets.ASSETS`
    kind: str = "small"  # "small" images for small networks, "images" of things, or "own"
    deleted: bool = False  # an own set whose images are gone; networks that know them are not
    owner: str = ""  # id of the person who imported it; "": the local one
    owner_name: str = ""  # for people

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def available(self) -> bool:
        """Whether it can be loaded now, with no network."""
        return not self.deleted and not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """Files that are not on this machine, keys of `assets.ASSETS`."""
        return tuple(name for name in self.files if assets.find(name) is None)


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
            however they are labeled and split. Empty where nobody asks for it.
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
    def license(self) -> str:
        """License of the images."""
        return self.spec.license

    @property
    def embedded(self) -> bool:
        """Whether it needs no download."""
        return self.spec.embedded

    def part(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of "train", "validation" or "test".

        Nothing is copied where the part is a slice. Where it is a list of indices all of its
        images are read into memory: for many, go through `indices` in batches.

        Raises:
            UnknownSplitError: lists the splits there are.
        """
        where = self._where(name)
        return np.asarray(self.images[where]), self.labels[where]

    def indices(self, name: str) -> np.ndarray:
        """Which images belong to a part, int64, in the part's order.

        Raises:
            UnknownSplitError: lists the splits there are.
        """
        where = self._where(name)
        return np.arange(len(self.labels))[where] if isinstance(where, slice) else where

    def size(self, name: str) -> int:
        """Images in a part.

        Raises:
            UnknownSplitError: lists the splits there are.
        """
        return len(self.indices(name))

    def _where(self, name: str) -> Where:
        if name not in self.splits:
            raise UnknownSplitError(name, self.splits)
        return self.splits[name]


def pixels_digest(images: np.ndarray) -> str:
    """SHA-256 of pixels in their order, for data sets without a fingerprint."""
    digest = hashlib.sha256(str(images.shape).encode())
    for start in range(0, len(images), 1000):
        digest.update(np.ascontiguousarray(images[start : start + 1000]).tobytes())
    return digest.hexdigest()


READERS: dict[str, tuple[DatasetSpec, Reader]] = {}


def register_dataset(
    *,
    title: str,
    class_names: tuple[str, ...],
    images: tuple[int, int],
    description: str,
    input_shape: tuple[int, int, int] = (28, 28, 1),
    source: str = "",
    license: str = "",
    files: tuple[str, ...] = (),
) -> Callable[[Reader], Reader]:
    """Register the decorated reader of small images under its own name.

    Args:
        title: shown to people.
        class_names: in the order of the labels.
        images: how many to learn from, validation included, and how many to test on.
        description: one sentence.
        input_shape: (height, width, channels).
        source: authors and title; with `files`, that of the first.
        license: of the images; with `files`, that of the first.
        files: that must be had first, keys of `assets.ASSETS`; none: it is made on the spot, or
            ships with a library.
    """

    def register(read: Reader) -> Reader:
        name = read.__name__
        if name in READERS:
            raise ValueError(f"Data set {name!r} is already registered.")
        file = assets.ASSETS[files[0]] if files else None
        spec = DatasetSpec(
            name=name,
            title=title,
            input_shape=input_shape,
            class_names=class_names,
            images=images,
            description=description,
            source=file.source if file else source,
            license=file.license if file else license,
            embedded=not files,
            files=files,
        )
        READERS[name] = (spec, read)
        return read

    return register


Progress = Callable[[int, int], object]  # images so far, images in all


def nothing(done: int, total: int) -> None:
    """Tell nobody."""
