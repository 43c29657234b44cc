"""Data sets of images on disk: decoded once, mapped into memory, bounded.

An entry is a folder: `images.npy` (uint8, images × side × side × 3), `pictures.json`
(file, label and pixel group of each) and `card.json` (what can be known without them). It is
written under another name and renamed, so that none is ever half there; what a crash
leaves is removed by whoever writes next.

Entries that can be made again (drawn, decoded from a file that is still here, or fetched from
another machine) go when room is needed, the least used first. A person's own images never do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from filelock import FileLock, Timeout

from cnnkit.errors import LimitError, StorageError
from cnnkit.files import folder_bytes
from cnnkit.settings import Settings, get_settings

CARD, LISTING, IMAGES = "card.json", "pictures.json", "images.npy"
DELETED = ".deleted"  # folder of cards whose images are gone
VERSION = 1  # of an entry; raised when the same source gives other pixels
RESERVED_DISK = 512 * 2**20  # bytes of the disk that stay free
LOCK_SECONDS = 600.0  # while another process decodes the same images
ASIDE = ".aside-"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What can be known about an entry without its images. Plain values."""

    title: str
    class_names: tuple[str, ...]
    counts: tuple[int, ...]  # images of each class
    side: int  # pixels
    source: str
    license: str
    fingerprint: str  # of the pixels, in their order
    derived: bool  # can be made again
    made: str = ""  # ISO 8601, in UTC
    report: dict[str, Any] = field(default_factory=dict)  # of an import
    owner: str = ""  # id of the person who imported it; "": the local one
    owner_name: str = ""  # for people
    first: str = ""  # key of the first version of the same images; "": this is the first
    version: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """The images of an entry. `images` is mapped, read only."""

    key: str
    card: Card
    images: np.ndarray  # uint8 (images, side, side, 3)
    labels: np.ndarray  # int64 (images,)
    names: tuple[str, ...]  # of the files
    pixel_groups: np.ndarray  # int64 (images,); equal numbers: equal pixels

    @property
    def classes(self) -> list[str]:
        """Name of each image's class."""
        return [self.card.class_names[label] for label in self.labels.tolist()]


