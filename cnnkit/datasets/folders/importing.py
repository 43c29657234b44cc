"""Making a data set of a folder or a ZIP archive of images."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import numpy as np

from cnnkit.datasets._resizing import SIDE
from cnnkit.datasets._splits import LEAST, Split, divide
from cnnkit.datasets._store import Card, ImageStore, Writer, digest
from cnnkit.datasets._types import Progress, nothing
from cnnkit.datasets.folders.imported import LICENSE, PREFIX, SOURCE
from cnnkit.datasets.folders.names import Labels, by_folders, clean, natural
from cnnkit.datasets.folders.report import ImportReport, Notebook
from cnnkit.datasets.folders.sources import TABLES, Member, Source, opened
from cnnkit.errors import InvalidImageError, InvalidImagesError, LimitError, NotAnImageError
from cnnkit.people import LOCAL, Person

MOST_CLASSES = 1000

# What tells the class of an image -> its description.
LABEL_SOURCES = {
    "auto": "folders where there are two or more, else a table",
    "folders": "the first folder that differs",
    "deepest": "the folder that directly holds the image",
    "table": "a CSV file with the names of files and classes",
}


@dataclass(frozen=True)
class Imported:
    """A data set that was imported: `load_dataset(name)` reads it."""

    name: str  # "own-…", of the images, their classes and nothing else
    report: ImportReport
    new: bool  # False: the same images in the same classes were here already


def image_folder(
    source: Path | str | IO[bytes],
    *,
    title: str | None = None,
    by: str = "auto",
    name: str | None = None,
    progress: Progress = nothing,
    owner: Person = LOCAL,
    room: int | None = None,
) -> Imported:
    """Import images: a folder or ZIP of class folders, or of files with a table of labels.

    Images are decoded once, resized to 256 × 256 and stored in `CNNKIT_HOME`; the source is
    not needed afterwards. What cannot be used is left out and reported. Nothing is written
    outside of the store, and if anything fails nothing stays in it.

    Args:
        source: folder, ZIP file, or an open ZIP file.
        title: for people; None: the source's name.
        by: what tells the class, a key of `LABEL_SOURCES`.
        name: of the source, where it is an open file.
        progress: called with the files so far and in all. What it raises ends the import.
        owner: who may rename and delete it.
        room: bytes that the owner may still store; None: as many as there is room for.

    Raises:
        InvalidImagesError: no data set can be made of it; says what is missing.
        LimitError: it is too much; says what would help.
    """
    if by not in LABEL_SOURCES:
        raise ValueError(f"`by` must be one of {', '.join(LABEL_SOURCES)}. Received: {by!r}.")
    notes = Notebook()
    with opened(source, name, notes) as files:
        images = [member for member in files.members if member.suffix not in TABLES]
        images.sort(key=lambda member: natural(member.name))  # as any way to pack gives them
        labels = _labels(files, images, by)
        taken = _labeled(images, labels, notes)
        _check(Counter(label for _, label in taken), files.name, notes)
        title = clean(title or "") or clean(Path(files.name).stem) or "Own images"
        store = ImageStore.of()
        _check_room(len(taken), room)
        with store.writing(len(taken), SIDE) as writer:
            labeled = _decoded(files, taken, writer, notes, progress)
            _check(Counter(label for _, label in labeled), files.name, notes)
            return _keep(store, writer, labeled, notes, title, files.name, owner)


def _labels(files: Source, images: Sequence[Member], by: str) -> Labels:
    paths = [member.path for member in images]
    if by in ("folders", "deepest"):
        return by_folders(paths, deepest=by == "deepest")
    folder_labels = by_folders(paths)
    if by == "auto" and len(folder_labels.distinct) > 1:
        return folder_labels
    tables = [
        _by_table(files, member, paths) for member in files.members if member.suffix in TABLES
    ]
    if not tables:
        if by == "table":
            raise InvalidImagesError(f"{files.name} holds no table: no file ends in .csv or .tsv.")
        return folder_labels
    best = max(tables, key=lambda labels: len(labels.classes) - labels.classes.count(None))
    return best if best.distinct or by == "table" else folder_labels


def _by_table(files: Source, table: Member, paths: Sequence[tuple[str, ...]]) -> Labels:
    labels = files.labels(table, paths)
    labels.notes.append(f"The classes are those of the table {table.name}.")
    return labels


def _labeled(images: Sequence[Member], labels: Labels, notes: Notebook) -> list[tuple[Member, str]]:
    taken = []
    for number, (member, label) in enumerate(zip(images, labels.classes, strict=True)):
        if label is None:
            notes.leave_out(member.name, "unlabelled", labels.why[number])
        else:
            taken.append((member, label))
    notes.notes += labels.notes
    for row in labels.missing:
        notes.leave_out(row, "missing", "A row of the table names it, and there is no such file.")
    return taken


def _decoded(
    files: Source,
    taken: Sequence[tuple[Member, str]],
    writer: Writer,
    notes: Notebook,
    progress: Progress,
) -> list[tuple[str, str]]:
    """Write the images. Returns name and class of each that was written."""
    labeled: list[tuple[str, str]] = []
    first: dict[tuple[str, str], str] = {}  # file, by pixels and class
    images = files.squares([member for member, _ in taken], writer.side)
    for done, ((member, label), image) in enumerate(zip(taken, images, strict=True), start=1):
        if isinstance(image, InvalidImageError):
            kind = "text" if isinstance(image, NotAnImageError) else "damaged"
            notes.leave_out(member.name, kind, str(image))
        elif (key := (digest(image), label)) in first:
            notes.leave_out(member.name, "duplicate", f"The same image as {first[key]}.")
        else:
            first[key] = member.name
            writer.add(image, key[0])
            labeled.append((member.name, label))
        progress(done, len(taken))
    return labeled


def _keep(
    store: ImageStore,
    writer: Writer,
    labeled: Sequence[tuple[str, str]],
    notes: Notebook,
    title: str,
    source: str,
    owner: Person,
) -> Imported:
    counts = Counter(label for _, label in labeled)
    classes = sorted(counts, key=natural)
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers[label] for _, label in labeled])
    _, pixel_groups = np.unique(np.array(writer.digests), return_inverse=True)
    report = ImportReport(
        source=source,
        images=len(labeled),
        left_out=tuple(notes.left_out),
        system_files=notes.system_files,
        two_classes=_in_two_classes(labeled, pixel_groups),
        notes=(*notes.notes, *_few(counts)),
        tested=len(divide(labels, pixel_groups, Split(), title)["test"]),
    )

    def card(fingerprint: str) -> Card:
        return Card(
            title=title,
            class_names=tuple(classes),
            counts=tuple(counts[name] for name in classes),
            side=writer.side,
            source=SOURCE,
            license=LICENSE,
            fingerprint=fingerprint,
            derived=False,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            report=report.to_dict(),
            owner=owner.id,
            owner_name=owner.name,
        )

    def key(fingerprint: str) -> str:
        text = json.dumps([fingerprint, classes, labels.tolist()])
        keys.append(PREFIX + hashlib.sha256(text.encode()).hexdigest()[:12])
        new.append(store.card(keys[-1]) is None)
        return keys[-1]

    keys: list[str] = []
    new: list[bool] = []
    entry = writer.keep(key, card, labels=labels.tolist(), names=[name for name, _ in labeled])
    if entry.card.derived:  # until now it was the copy of another machine's
        store.rewrite(keys[0], card(entry.card.fingerprint))
    return Imported(keys[0], report, new[0])


def _check_room(images: int, room: int | None) -> None:
    needed = images * SIDE * SIDE * 3
    if room is not None and needed > room:
        raise LimitError(
            f"These {images:,} images need {needed / 1e6:,.0f} MB, and you may store "
            f"{max(0, room) / 1e6:,.0f} MB more. Import fewer, or delete runs or images that you "
            "do not need any more."
        )


def _check(counts: Counter[str], title: str, notes: Notebook) -> None:
    """Refuse what no network can learn from, or be tested on."""
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
    groups: dict[int, list[str]] = {}
    for (name, _), group in zip(labeled, pixel_groups.tolist(), strict=True):
        groups.setdefault(group, []).append(name)
    return tuple(tuple(names) for names in groups.values() if len(names) > 1)
