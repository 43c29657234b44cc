"""The archive `17flowers.tgz` as Oxford's Visual Geometry Group publishes it."""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from cnnkit.datasets._resizing import SIDE, squares
from cnnkit.datasets._store import VERSION, Card, Entry, ImageStore
from cnnkit.datasets._types import Progress, nothing
from cnnkit.errors import CorruptAssetError, InvalidImageError
from cnnkit.image_io import MAX_BYTES

# The classes stand one after another, 80 images each; the archive itself says nothing of
# them. The post's author found this order by comparing with sample images. Its table calls the
# first block Tulip and the eighth Daffodil: the images show it is the other way round.
CLASS_NAMES = (
    "Daffodil",
    "Snowdrop",
    "LilyValley",
    "Bluebell",
    "Crocus",
    "Iris",
    "Tigerlily",
    "Tulip",
    "Fritillary",
    "Sunflower",
    "Daisy",
    "ColtsFoot",
    "Dandelion",
    "Cowslip",
    "Buttercup",
    "Windflower",
    "Pansy",
)
PER_CLASS = 80
TEST = 10  # images of each class
VALIDATION = 10  # images of each class, of the 70 to learn from
IMAGES = PER_CLASS * len(CLASS_NAMES)
_MEMBER = re.compile(r"(?:\./)?jpg/image_(\d{4})\.jpg")


def stored(
    path: Path, store: ImageStore, *, source: str, license: str, progress: Progress = nothing
) -> Entry:
    """The images in the order of their numbers, decoded the first time.

    Args:
        path: of the archive.
        store: where they are kept, by the archive's content.
        source: authors and title.
        license: of the images.
        progress: called with the images so far and in all.

    Raises:
        CorruptAssetError: the archive is not what it should be.
        LimitError: there is no room.
    """
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()

    def make() -> Entry:
        files = _files(path)
        with store.writing(IMAGES, SIDE) as writer:
            for done, image in enumerate(squares(_in_order(path, files)), start=1):
                if isinstance(image, InvalidImageError):
                    raise CorruptAssetError(path, f"has a damaged image_{done:04d}.jpg ({image})")
                writer.add(image)
                progress(done, IMAGES)
            return writer.keep(
                key,
                lambda fingerprint: Card(
                    title="17 flowers",
                    class_names=CLASS_NAMES,
                    counts=(PER_CLASS,) * len(CLASS_NAMES),
                    side=SIDE,
                    source=source,
                    license=license,
                    fingerprint=fingerprint,
                    derived=True,
                ),
                labels=[number // PER_CLASS for number in range(IMAGES)],
                names=[f"image_{number:04d}.jpg" for number in range(1, IMAGES + 1)],
            )

    key = f"flowers17-{content[:16]}-{VERSION}"
    return store.get_or_make(key, make)


def _files(path: Path) -> dict[int, bytes]:
    """The packed images by number, 60 MB: in the archive they stand in any order."""
    files: dict[int, bytes] = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                match = _MEMBER.fullmatch(member.name)
                if match and member.isfile() and member.size <= MAX_BYTES:
                    packed = archive.extractfile(member)
                    if packed and 1 <= int(match[1]) <= IMAGES:
                        files[int(match[1])] = packed.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise CorruptAssetError(path, f"cannot be read as a .tgz archive ({error})") from error
    return files


def _in_order(path: Path, files: dict[int, bytes]) -> Iterator[bytes]:
    for number in range(1, IMAGES + 1):
        if number not in files:
            raise CorruptAssetError(path, f"has no jpg/image_{number:04d}.jpg")
        yield files.pop(number)
