"""What a browser sends of its camera, checked: it may be anything."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnkit.datasets.folders import is_own
from cnnkit.errors import InvalidImagesError, LimitError

SIDE = 256  # pixels of an image: as data sets keep them
MOST = 1000  # images of one data set that are taken at once
MOST_CLASSES = 100
MOST_BYTES = 256 * 1024  # of one image; a JPEG of such a side has some 20,000
LONGEST = 200  # letters of a name or title, which are cut later
TOKEN = 64  # letters


@dataclass(frozen=True)
class Shots:
    """Images that a browser took, class by class.

    Args:
        images: the files of each class, by its name; nothing is known of what is in them.
        title: of the data set.
        add_to: name of the own set that they are added to; "": of none.
    """

    images: dict[str, list[bytes]]
    title: str
    add_to: str

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(len(data) for files in self.images.values() for data in files)


@dataclass(frozen=True)
class CameraFrame:
    """What a camera shows now.

    Args:
        run: names the element of the page that asks.
        number: of the frame, for its answer.
        image: the image file.
    """

    run: str
    number: int
    image: bytes


def token_of(sent: Any) -> str:
    """By which the browser knows what it has sent; "" where it says none."""
    token = sent.get("token") if isinstance(sent, Mapping) else None
    return token[:TOKEN] if isinstance(token, str) else ""


def checked_shots(sent: Any) -> Shots:
    """The images of the trigger "shots".

    Raises:
        InvalidImagesError: it is nothing that the component sends, or two classes have one name.
        LimitError: there are too many images, or one is too large.
    """
    if not isinstance(sent, Mapping) or not isinstance(sent.get("classes"), list):
        raise _nonsense()
    if len(sent["classes"]) > MOST_CLASSES:
        raise LimitError(
            f"{len(sent['classes']):,} classes were sent; at most {MOST_CLASSES} can be taken with "
            "the camera. Import a ZIP for more."
        )
    images: dict[str, list[bytes]] = {}
    for one in sent["classes"]:
        name, files = _class(one)
        if name in images:
            raise InvalidImagesError(f"Two classes cannot have the same name, {name!r}.")
        images[name] = files
        if sum(map(len, images.values())) > MOST:
            raise LimitError(f"More than {MOST:,} images were sent. Take fewer, and add the rest.")
    add_to = _text(sent.get("add_to", ""))
    if add_to and not is_own(add_to):
        raise InvalidImagesError("Images can be added to a data set of your own alone.")
    return Shots(images, _text(sent.get("title", "")), add_to)


def checked_frame(sent: Any) -> CameraFrame:
    """The frame of the trigger "frame".

    Raises:
        InvalidImagesError: it is nothing that the component sends.
        LimitError: it is too large.
    """
    if not isinstance(sent, Mapping):
        raise _nonsense()
    run, number = sent.get("run"), sent.get("number")
    if not isinstance(run, str) or not isinstance(number, int) or abs(number) > 2**53:
        raise _nonsense()
    return CameraFrame(run[:TOKEN], number, _decoded(sent.get("image")))


def _class(one: Any) -> tuple[str, list[bytes]]:
    if not isinstance(one, Mapping) or not isinstance(one.get("images"), list):
        raise _nonsense()
    if len(one["images"]) > MOST:
        raise LimitError(f"More than {MOST:,} images were sent. Take fewer, and add the rest.")
    return _text(one.get("name")), list(map(_decoded, one["images"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _nonsense()
    return value[:LONGEST]


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise _nonsense()
    if len(text) > 4 * MOST_BYTES // 3 + 4:
        raise LimitError(f"An image of the camera has more than {MOST_BYTES // 1024} KB.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _nonsense() from error


def _nonsense() -> InvalidImagesError:
    return InvalidImagesError(
        "What the browser sent are no images of its camera. Reload this page, and take them again."
    )
