"""Convert a user's digit to the form of MNIST: locate, invert and center it.

MNIST's digits were scaled into a box of 20×20 pixels with their aspect ratio, in gray
levels because of the smoothing, and laid into 28×28 pixels with their center of mass in
the middle (Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits).
A network trained on those misreads anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from cnnkit.errors import InvalidImageError

SIDE = 28  # pixels of the image
BOX = 20  # pixels of the longer side of the digit
CENTER = 14  # row and column of the center of mass, as measured on MNIST (±.5)
THINNEST = 2.2  # pixels; 19 of 20 digits of MNIST have strokes at least nearly that wide
WORKING_SIDE = 512  # pixels; larger images are searched at this size
LEAST_CONTRAST = 28  # of 255, between ink and paper


@dataclass(frozen=True, eq=False)
class Handwriting:
    """A digit in the form of MNIST, and where it is in the image.

    Args:
        image: uint8 (28, 28, 1), 0 paper to 255 ink.
        box: left, top, right, bottom in pixels of the image; right and bottom
            lie outside.
        inverted: whether the ink was darker than the paper.
    """

    image: np.ndarray
    box: tuple[int, int, int, int]
    inverted: bool


def from_drawing(drawing: np.ndarray) -> Handwriting | None:
    """A digit drawn in light ink on a black canvas.

    Args:
        drawing: uint8 (height, width), 0 to 255.

    Returns:
        None where nothing is drawn.
    """
    ink = _gray(drawing)
    if ink.max() < LEAST_CONTRAST:
        return None
    box = _bounds(ink > ink.max() / 4)
    return Handwriting(_laid_out(_cut(ink, box) / ink.max()), box, inverted=False)


def from_photo(photo: np.ndarray) -> Handwriting:
    """A digit on paper or on a board, dark on light or light on dark.

    Uneven light is evened out, the ink is separated from the paper, and the largest piece of
    writing, with what belongs to it, is taken. Thin pens become as wide as MNIST's.

    Args:
        photo: uint8 (height, width) or (height, width, 1), 0 to 255.

    Raises:
        InvalidImageError: no writing was found.
    """
    from scipy import ndimage  # Home must not wait for its import

    gray = _gray(photo)
    shrink = max(1.0, max(gray.shape) / WORKING_SIDE)
    if shrink > 1:
        height, width = (max(1, round(side / shrink)) for side in gray.shape)
        small = Image.fromarray(np.float32(gray)).resize((width, height), Image.Resampling.BOX)
        gray = np.asarray(small, dtype=np.float64)
    ink, dark = _ink(gray)
    threshold = _otsu(ink)
    if threshold is None:
        raise InvalidImageError(
            "No writing was found in the image. Write one digit large, with a thick dark pen "
            "on plain white paper, and let it fill most of the image."
        )
    mask = _writing(ink > threshold)
    # Once more around the writing: a table's edge elsewhere must not set its threshold.
    around = _around(mask)
    threshold = _otsu(ink[around]) or threshold
    mask[around] &= ink[around] > threshold
    box = _bounds(mask)
    near = ndimage.binary_dilation(mask, iterations=max(1, round(max(gray.shape) / 150)))
    full = np.percentile(ink[mask], 60)
    shade = np.clip((ink - threshold / 2) / max(full - threshold / 2, 1e-6), 0, 1) * near
    digit = _thickened(_cut(shade, box), _cut(mask, box))
    left, top, right, bottom = (round(edge * shrink) for edge in box)
    return Handwriting(_laid_out(digit), (left, top, right, bottom), inverted=dark)


def _gray(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim != 2 or 0 in image.shape:
        raise InvalidImageError(
            f"A gray image of shape (height, width) is needed. Received: {image.shape}."
        )
    return image.astype(np.float64)


def _ink(gray: np.ndarray) -> tuple[np.ndarray, bool]:
    """How far each pixel is from its paper, toward the ink, and whether ink is dark."""
    # A digit is small beside a neighborhood of a half of the image, so the median
    # there is the paper's brightness, lamp and shadow included.
    from scipy import ndimage  # Home must not wait for its import

    step = max(1, max(gray.shape) // 64)
    coarse = gray[::step, ::step]
    reach = max(3, max(coarse.shape) // 2) | 1
    paper = ndimage.median_filter(coarse, size=reach, mode="nearest")
    paper = np.asarray(
        Image.fromarray(np.float32(paper)).resize(gray.shape[::-1], Image.Resampling.BICUBIC)
    )
    difference = ndimage.gaussian_filter(gray - paper, max(gray.shape) / 600)
    # Ink is the side that is far from the paper: its extremes outweigh the noise's.
    dark = -np.percentile(difference, 1) > np.percentile(difference, 99)
    return np.maximum(-difference if dark else difference, 0), bool(dark)


def _otsu(ink: np.ndarray) -> float | None:
    """The threshold that parts ink from paper best (Otsu, 1979); None: there is no ink."""
    if np.percentile(ink, 99.8) < LEAST_CONTRAST:
        return None
    counts, edges = np.histogram(ink, bins=128)
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    threshold = float(middles[np.nanargmax(between)])
    return max(threshold, LEAST_CONTRAST / 2)


def _writing(mask: np.ndarray) -> np.ndarray:
    """The largest piece of ink with what stands close to it, such as the bar of a 5."""
    from scipy import ndimage  # Home must not wait for its import

    reach = max(1, round(max(mask.shape) / 40))
    joined, _ = ndimage.label(ndimage.binary_dilation(mask, iterations=reach))
    sizes = np.bincount(joined[mask], minlength=joined.max() + 1).astype(float)
    # What runs out of the image is rather a shadow, a table or a finger.
    border = np.unique(np.concatenate([joined[0], joined[-1], joined[:, 0], joined[:, -1]]))
    inner = sizes.copy()
    inner[border] = 0
    best = inner if inner.max() > 0.1 * sizes[1:].max() else sizes
    best[0] = 0
    return mask & (joined == best.argmax())


def _around(mask: np.ndarray) -> tuple[slice, slice]:
    """The box of a piece of writing with a margin of a fifth of its longer side."""
    left, top, right, bottom = _bounds(mask)
    margin = max(right - left, bottom - top) // 5
    return (
        slice(max(0, top - margin), bottom + margin),
        slice(max(0, left - margin), right + margin),
    )


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _cut(values: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    left, top, right, bottom = box
    return values[top:bottom, left:right]


def _thickened(digit: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Widen strokes that would be thinner than MNIST's once the digit is in its box."""
    from scipy import ndimage  # Home must not wait for its import

    scale = max(mask.shape) / BOX
    inside = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    width = 2 * np.percentile(inside[mask], 90) - 1
    extra = round((THINNEST * scale - width) / 2)
    if extra < 1:
        return digit
    padded = np.pad(digit, extra)
    y, x = np.mgrid[-extra : extra + 1, -extra : extra + 1]
    return ndimage.grey_dilation(padded, footprint=x**2 + y**2 <= extra**2)


def _laid_out(digit: np.ndarray) -> np.ndarray:
    """Scale into the box, smooth as MNIST is, and put the center of mass in the middle.

    Args:
        digit: (height, width), 0 to 1, cut out closely.

    Returns:
        uint8 (28, 28, 1).
    """
    from scipy import ndimage  # Home must not wait for its import

    scale = BOX / max(digit.shape)
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    small = Image.fromarray(np.float32(digit)).resize((width, height), Image.Resampling.LANCZOS)
    values = np.clip(np.asarray(small, dtype=np.float64), 0, 1)
    values /= max(values.max(), 1e-6)
    rows, columns = ndimage.center_of_mass(values)
    height, width = values.shape
    top = int(np.clip(round(CENTER - rows), 0, SIDE - height))
    left = int(np.clip(round(CENTER - columns), 0, SIDE - width))
    image = np.zeros((SIDE, SIDE, 1), np.uint8)
    image[top : top + height, left : left + width, 0] = np.uint8(np.rint(255 * values))
    return image
