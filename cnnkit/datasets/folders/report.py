"""What an import took, what it left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Kind of what was left out -> what it means, shown to people.
KINDS = {
    "unsafe": "paths that lead out of the folder",
    "link": "links to other files",
    "archive": "archives within the archive",
    "encrypted": "encrypted files",
    "large": "files that are too large",
    "text": "files of other kinds than the images that are read",
    "damaged": "images that cannot be read",
    "duplicate": "the same image again in its class",
    "unlabelled": "files that belong to no class",
    "missing": "rows of the table without a file",
}


@dataclass(frozen=True)
class LeftOut:
    """A file that was left out."""

    file: str
    kind: str  # key of `KINDS`
    why: str  # a sentence


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What happened at an import.

    Args:
        source: name of the folder or file.
        images: that were taken.
        left_out: files that were not, each with its reason.
        system_files: how many files of an operating system were passed over.
        two_classes: groups of files with the same pixels in more than one class.
        notes: sentences on what was decided.
        tested: images in the test set of the first split.
    """

    source: str
    images: int
    left_out: tuple[LeftOut, ...] = ()
    system_files: int = 0
    two_classes: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    tested: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many files were left out, by kind, the most frequent first."""
        return dict(Counter(one.kind for one in self.left_out).most_common())

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImportReport:
        """The report that `to_dict` wrote."""
        return cls(
            source=values["source"],
            images=values["images"] if "images" in values else values["pictures"],
            left_out=tuple(LeftOut(**one) for one in values.get("left_out", ())),
            system_files=values.get("system_files", 0),
            two_classes=tuple(map(tuple, values.get("two_classes", ()))),
            notes=tuple(values.get("notes", ())),
            tested=values.get("tested", 0),
        )


@dataclass
class Notebook:
    """A report while it is being written."""

    left_out: list[LeftOut] = field(default_factory=list)
    system_files: int = 0
    notes: list[str] = field(default_factory=list)

    def leave_out(self, file: str, kind: str, why: str) -> None:
        """Note a file that is left out."""
        self.left_out.append(LeftOut(file, kind, why))