class ImageStore:
    """A folder of entries.

    Args:
        folder: made when needed.
        max_bytes: of all entries together.
    """

    def __init__(self, folder: Path, max_bytes: int):
        """Touch nothing yet."""
        self.folder = folder
        self.max_bytes = max_bytes

    @classmethod
    def of(cls, settings: Settings | None = None) -> ImageStore:
        """The store of this installation."""
        settings = settings or get_settings()
        _move_former(settings.home / "pictures", settings.images)
        return cls(settings.images, settings.images_memory)

    def keys(self) -> list[str]:
        """Names of the entries."""
        if not self.folder.is_dir():
            return []
        return sorted(
            entry.name
            for entry in self.folder.iterdir()
            if entry.is_dir() and not entry.name.startswith(".")
        )

    def card(self, key: str) -> Card | None:
        """What is known about an entry; None: there is none.

        Raises:
            StorageError: it is damaged.
        """
        return self._card(key, self.folder / key / CARD)

    def deleted_card(self, key: str) -> Card | None:
        """What was known about an entry that was deleted and remembered.

        Raises:
            StorageError: it is damaged.
        """
        return self._card(key, self.folder / DELETED / f"{key}.json")

    def _card(self, key: str, path: Path) -> Card | None:
        try:
            values = json.loads(path.read_text("utf-8"))
            values["class_names"] = tuple(values["class_names"])
            values["counts"] = tuple(values["counts"])
            if "licence" in values:  # as earlier versions spelled it
                values["license"] = values.pop("licence")
            return Card(**values)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise self._damaged(key, error) from error

    def rewrite(self, key: str, card: Card) -> None:
        """Give an entry another card, with the same images."""
        aside = self.folder / key / f".{uuid.uuid4().hex}"
        aside.write_text(json.dumps(asdict(card)), "utf-8")
        aside.replace(self.folder / key / CARD)

    def read(self, key: str) -> Entry | None:
        """An entry with its images mapped; None: there is none.

        Raises:
            StorageError: it is damaged.
        """
        card, entry = self.card(key), self.folder / key
        if card is None:
            return None
        try:
            listing = json.loads((entry / LISTING).read_text("utf-8"))
            images = np.load(entry / IMAGES, mmap_mode="r", allow_pickle=False)
            labels = np.array(listing["labels"], np.int64)
            stored = Entry(
                key=key,
                card=card,
                images=images,
                labels=labels,
                names=tuple(listing["names"]),
                pixel_groups=np.array(listing["twins"], np.int64),
            )
            _check(stored)
            os.utime(entry)  # used now
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise self._damaged(key, error) from error
        return stored

    def delete(self, key: str, *, remember: bool = False) -> None:
        """Remove an entry. What has it mapped keeps it until it lets go.

        Args:
            key: of the entry.
            remember: keep its card, without the report.
        """
        card = self.card(key) if remember else None
        if card is not None:
            (self.folder / DELETED).mkdir(exist_ok=True)
            text = json.dumps(asdict(replace(card, report={})))
            (self.folder / DELETED / f"{key}.json").write_text(text, "utf-8")
        aside = self.folder / f"{ASIDE}{uuid.uuid4().hex}"
        try:
            (self.folder / key).rename(aside)  # gone at once, whatever removing it takes
        except FileNotFoundError:
            return
        shutil.rmtree(aside, ignore_errors=True)

    def get_or_make(self, key: str, make: Callable[[], Entry]) -> Entry:
        """An entry that can be made again, made now if it is not here or is damaged.

        Of several processes that need it at once, one makes it and the others wait.

        Args:
            key: of the entry.
            make: writes it, and returns it.
        """
        stored = self._sound(key)
        if stored is not None:
            return stored
        with self.locked(key):
            return self._sound(key) or make()

    @contextlib.contextmanager
    def writing(self, images: int, side: int) -> Iterator[Writer]:
        """A place to write an entry; without `Writer.keep`, nothing of it stays.

        Args:
            images: as many as there may be.
            side: pixels of each.

        Raises:
            LimitError: there is not enough room; says what would help.
        """
        with self._aside(images * side * side * 3) as aside, (aside / IMAGES).open("w+b") as file:
            yield Writer(self, aside, file, side)

    def relabel(self, source: str, key: str, card: Card, labels: Sequence[int]) -> Entry:
        """Make an entry of another's images in other classes.

        Both share the file of the images, where the disk can: it takes no more room.

        Args:
            source: key of the other entry.
            key: of the new one. One of that name that is there already stays.
            card: of the new one.
            labels: of each image.

        Raises:
            LimitError: the disk is full.
            StorageError: the other entry is gone, or damaged.
        """
        if self.read(source) is None:
            raise StorageError(f"The images of {source} were deleted.")
        listing = json.loads((self.folder / source / LISTING).read_text("utf-8"))
        listing["labels"] = [int(k) for k in labels]
        with self._aside(0) as aside, _written(self.folder):
            _share(self.folder / source / IMAGES, aside / IMAGES)
            (aside / LISTING).write_text(json.dumps(listing), "utf-8")
            (aside / CARD).write_text(json.dumps(asdict(card)), "utf-8")
            with contextlib.suppress(OSError):  # it is there already
                aside.rename(self.folder / key)
        entry = self.read(key)
        if entry is None:
            raise StorageError(f"The images of {key} were deleted while they were written.")
        return entry

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Keep other processes from doing the same thing meanwhile.

        Raises:
            StorageError: another one has been doing it for too long.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / f".{name}.lock", timeout=LOCK_SECONDS):
                yield
        except Timeout as error:
            raise StorageError(
                f"Another process has been writing the images of {name} for {LOCK_SECONDS:.0f} s. "
                "Try again when it has ended."
            ) from error

    def receive(self, key: str, size: int, fetch: Callable[[Path], object]) -> Entry:
        """Have the files of an entry that another machine keeps written here.

        Args:
            key: of the entry.
            size: bytes of its files.
            fetch: writes them into a folder.

        Raises:
            LimitError: there is not enough room; says what would help.
            StorageError: what came is no entry.
        """
        with self._aside(size) as aside:
            with _written(self.folder):
                fetch(aside)
            self._mark_as_copy(key, aside)
            with contextlib.suppress(OSError):  # another process was first
                aside.rename(self.folder / key)
        entry = self.read(key)
        if entry is None:
            raise StorageError(f"The images of {key} were deleted while they were fetched.")
        return entry

    def receive_card(self, key: str, fetch: Callable[[Path], object]) -> None:
        """Give a copy the card that the entry has now on the machine that keeps it."""
        with self._aside(0) as aside:
            fetch(aside)
            self.rewrite(key, self._mark_as_copy(key, aside))

    def _mark_as_copy(self, key: str, folder: Path) -> Card:
        """Let an entry of another machine be one that may go when room is needed here."""
        card = self._card(key, folder / CARD)
        if card is None:
            raise StorageError(f"The images of {key} came without their card.")
        card = replace(card, derived=True)
        (folder / CARD).write_text(json.dumps(asdict(card)), "utf-8")
        return card

    @contextlib.contextmanager
    def _aside(self, size: int) -> Iterator[Path]:
        """A folder for so many bytes, which goes unless it is renamed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        self.make_room(size)
        name = f"{ASIDE}{uuid.uuid4().hex}"
        # Whoever sweeps takes away what nobody holds: the lock ends with its process.
        lock = FileLock(self.folder / f"{name}.lock")
        with lock:
            aside = self.folder / name
            aside.mkdir()
            try:
                yield aside
            finally:
                shutil.rmtree(aside, ignore_errors=True)
                Path(lock.lock_file).unlink(missing_ok=True)

    def make_room(self, needed: int) -> None:
        """Drop entries that can be made again until so many bytes fit.

        Raises:
            LimitError: they do not even then; nothing was dropped.
        """
        sizes = {key: _size(self.folder / key) for key in self.keys()}
        droppable = sorted(filter(self._derived, sizes), key=self._last_used)
        held = folder_bytes(*(self.folder / key for key in sizes))  # shared files count once
        free = shutil.disk_usage(self.folder).free - RESERVED_DISK
        dropped = []
        while droppable and (held + needed > self.max_bytes or needed > free):
            dropped.append(droppable.pop(0))
            held -= sizes[dropped[-1]]
            free += sizes[dropped[-1]]
        if held + needed > self.max_bytes:
            raise LimitError(
                f"These images need {_gigabytes(needed)}; at most "
                f"{_gigabytes(self.max_bytes)} may be stored, and imported sets take "
                f"{_gigabytes(held)} of them. Delete a set, or raise CNNKIT_IMAGES_MEMORY."
            )
        if needed > free:
            raise LimitError(
                f"These images need {_gigabytes(needed)}, and the disk of {self.folder} has "
                f"{_gigabytes(max(0, free))} free. Delete a set, or make room."
            )
        for key in dropped:
            self.delete(key)

    def _sound(self, key: str) -> Entry | None:
        try:
            return self.read(key)
        except StorageError:
            self.delete(key)
            return None

    def _derived(self, key: str) -> bool:
        try:
            card = self.card(key)
        except StorageError:
            return False  # perhaps somebody's own: not ours to throw away
        return card is not None and card.derived

    def _last_used(self, key: str) -> float:
        try:
            return (self.folder / key).stat().st_mtime
        except FileNotFoundError:  # another process dropped it
            return 0.0

    def _sweep(self) -> None:
        for aside in self.folder.glob(f"{ASIDE}*"):
            if not aside.is_dir():
                continue
            lock = FileLock(self.folder / f"{aside.name}.lock", timeout=0)
            try:
                with lock:
                    shutil.rmtree(aside, ignore_errors=True)
            except Timeout:
                continue
            Path(lock.lock_file).unlink(missing_ok=True)

    def _damaged(self, key: str, error: Exception) -> StorageError:
        return StorageError(
            f"The images of {key} in {self.folder / key} are damaged ({error}). Delete that "
            "folder, and import them again."
        )


class Writer:
    """Images on their way to disk, one after the other; few are in memory at once."""

    def __init__(self, store: ImageStore, aside: Path, file: IO[bytes], side: int):
        """Leave room for the header, whose length does not depend on the number."""
        self._store, self._aside, self._file, self.side = store, aside, file, side
        self._digests: list[str] = []
        self._write_header()

    @property
    def digests(self) -> Sequence[str]:
        """Of the pixels of each image so far."""
        return self._digests

    def add(self, image: np.ndarray, pixels: str | None = None) -> None:
        """Write an image.

        Args:
            image: uint8 (side, side, 3).
            pixels: its `digest`, where it is known already.

        Raises:
            LimitError: the disk is full.
        """
        if image.shape != (self.side, self.side, 3) or image.dtype != np.uint8:
            raise ValueError(
                f"`image` must be uint8 of {(self.side, self.side, 3)}. "
                f"Received: {image.dtype} {image.shape}."
            )
        with _written(self._store.folder):
            self._file.write(np.ascontiguousarray(image).data)
        self._digests.append(pixels or digest(image))

    def keep(
        self,
        key: str | Callable[[str], str],
        card: Callable[[str], Card],
        labels: Sequence[int],
        names: Sequence[str],
    ) -> Entry:
        """End the entry and give it its name.

        An entry of that name that is there already stays: it holds the same images.

        Args:
            key: of the entry; or what makes it of the fingerprint.
            card: made of the fingerprint.
            labels: of each image.
            names: of each image's file.

        Raises:
            LimitError: the disk is full.
        """
        fingerprint = hashlib.sha256("".join(self._digests).encode()).hexdigest()
        numbers: dict[str, int] = {}
        pixel_groups = [numbers.setdefault(one, len(numbers)) for one in self._digests]
        listing = {"labels": [int(k) for k in labels], "names": list(names), "twins": pixel_groups}
        with _written(self._store.folder):
            self._write_header()
            self._file.flush()
            os.fsync(self._file.fileno())
            (self._aside / LISTING).write_text(json.dumps(listing), "utf-8")
            (self._aside / CARD).write_text(json.dumps(asdict(card(fingerprint))), "utf-8")
        key = key if isinstance(key, str) else key(fingerprint)
        with contextlib.suppress(OSError):  # it is there already, with the same images
            self._aside.rename(self._store.folder / key)
        entry = self._store.read(key)
        if entry is None:
            raise StorageError(f"The images of {key} were deleted while they were written.")
        return entry

    def _write_header(self) -> None:
        self._file.seek(0)
        shape = (len(self._digests), self.side, self.side, 3)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._file.seek(0, os.SEEK_END)


def _share(file: Path, name: Path) -> None:
    """Give a file a second name; a copy, where the disk knows no such thing."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copyfile(file, name)


