"""Making a data set of image files that lie in no folder: what a camera took, class by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit.datasets._resizing import SIDE, squares
from cnnkit.datasets._store import ImageStore
from cnnkit.datasets._types import Progress, nothing
from cnnkit.datasets.folders.entries import (
    Imported,
    Origin,
    check_classes,
    check_room,
    keep_set,
)
from cnnkit.datasets.folders.imported import checked_class_names
from cnnkit.datasets.folders.importing import write_squares
from cnnkit.datasets.folders.names import clean
from cnnkit.datasets.folders.report import Notebook
from cnnkit.datasets.folders.sources import MOST_FILES, Member, sort_in, too_many
from cnnkit.datasets.folders.versions import changes, next_version
from cnnkit.errors import InvalidImageError
from cnnkit.people import LOCAL, Person

CAMERA = "taken with a camera here"


def labeled_images(
    images: Mapping[str, Sequence[bytes]],
    *,
    title: str | None = None,
    add_to: str = "",
    progress: Progress = nothing,
    owner: Person = LOCAL,
    room: int | None = None,
) -> Imported:
    """Make an own data set of image files by class, as `image_folder` does of a folder.

    Args:
        images: the files of each class, by its name.
        title: for people; None: "Camera".
        add_to: name of an own set whose next version has its images and these; "": a new set.
        progress: called with the files so far and in all. What it raises ends it.
        owner: who may rename and delete it.
        room: bytes that the owner may still store; None: as many as there is room for.

    Raises:
        InvalidImagesError: no data set can be made of them; says what is missing.
        LimitError: they are too many; says what would help.
        UnknownDatasetError, NotAllowedError: there is no set to add to, or it is another's.
    """
    names = checked_class_names(list(images), len(images))
    files = _Files(dict(zip(names, images.values(), strict=True)), progress, room)
    if add_to:
        return files.added_to(add_to, owner)
    title = clean(title or "") or "Camera"
    return files.new_set(Origin(title=title, files="the camera", source=CAMERA, owner=owner))


@dataclass(frozen=True)
class _Files:
    """Image files of classes, in memory; a source of `write_squares`."""

    images: Mapping[str, Sequence[bytes]]
    progress: Progress
    room: int | None

    def new_set(self, origin: Origin) -> Imported:
        """A set of them alone."""
        notes = Notebook()
        taken = self._taken(notes, origin)
        check_classes(Counter(label for _, label in taken), origin.title, notes)
        check_room(len(taken), self.room)
        with ImageStore.of().writing(len(taken), SIDE) as writer:
            labeled = write_squares(self, taken, writer, notes, self.progress)
            check_classes(Counter(label for _, label in labeled), origin.title, notes)
            return keep_set(writer, labeled, notes, origin)

    def added_to(self, name: str, owner: Person) -> Imported:
        """The next version of a set, with these images behind its own."""
        with next_version(name, owner) as (entry, origin):
            notes = Notebook(notes=changes(entry))
            taken = self._taken(notes, origin)
            known = list(zip(entry.names, entry.classes, strict=True))
            check_room(len(known) + len(taken), self.room)
            with ImageStore.of().writing(len(known) + len(taken), SIDE) as writer:
                for image in entry.images:
                    writer.add(np.asarray(image))
                labeled = write_squares(self, taken, writer, notes, self.progress, known)
                count = len(labeled) - len(known)
                notes.notes.append(f"Version {origin.version}: {count:,} images added.")
                return keep_set(writer, labeled, notes, origin)

    def squares(
        self, members: Sequence[Member], side: int
    ) -> Iterator[np.ndarray | InvalidImageError]:
        """Images, or why one cannot be read."""
        return squares((member.handle for member in members), side)

    def _taken(self, notes: Notebook, origin: Origin) -> list[tuple[Member, str]]:
        """The files that may be looked at, each with its class."""
        if sum(map(len, self.images.values())) > MOST_FILES:
            raise too_many("The camera")
        # Of another name in each version, whose images keep theirs.
        series = "" if origin.version == 1 else f"{origin.version}-"
        members: list[Member] = []
        for label, files in self.images.items():
            for number, data in enumerate(files, start=1):
                member = Member((label, f"{series}{number:04d}"), data, len(data))
                sort_in(members, member, notes)
        return [(member, member.path[0]) for member in members]
