"""Class names and labels from the folders that images lie in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

LONGEST = 60  # letters of a name


def clean(text: str) -> str:
    """A name in one line, composed letters, no control characters, not endless.

    What looks the same becomes the same: "é" is one letter however it was typed.
    """
    composed = unicodedata.normalize("NFC", text)
    # Cc: control; Cf: invisible, among them those that turn the direction of writing; Co
    # and Cs have no shape at all.
    visible = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") else letter
        for letter in composed
    )
    return " ".join(visible.split())[:LONGEST].strip()


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts "2" before "10", and letters whatever their case."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


# Folders that say what images are for, and not what they show.
PARTS = {"train", "training", "test", "testing", "val", "valid", "validation", "eval", "dev"}

Path = tuple[str, ...]


@dataclass
class Labels:
    """A class for each image, or the reason why it has none.

    Args:
        classes: one an image; None: it has none.
        why: of those without one, a sentence for each by its number.
        notes: sentences on what was decided.
        missing: names in a table that no file bears.
    """

    classes: list[str | None]
    why: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def distinct(self) -> set[str]:
        """The classes there are."""
        return {name for name in self.classes if name is not None}


def by_folders(paths: Sequence[Path], *, deepest: bool = False) -> Labels:
    """The first folder that differs is the class; whatever is deeper belongs to it.

    Folders around all classes count for nothing, nor do those named after parts, such as
    "train" and "test".

    Args:
        paths: of the images, folders and name.
        deepest: take the folder that directly holds the image instead.
    """
    folders = [path[:-1] for path in paths]
    labels = Labels([])
    while (stripped := _stripped(folders, labels)) != folders:
        folders = stripped
    for number, rest in enumerate(folders):
        name = clean(rest[-1 if deepest else 0]) if rest else None
        labels.classes.append(name or None)
        if not name:
            labels.why[number] = "It lies in no folder of a class."
    if not deepest and any(len(rest) > 1 for rest in folders):
        labels.notes.append("Images in folders within the folder of a class belong to that class.")
    return labels


def _stripped(folders: list[Path], labels: Labels) -> list[Path]:
    """The folders without their first one, where it says nothing of classes."""
    inside = [rest for rest in folders if rest]
    firsts = {rest[0] for rest in inside}
    deep = all(len(rest) > 1 for rest in inside)
    around = len(firsts) == 1 and any(len(rest) > 1 for rest in inside)
    parts = bool(inside) and deep and {name.casefold() for name in firsts} <= PARTS
    if not (around or parts):
        return folders
    if parts and len(firsts) > 1:
        labels.notes.append(
            f"{_listed(sorted(firsts))} were put together: the images are divided anew."
        )
    if around and not deep:  # loose images beside the folders of the classes
        return [rest[1:] if len(rest) > 1 else () for rest in folders]
    return [rest[1:] for rest in folders]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
