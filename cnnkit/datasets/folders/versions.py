"""Versions of an own set: images move to another class, or are added.

A version never changes, for networks were trained on it. Each change makes the next version, of
the newest one there is, whichever was looked at. Images keep their numbers from version to
version, and new ones come behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cnnkit.datasets._store import Card, Entry, ImageStore
from cnnkit.datasets.folders.entries import (
    Imported,
    Origin,
    card_of,
    check_classes,
    name_of,
    numbered,
    report_of,
)
from cnnkit.datasets.folders.imported import changeable_card, list_own
from cnnkit.datasets.folders.report import ImportReport, Notebook
from cnnkit.errors import InvalidImagesError, StorageError
from cnnkit.people import LOCAL, Person

CHANGE = "Version "  # how a note of the report begins that tells a change


def versions(name: str) -> list[str]:
    """Names of the versions of an own set that are here, the oldest first.

    Args:
        name: of any of them.
    """
    cards = _cards()
    card = cards.get(name) or ImageStore.of().deleted_card(name)
    first = (card and card.first) or name
    related = [key for key, card in cards.items() if first in (key, card.first)]
    return sorted(related, key=lambda key: cards[key].version)


def newest_own() -> list[str]:
    """Names of the newest versions of all own sets, by title."""
    cards = _cards()
    newest: dict[str, str] = {}
    for key in sorted(cards, key=lambda key: cards[key].version):
        newest[cards[key].first or key] = key
    return [key for key in cards if key in newest.values()]


def move_images(name: str, numbers: Sequence[int], to: str, *, person: Person = LOCAL) -> Imported:
    """Correct labels: move images of an own set to another class, in its next version.

    Args:
        name: of any version.
        numbers: of the images.
        to: name of a class of the newest version.
        person: who asks.

    Raises:
        UnknownDatasetError, NotAllowedError: there is no such set, or it is another's.
        InvalidImagesError: there is nothing to move, or too few images are left.
    """
    with next_version(name, person) as (entry, origin):
        labels = list(entry.classes)
        if to not in entry.card.class_names:
            names = ", ".join(entry.card.class_names)
            raise InvalidImagesError(f"{origin.title} has no class {to!r}. It has: {names}.")
        if not all(0 <= number < len(labels) for number in numbers):
            raise InvalidImagesError(
                f"{origin.title} has images 0 to {len(labels) - 1:,}. "
                f"Received: {', '.join(map(str, list(numbers)[:5]))}."
            )
        moved = Counter(labels[number] for number in set(numbers) if labels[number] != to)
        if not moved:
            raise InvalidImagesError(
                f"The chosen images are of class {to!r} already. Choose others, or another class."
            )
        for number in numbers:
            labels[number] = to
        words = ", ".join(f"{count:,} from {label}" for label, count in moved.items())
        return _relabeled(entry, labels, origin, f"{words} moved to {to}.")


@contextmanager
def next_version(name: str, person: Person) -> Iterator[tuple[Entry, Origin]]:
    """The newest version of an own set, and what its next one is, while nobody else makes one.

    Args:
        name: of any version.
        person: who makes it.

    Raises:
        UnknownDatasetError, NotAllowedError: there is no such set, or it is another's.
    """
    card = changeable_card(name, person)
    first, store = card.first or name, ImageStore.of()
    with store.locked(f"{first}.versions"):
        entry = store.read(versions(name)[-1])
        if entry is None:
            raise StorageError(f"The images of {card.title} were deleted. Import them again.")
        yield (
            entry,
            Origin(
                title=entry.card.title,
                files=ImportReport.from_dict(entry.card.report).source,
                source=entry.card.source,
                owner=Person(entry.card.owner, entry.card.owner_name),
                first=first,
                version=entry.card.version + 1,
            ),
        )


def changes(entry: Entry) -> list[str]:
    """What was changed from version to version until this one, in sentences."""
    notes = ImportReport.from_dict(entry.card.report).notes
    return [note for note in notes if note.startswith(CHANGE)]


def _relabeled(entry: Entry, labels: Sequence[str], origin: Origin, change: str) -> Imported:
    earlier = ImportReport.from_dict(entry.card.report)
    note = f"{CHANGE}{origin.version}: {change}"
    notes = Notebook(list(earlier.left_out), earlier.system_files, [*changes(entry), note])
    check_classes(Counter(labels), origin.title, notes)
    classes, indices = numbered(labels)
    labeled = list(zip(entry.names, labels, strict=True))
    report = report_of(labeled, indices, entry.pixel_groups, notes, origin)
    fingerprint = entry.card.fingerprint
    name = name_of(fingerprint, classes, indices, origin)
    card = card_of(fingerprint, classes, indices, report, origin, entry.card.side)
    ImageStore.of().relabel(entry.key, name, card, indices.tolist())
    return Imported(name, report, True)


def _cards() -> dict[str, Card]:
    """What is known of each own set that is here, by title."""
    store = ImageStore.of()
    return {key: card for key in list_own() if (card := store.card(key))}
