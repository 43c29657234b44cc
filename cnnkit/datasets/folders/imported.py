"""The data sets that people imported: their names, cards and images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnnkit.datasets._images import DatasetOptions, refuse_redrawing, split_dataset
from cnnkit.datasets._store import CARD, Card, ImageStore
from cnnkit.datasets._types import Dataset, DatasetSpec
from cnnkit.datasets.folders.names import clean
from cnnkit.datasets.folders.report import ImportReport
from cnnkit.errors import InvalidImagesError, StorageError, UnknownDatasetError
from cnnkit.files import Fetch, folder_bytes
from cnnkit.people import LOCAL, Person, check_owner

PREFIX = "own-"
_NAME = re.compile(r"own-[0-9a-f]+")
SOURCE = "imported here"
LICENSE = "as their owners say"
VERSION = ", version {}"  # after the title of all versions but the first


def is_own(name: str) -> bool:
    """Whether a name is one that imports give."""
    return isinstance(name, str) and name.startswith(PREFIX)


def list_own() -> list[str]:
    """Names of the imported sets, by title."""
    store = ImageStore.of()
    names = filter(is_own, store.keys())
    return sorted(names, key=lambda name: ((card := store.card(name)) and card.title or "", name))


def own_info(name: str) -> DatasetSpec:
    """What is known about an imported set without its images, also when they were deleted.

    Raises:
        UnknownDatasetError: lists those there are.
        StorageError: its files are damaged.
    """
    stored = name in ImageStore.of().keys()
    card = _card(name) if stored else _deleted(name)
    tested = int(card.report.get("tested", 0))
    return DatasetSpec(
        name=name,
        title=_title(card),
        input_shape=(card.side, card.side, 3),
        class_names=card.class_names,
        images=(sum(card.counts) - tested, tested),
        description=f"{sum(card.counts):,} images of your own, imported on {card.made[:10]}.",
        source=card.source,
        license=card.license,
        embedded=False,
        kind="own",
        deleted=not stored,
        owner=card.owner,
        owner_name=card.owner_name,
    )


def load_own(spec: DatasetSpec, choice: DatasetOptions) -> Dataset:
    """Map an imported set into memory and divide it.

    Raises:
        StorageError: its images were deleted, or are damaged.
        IncompatibleError: the sizes asked for are more than there are.
    """
    refuse_redrawing(spec.title, choice)
    entry = ImageStore.of().read(spec.name)
    if entry is None:
        raise StorageError(
            f"The images of {spec.title} were deleted. Import them again: the same images in "
            f"the same classes are {spec.name} again."
        )
    return split_dataset(spec, entry, choice.split)


def stored_folder(name: str) -> Path | None:
    """The folder with the files of an imported set; None: its images are not here."""
    store = ImageStore.of()
    return store.folder / name if is_own(name) and name in store.keys() else None


def receive(name: str, size: int, fetch: Fetch) -> None:
    """Keep a copy of a set that was imported on another machine, for as long as there is room.

    A copy that is here gets the title and the names of classes that the set has now. A set that
    was imported here stays as it is.

    Args:
        name: of the set.
        size: bytes of its files.
        fetch: writes its files into a folder, or those of some names.

    Raises:
        UnknownDatasetError: no import gives such a name.
        LimitError: there is not enough room; says what would help.
        StorageError: what came is no set of images.
    """
    if not _NAME.fullmatch(name):
        raise UnknownDatasetError(name, list_own())
    store = ImageStore.of()
    card = store.card(name)
    if card is None:
        store.get_or_make(name, lambda: store.receive(name, size, lambda path: fetch(path, None)))
    elif card.derived:
        store.receive_card(name, lambda path: fetch(path, (CARD,)))


def import_report(name: str) -> ImportReport:
    """What was left out of an imported set, and why.

    Raises:
        UnknownDatasetError: lists those there are.
    """
    return ImportReport.from_dict(_card(name).report)


def rename(
    name: str,
    *,
    title: str | None = None,
    classes: Sequence[str] | None = None,
    person: Person = LOCAL,
) -> None:
    """Give a set another title, or its classes other names. Its own name stays.

    Args:
        name: of the set.
        title: for people; None: as it is.
        classes: one for each class, in their order; None: as they are.
        person: who asks.

    Raises:
        UnknownDatasetError: lists those there are.
        NotAllowedError: it belongs to somebody else.
        InvalidImagesError: a name is empty or there twice.
    """
    card = changeable_card(name, person)
    if title is not None:
        version = VERSION.format(card.version) if card.version > 1 else ""
        card = replace(card, title=_named(title.removesuffix(version), "A title"))
    if classes is not None:
        card = replace(card, class_names=checked_class_names(classes, len(card.class_names)))
    ImageStore.of().rewrite(name, card)


def delete(name: str, *, person: Person = LOCAL) -> None:
    """Delete the images of an imported set, for good.

    Its title and the names of its classes stay known, for the networks that were trained on it.

    Raises:
        UnknownDatasetError: lists those there are.
        NotAllowedError: it belongs to somebody else.
    """
    if not is_own(name):
        raise UnknownDatasetError(name, list_own())
    changeable_card(name, person)
    ImageStore.of().delete(name, remember=True)


def own_bytes(owner: str) -> int:
    """What the imported sets of a person take on disk."""
    folder = ImageStore.of().folder
    return folder_bytes(*(folder / name for name in list_own() if own_info(name).owner == owner))


def changeable_card(name: str, person: Person) -> Card:
    """What is known of an imported set, for who may change it.

    Raises:
        UnknownDatasetError: lists those there are.
        NotAllowedError: it belongs to somebody else.
    """
    card = _card(name)
    check_owner(person, card.owner, f"The data set {card.title!r}")
    return card


def _title(card: Card) -> str:
    return card.title + (VERSION.format(card.version) if card.version > 1 else "")


def _card(name: str) -> Card:
    card = ImageStore.of().card(name) if name in ImageStore.of().keys() else None
    if card is None:
        raise UnknownDatasetError(name, list_own())
    return card


def _deleted(name: str) -> Card:
    # A name from an address may hold slashes; those that imports give do not.
    card = ImageStore.of().deleted_card(name) if _NAME.fullmatch(name) else None
    if card is None:
        raise UnknownDatasetError(name, list_own())
    return card


def _named(text: str, what: str) -> str:
    name = clean(text)
    if not name:
        raise InvalidImagesError(f"{what} needs at least one letter. Received: {text!r}.")
    return name


def checked_class_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Names of so many classes, cleaned.

    Raises:
        InvalidImagesError: there are more or fewer, or one is empty or there twice.
    """
    cleaned = tuple(_named(name, "The name of a class") for name in names)
    if len(cleaned) != count:
        raise InvalidImagesError(f"{count} names are needed, one a class. Received: {len(names)}.")
    twice = next((name for name in cleaned if cleaned.count(name) > 1), None)
    if twice is not None:
        raise InvalidImagesError(f"Two classes cannot have the same name, {twice!r}.")
    return cleaned
