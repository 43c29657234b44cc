"""Data sets of images that lie decoded on disk and are split_dataset at random, by a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cnnkit import assets
from cnnkit.datasets import _flowers17, drawn
from cnnkit.datasets._resizing import SIDE
from cnnkit.datasets._splits import Split, divide
from cnnkit.datasets._store import Entry, ImageStore
from cnnkit.datasets._types import Dataset, DatasetSpec, Progress, nothing
from cnnkit.errors import IncompatibleError

PER_CLASS, SIDES = (3, 1000), (16, 512)  # what can be drawn


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """What a caller may choose of a data set of images; None: as it is published.

    Args:
        split: how to divide it.
        images_per_class: of drawn flowers, how many are drawn.
        side: of drawn flowers, pixels.
        progress: called with the images so far and in all while they are decoded.
    """

    split: Split
    images_per_class: int | None = None
    side: int | None = None
    progress: Progress = nothing


def load_images(spec: DatasetSpec, choice: DatasetOptions) -> Dataset:
    """Read one of `IMAGE_SETS`, decoded or drawn the first time, and divide it."""
    return _OPENERS[spec.name](spec, choice)


def split_dataset(spec: DatasetSpec, entry: Entry, split: Split) -> Dataset:
    """An entry of the store as a data set."""
    parts = divide(entry.labels, entry.pixel_groups, split, spec.title)
    entry.labels.setflags(write=False)
    return Dataset(
        spec=spec,
        images=entry.images,
        labels=entry.labels,
        splits=parts,
        names=entry.names,
        fingerprint=entry.card.fingerprint,
    )


def refuse_redrawing(title: str, choice: DatasetOptions) -> None:
    """Refuse to redraw what is not drawn.

    Raises:
        IncompatibleError: another size or number is asked for.
    """
    if choice.side not in (None, SIDE) or choice.images_per_class is not None:
        raise IncompatibleError(
            f"{title} is stored at {SIDE} × {SIDE} pixels: only drawn flowers can be made "
            "in another size or number. Use `per_class` to learn from fewer."
        )


def _flowers(spec: DatasetSpec, choice: DatasetOptions) -> Dataset:
    refuse_redrawing(spec.title, choice)
    entry = _flowers17.stored(
        assets.fetch("flowers17"),
        ImageStore.of(),
        source=spec.source,
        license=spec.license,
        progress=choice.progress,
    )
    held_out = _flowers17.VALIDATION * len(_flowers17.CLASS_NAMES)
    return split_dataset(spec, entry, _with_defaults(choice.split, _flowers17.TEST, held_out))


def _drawn(spec: DatasetSpec, choice: DatasetOptions) -> Dataset:
    count = _within("images_per_class", choice.images_per_class, drawn.PER_CLASS, PER_CLASS)
    side = _within("side", choice.side, SIDE, SIDES)
    entry = drawn.stored(ImageStore.of(), per_class=count, side=side, progress=choice.progress)
    tested, held_out = drawn.parts(count)
    classes = len(drawn.FLOWERS)
    spec = replace(
        spec,
        input_shape=(side, side, 3),
        images=(classes * (count - tested), classes * tested),
    )
    return split_dataset(spec, entry, _with_defaults(choice.split, tested, classes * held_out))


def _with_defaults(split: Split, test: int, validation: int) -> Split:
    return replace(split, test=test, usual=validation)


def _within(name: str, value: int | None, default: int, limits: tuple[int, int]) -> int:
    if value is None:
        return default
    if not limits[0] <= value <= limits[1]:
        raise IncompatibleError(
            f"`{name}` of drawn flowers is {limits[0]} to {limits[1]}. Received: {value}."
        )
    return int(value)


_OPENERS: dict[str, Callable[[DatasetSpec, DatasetOptions], Dataset]] = {
    "flowers17": _flowers,
    "drawn_flowers": _drawn,
}

IMAGE_SETS = {
    spec.name: spec
    for spec in (
        DatasetSpec(
            name="flowers17",
            title="17 flowers",
            input_shape=(SIDE, SIDE, 3),
            class_names=_flowers17.CLASS_NAMES,
            images=(
                _flowers17.IMAGES - _flowers17.TEST * len(_flowers17.CLASS_NAMES),
                _flowers17.TEST * len(_flowers17.CLASS_NAMES),
            ),
            description="1,360 photos of 17 kinds of flowers common in Britain, 80 of each.",
            source=assets.ASSETS["flowers17"].source,
            license=assets.ASSETS["flowers17"].license,
            embedded=False,
            files=("flowers17",),
            kind="images",
        ),
        DatasetSpec(
            name="drawn_flowers",
            title="Drawn flowers",
            input_shape=(SIDE, SIDE, 3),
            class_names=drawn.FLOWERS,
            images=(
                (drawn.PER_CLASS - drawn.parts(drawn.PER_CLASS)[0]) * len(drawn.FLOWERS),
                drawn.parts(drawn.PER_CLASS)[0] * len(drawn.FLOWERS),
            ),
            description=(
                "680 drawings of the same 17 kinds, made by this program. They are easier than "
                "photos: results on them say nothing about real flowers."
            ),
            source=drawn.SOURCE,
            license="made by this program",
            embedded=True,
            kind="images",
        ),
    )
}
