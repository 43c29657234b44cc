"""Making a data set of a folder or a ZIP archive of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from cnnkit.datasets._resizing import SIDE
from cnnkit.datasets._store import ImageStore, Writer, digest
from cnnkit.datasets._types import Progress, nothing
from cnnkit.datasets.folders.entries import (
    Imported,
    Origin,
    check_classes,
    check_room,
    keep_set,
)
from cnnkit.datasets.folders.names import Labels, by_folders, clean, natural
from cnnkit.datasets.folders.report import Notebook
from cnnkit.datasets.folders.sources import TABLES, HasSquares, Member, Source, opened
from cnnkit.errors import InvalidImageError, InvalidImagesError, NotAnImageError
from cnnkit.people import LOCAL, Person

# What tells the class of an image -> its description.
LABEL_SOURCES = {
    "auto": "folders where there are two or more, else a table",
    "folders": "the first folder that differs",
    "deepest": "the folder that directly holds the image",
    "table": "a CSV file with the names of files and classes",
}


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
        check_classes(Counter(label for _, label in taken), files.name, notes)
        title = clean(title or "") or clean(Path(files.name).stem) or "Own images"
        check_room(len(taken), room)
        with ImageStore.of().writing(len(taken), SIDE) as writer:
            labeled = write_squares(files, taken, writer, notes, progress)
            check_classes(Counter(label for _, label in labeled), files.name, notes)
            origin = Origin(title=title, files=files.name, owner=owner)
            return keep_set(writer, labeled, notes, origin)


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


def write_squares(
    files: HasSquares,
    taken: Sequence[tuple[Member, str]],
    writer: Writer,
    notes: Notebook,
    progress: Progress,
    known: Sequence[tuple[str, str]] = (),
) -> list[tuple[str, str]]:
    """Decode and write images; what cannot be read, or is there already, is noted.

    Args:
        files: that they are from.
        taken: each with its class.
        writer: of the entry.
        notes: gets what is left out.
        progress: called with the files so far and in all.
        known: name and class of the images that were written before.

    Returns:
        Name and class of each that is written, those before included.
    """
    labeled = list(known)
    first = {  # file, by pixels and class
        (pixels, label): name for pixels, (name, label) in zip(writer.digests, known, strict=True)
    }
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
