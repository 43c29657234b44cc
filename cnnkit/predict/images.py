"""Images for a network: of any size fitted to its input, and examples to try."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cnnkit.image_decoding import decode
from cnnkit.image_decoding import warm_up as load_decoders

# Way to fit -> what it does, shown to people.
FITS = {
    "crop": "the middle, as large as it goes: nothing is distorted, the edges are lost",
    "stretch": "everything, squeezed into the square: shapes are distorted",
    "pad": "everything, with gray beside it: nothing is lost, all is smaller",
}
GRAY = (124, 116, 104)  # the mean color of ImageNet, which a network takes for nothing


def prepare(image: np.ndarray, input_shape: tuple[int, int, int], fit: str = "crop") -> np.ndarray:
    """Fit an image to a network's input.

    Args:
        image: uint8 (height, width, 1 or 3), 0 to 255.
        input_shape: (height, width, channels) of the network.
        fit: key of `FITS`.

    Returns:
        uint8, of `input_shape`: the exact input of the network.
    """
    if fit not in FITS:
        raise ValueError(f"`fit` must be one of {', '.join(FITS)}. Received: {fit!r}.")
    height, width, channels = input_shape
    fitted = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    fitted = fitted.convert("RGB" if channels == 3 else "L")
    if fit == "pad":
        fitted = _padded(fitted, width, height)
    else:
        box = _middle(fitted.size, width / height) if fit == "crop" else None
        fitted = _resized(fitted, (width, height), box)
    array = np.asarray(fitted)
    return array if channels == 3 else array[..., None]


def decode_prepared(data: bytes, input_shape: Sequence[int], fit: str) -> dict[str, Any]:
    """Decode an image file and fit it to a network's input. For children: see `cnnkit.sandbox`.

    Returns:
        "seen", what `prepare` returns; "notes", how it was converted.

    Raises:
        InvalidImageError: it cannot be read; says why.
    """
    decoded = decode(data)  # as a single one is read: it must get the same answer
    height, width, channels = input_shape
    seen = prepare(decoded["array"], (height, width, channels), fit)
    return {"seen": seen, "notes": decoded["notes"]}


def warm_up() -> None:
    """Load what `decode_prepared` needs: see `cnnkit.image_decoding.warm_up`."""
    load_decoders()


def _middle(size: tuple[int, int], ratio: float) -> tuple[float, float, float, float]:
    """The largest box of a ratio (width / height) in the middle: (left, top, right, bottom)."""
    width, height = size
    wide, high = min(width, height * ratio), min(height, width / ratio)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def _resized(image: Image.Image, size: tuple[int, int], box=None) -> Image.Image:
    # The gap lets Pillow shrink by whole numbers first: as good to the eye, several times faster.
    return image.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)


def _padded(image: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    gray = GRAY if image.mode == "RGB" else round(sum(GRAY) / 3)
    square = Image.new(image.mode, (width, height), gray)
    square.paste(_resized(image, size), ((width - size[0]) // 2, (height - size[1]) // 2))
    return square


def example_photos(data_dir: Path | None) -> dict[str, Path]:
    """Photos that are on every machine (scikit-learn ships two), and the operator's own.

    Args:
        data_dir: the operator's folder, whose `photos` come first; None: there is none.

    Returns:
        Title → its file.
    """
    folder = resources.files("sklearn.datasets") / "images"
    paths = [Path(str(folder / name)) for name in ("flower.jpg", "china.jpg")]
    if data_dir:
        paths = [*sorted((data_dir / "photos").glob("*.jpg")), *paths]
    return {path.stem.replace("_", " "): path for path in paths}
