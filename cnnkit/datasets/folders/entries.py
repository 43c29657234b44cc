"""An own set on its way into the store: checked, counted, and named after what is in it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from cnnkit.datasets._resizing import SIDE
from cnnkit.datasets._splits import LEAST, Split, divide
from cnnkit.datasets._store import Card, ImageStore, Writer
from cnnkit.datasets.folders.imported import LICENSE, PREFIX, SOURCE
from cnnkit.datasets.folders.names import natural
from cnnkit.datasets.folders.report import ImportReport, Notebook
from cnnkit.errors import InvalidImagesError, LimitError
from cnnkit.people import LOCAL, Person

MOST_CLASSES = 1000


@dataclass(frozen=True)
class Imported:
    """A data set that was made of a person's own images: `load_dataset(name)` reads it."""

    name: str  # "own-…", of the images, their classes and nothing else
    report: ImportReport
    new: bool  # False: the same images in the same classes were here already


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is known of a set beside its images.

    Args:
        title: for people.
        files: name of the folder or file that the images come from.
        source: how they came here, in words.
        owner: who may rename and delete it.
        first: name of the first version of the set; "": this is the first.
        version: 1 for the first.
    """

    title: str
    files: str
    source: str = SOURCE
    owner: Person = LOCAL
    first: str = ""
    version: int = 1


def keep_set(
    writer: Writer, labeled: Sequence[tuple[str, str]], notes: Notebook, origin: Origin
) -> Imported:
    """End an entry whose images are written.

    Args:
        writer: of the images.
        labeled: name and class of each image, in the order in which they were written.
        notes: what was left out.
        origin: whose set it is.
    """
    classes, labels = numbered([label for _, label in labeled])
    _, pixel_groups = np.unique(np.array(writer.digests), return_inverse=True)
    report = report_of(labeled, labels, pixel_groups, notes, origin)

    def card(fingerprint: str) -> Card:
        return card_of(fingerprint, classes, labels, report, origin, writer.side)

    def key(fingerprint: str) -> str:
        keys.append(name_of(fingerprint, classes, labels, origin))
        new.append(store.card(keys[-1]) is None)
        return keys[-1]

    store = ImageStore.of()
    keys: list[str] = []
    new: list[bool] = []
    entry = writer.keep(key, card, labels=labels.tolist(), names=[name for name, _ in labeled])
    if entry.card.derived:  # until now it was the copy of another machine's
        store.rewrite(keys[0], card(entry.card.fingerprint))
    return Imported(keys[0], report, new[0])


def numbered(labels: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes there are, in the order of people, and the number of each image's: int64."""
    classes = tuple(sorted(set(labels), key=natural))
    numbers = {name: number for number, name in enumerate(classes)}
    return classes, np.array([numbers[label] for label in labels], np.int64)


def name_of(fingerprint: str, classes: Sequence[str], labels: np.ndarray, origin: Origin) -> str:
    """Name of a set: equal for the same images in the same classes and the same version."""
    parts = [fingerprint, list(classes), labels.tolist()]
    if origin.version > 1:
        parts += [origin.first, origin.version]
    return PREFIX + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def report_of(
    labeled: Sequence[tuple[str, str]],
    labels: np.ndarray,
    pixel_groups: np.ndarray,
    notes: Notebook,
    origin: Origin,
) -> ImportReport:
    """What was taken and what was left out.

    Args:
        labeled: name and class of each image.
        labels: int64 (images,).
        pixel_groups: int64 (images,), equal for the same pixels.
        notes: what was left out.
        origin: whose set it is.
    """
    return ImportReport(
        source=origin.files,
        images=len(labeled),
        left_out=tuple(notes.left_out),
        system_files=notes.system_files,
        two_classes=_in_two_classes(labeled, pixel_groups),
        notes=(*notes.notes, *_few(Counter(label for _, label in labeled))),
        tested=len(divide(labels, pixel_groups, Split(), origin.title)["test"]),
    )


def card_of(
    fingerprint: str,
    classes: Sequence[str],
    labels: np.ndarray,
    report: ImportReport,
    origin: Origin,
    side: int,
) -> Card:
    """The card of a set that is made now."""
    return Card(
        title=origin.title,
        class_names=tuple(classes),
        counts=tuple(np.bincount(labels, minlength=len(classes)).tolist()),
        side=side,
        source=origin.source,
        license=LICENSE,
        fingerprint=fingerprint,
        derived=False,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        report=report.to_dict(),
        owner=origin.owner.id,
        owner_name=origin.owner.name,
        first=origin.first,
        version=origin.version,
    )


def check_room(images: int, room: int | None) -> None:
    """Refuse more images than their owner has room for.

    Raises:
        LimitError: says how much there is.
    """
    needed = images * SIDE * SIDE * 3
    if room is not None and needed > room:
        raise LimitError(
            f"These {images:,} images need {needed / 1e6:,.0f} MB, and you may store "
            f"{max(0, room) / 1e6:,.0f} MB more. Import fewer, or delete runs or images that you "
            "do not need any more."
        )


def check_classes(counts: Counter[str], title: str, notes: Notebook) -> None:
    """Refuse what no network can learn from, or be tested on.

    Raises:
        InvalidImagesError: says what is missing.
    """
    if not counts:
        raise InvalidImagesError(f"{title} holds no image that can be used. {_why_none(notes)}")
    if len(counts) == 1:
        raise InvalidImagesError(
            f"All images of {title} are of one class, {next(iter(counts))!r}; at least two are "
            "needed. Put the images of each class into a folder of their own."
        )
    if len(counts) > MOST_CLASSES:
        raise InvalidImagesError(
            f"{title} has {len(counts):,} classes; at most {MOST_CLASSES:,} can be imported."
        )
    enough = sum(count >= LEAST for count in counts.values())
    if enough < 2:
        raise InvalidImagesError(
            f"{title} has {len(counts)} classes, {'one' if enough else 'none'} of them with "
            f"{LEAST} different images. To learn from some and test on others, at least two must "
            "have as many."
        )


def _why_none(notes: Notebook) -> str:
    if not notes.left_out:
        return "Put the images of each class into a folder of their own."
    count, first = len(notes.left_out), notes.left_out[0]
    others = f" {count - 1:,} more files were left out." if count > 1 else ""
    return f"{first.file}: {first.why}{others}"


def _few(counts: Counter[str]) -> list[str]:
    few = sorted((name for name, count in counts.items() if count < LEAST), key=natural)
    if not few:
        return []
    return [
        f"{', '.join(few[:10])}{' and others' if len(few) > 10 else ''}: with fewer than {LEAST} "
        "images, in the training set but never in the test set."
    ]


def _in_two_classes(
    labeled: Sequence[tuple[str, str]], pixel_groups: np.ndarray
) -> tuple[tuple[str, ...], ...]:
    groups: dict[int, list[tuple[str, str]]] = {}
    for one, group in zip(labeled, pixel_groups.tolist(), strict=True):
        groups.setdefault(group, []).append(one)
    return tuple(
        tuple(name for name, _ in group)
        for group in groups.values()
        if len({label for _, label in group}) > 1
    )