def _move_former(former: Path, folder: Path) -> None:
    """Move the entries of an earlier version, whose folder had another name, once."""
    if not former.is_dir():
        return
    with FileLock(former.with_name(".images.lock"), timeout=LOCK_SECONDS):
        for old in [*former.glob(f"{DELETED}/*"), *former.iterdir()] if former.is_dir() else []:
            new = folder / old.relative_to(former)
            if new.exists():
                continue
            new.parent.mkdir(parents=True, exist_ok=True)
            old.rename(new)
        shutil.rmtree(former, ignore_errors=True)  # what is left is there twice


@contextlib.contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LimitError(
            f"The images cannot be written to {folder}: {error.strerror}. Make room there."
        ) from error


def digest(image: np.ndarray) -> str:
    """A name for an image's pixels."""
    return hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()


def _check(entry: Entry) -> None:
    side, count = entry.card.side, sum(entry.card.counts)
    if entry.images.shape != (count, side, side, 3) or entry.images.dtype != np.uint8:
        raise ValueError(f"{IMAGES} holds {entry.images.dtype} {entry.images.shape}")
    if not len(entry.labels) == len(entry.names) == len(entry.pixel_groups) == count:
        raise ValueError(f"{LISTING} does not list {count} images")
    classes = len(entry.card.class_names)
    if count and not 0 <= entry.labels.min() <= entry.labels.max() < classes:
        raise ValueError(f"{LISTING} has labels beyond the {classes} classes")


def _size(folder: Path) -> int:
    try:
        return sum(file.stat().st_size for file in folder.iterdir())
    except FileNotFoundError:  # another process dropped it
        return 0


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
