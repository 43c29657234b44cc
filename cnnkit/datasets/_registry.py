"""The one door to every data set."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np

from cnnkit import datasets
from cnnkit.datasets._images import IMAGE_SETS, DatasetOptions, load_images
from cnnkit.datasets._splits import Split, cannot_divide, part_sizes
from cnnkit.datasets._types import READERS, Dataset, DatasetSpec, Progress, nothing
from cnnkit.datasets.folders import imported
from cnnkit.errors import StorageError, UnknownDatasetError


def list_datasets(kind: str | None = None) -> list[str]:
    """Registered names.

    Args:
        kind: "small", "images", or "own" for what was imported here; None: all but own.
    """
    if kind == "own":
        return imported.list_own()
    return [name for name, spec in _SPECS.items() if kind in (None, spec.kind)]


def dataset_info(name: str) -> DatasetSpec:
    """What is known about a data set without reading it.

    Args:
        name: registered name, or that of an imported set ("own-…").

    Raises:
        UnknownDatasetError: lists the names that exist.
    """
    if imported.is_own(name):
        return imported.own_info(name)
    if name not in _SPECS:
        raise UnknownDatasetError(name, _SPECS)
    return _SPECS[name]


def dataset_title(name: str) -> str:
    """A data set in words; its name where nobody here knows it, as of another machine's run."""
    try:
        return dataset_info(name).title
    except (UnknownDatasetError, StorageError):
        return name


def load_dataset(
    name: str,
    *,
    validation_size: int | None = None,
    validation_from: str = "end",
    train_size: int | None = None,
    seed: int = 0,
    split_seed: int = 0,
    per_class: int | None = None,
    adapt_sizes: bool = False,
    images_per_class: int | None = None,
    side: int | None = None,
    progress: Progress = nothing,
) -> Dataset:
    """Read a data set and split it.

    Of small images, the published training part is split into training and
    validation; the published test part stays whole. Other images are divided class by
    class, at random; the test part depends on the split seed alone.

    Args:
        name: registered name, or that of an imported set ("own-…").
        validation_size: images held out for validation; None: a sixth of small
            images, 10 of each of the 17 flowers, 15 % of own ones.
        validation_from: "end" (Theano tutorial, Keras) or "start" (TensorFlow
            tutorials) of the part to learn from; of small images.
        train_size: how many of the rest to keep; None: all.
        seed: of data sets that are drawn at random (`toy_patterns`).
        split_seed: of the split, except of small images.
        per_class: of each class at most so many to learn from, except of small images.
            Fewer are always among more.
        adapt_sizes: what becomes of sizes that are more than there are: True puts the usual
            validation set, and all that is left for training, in their place; False refuses.
        images_per_class: how many flowers of each kind are drawn (`drawn_flowers`).
        side: pixels of a drawn flower.
        progress: called with the images so far and in all while they are decoded for
            the first time.

    Raises:
        UnknownDatasetError: lists the names that exist.
        AssetUnavailableError: its file is not here and cannot be fetched.
        CorruptAssetError: its file is damaged.
        LimitError: there is no room to keep the decoded images.
        IncompatibleError: the sizes asked for are more than there are, and not adapted.
    """
    spec = dataset_info(name)
    if spec.kind != "small":
        split = Split(
            seed=split_seed,
            validation=validation_size,
            train=train_size,
            per_class=per_class,
            adapt=adapt_sizes,
        )
        choice = DatasetOptions(
            split=split, images_per_class=images_per_class, side=side, progress=progress
        )
        return (imported.load_own if spec.kind == "own" else load_images)(spec, choice)
    _, read = READERS[name]
    images, labels, test_images, test_labels = _read_already.pop(name, None) or read(seed)
    count = len(images)
    held_out, keep = part_sizes(count, validation_size, train_size, adapt=adapt_sizes)
    if held_out < 1 or keep < 1 or held_out + keep > count:
        raise cannot_divide(spec.title, count, validation_size, train_size)
    return Dataset(
        spec=spec,
        images=np.concatenate([images, test_images]),
        labels=np.concatenate([labels, test_labels]).astype(np.int64),
        splits=_splits(count, len(test_images), held_out, keep, validation_from),
    )


def read_ahead(name: str) -> None:
    """Read a data set's file now; the next `load_dataset` of it in this process need not.

    Does nothing where there is no file, or none on this machine.
    """
    spec = dataset_info(name)
    if spec.kind == "small" and spec.files and spec.available:
        _, read = READERS[name]
        _read_already[name] = read(0)


def mnist_or_digits() -> Dataset:
    """MNIST where it is on this machine, else the embedded digits; see its `title`."""
    return load_dataset("mnist" if dataset_info("mnist").available else "digits")


def _splits(
    count: int, tests: int, held_out: int, keep: int, validation_from: str
) -> dict[str, slice]:
    test = slice(count, count + tests)
    if validation_from == "start":
        return {
            "train": slice(held_out, held_out + keep),
            "validation": slice(0, held_out),
            "test": test,
        }
    return {
        "train": slice(0, keep),
        "validation": slice(count - held_out, count),
        "test": test,
    }


# Importing a module registers its data sets.
for _module in pkgutil.iter_modules(datasets.__path__, "cnnkit.datasets."):
    if not _module.name.endswith(f".{__name__.rpartition('.')[2]}"):
        importlib.import_module(_module.name)

# The largest first, as the pages offer them.
_SMALL = sorted((spec for spec, _ in READERS.values()), key=lambda spec: -sum(spec.images))
_SPECS = {spec.name: spec for spec in (*_SMALL, *IMAGE_SETS.values())}

_read_already: dict[str, tuple[np.ndarray, ...]] = {}
