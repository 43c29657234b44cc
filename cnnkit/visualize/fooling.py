"""Is it really that class? The image is shown to networks again, in forms a person has.

An optimized image can be adversarial to one network and to exact numbers. An image that is still
its class with whole gray levels, after JPEG, moved by some pixels, and to a network that
had no part in it, is less of one.

Reference:
    Nguyen, Yosinski, Clune 2014, "Deep Neural Networks are Easily Fooled".
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from cnnkit.models import Predictor
from cnnkit.predict import Prediction, prepare, softmax, top_k
from cnnkit.visualize.plan import Plan

JPEG_QUALITY = 75
SHIFT = 3  # pixels, to the right and down
EXACT, WHOLE, JPEG, MOVED = "as it is", "8 bit", f"JPEG {JPEG_QUALITY}", f"moved {SHIFT} pixels"


@dataclass(frozen=True)
class Reclassification:
    """What one network says to one form of an image."""

    network: str  # title
    form: str
    own: bool  # whether the image was made with this network
    answers: tuple[Prediction, ...]  # best first
    target: float | None  # probability of the target class; None: it has no such class

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Reclassification:
        """The inverse of `to_dict`."""
        answers = tuple(Prediction(**answer) for answer in values["answers"])
        return cls(**{**values, "answers": answers})


def forms(image: np.ndarray) -> dict[str, np.ndarray]:
    """The image as it is, and as it reaches others: name → the same shape.

    The first is float32, about 0 to 255; all others are uint8.
    """
    whole = to_8bit(image)
    exact = np.asarray(image, np.float32)
    return {EXACT: exact, WHOLE: whole, JPEG: jpeg(whole), MOVED: moved(whole)}


def fooling_check(
    image: np.ndarray,
    network: Predictor,
    others: Sequence[Predictor] = (),
    *,
    target: str | None = None,
    k: int = 5,
) -> list[Reclassification]:
    """Ask the network itself about every form, and others about the 8-bit image.

    Args:
        image: float32 (height, width, channels), about 0 to 255.
        network: that it was made with.
        others: that had no part in it; the image is resized to their input.
        target: name of the target class.
        k: how many of the largest probabilities.
    """
    own = [
        _reclassify(network, _fitted(shown, network), form, True, target, k)
        for form, shown in forms(image).items()
    ]
    whole = to_8bit(image)
    return own + [_reclassify(o, _fitted(whole, o), WHOLE, False, target, k) for o in others]


def to_8bit(image: np.ndarray) -> np.ndarray:
    """Whole gray levels from 0 to 255, as a file holds them: uint8."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def stretched(image: np.ndarray) -> np.ndarray:
    """The image around its own mean with a tenth of the range as spread: uint8.

    Images of hidden channels may leave the range far, or hardly leave gray; stretched, both
    can be seen.

    Reference:
        aidiary 2017: `deprocess_image`.
    """
    value = np.asarray(image, np.float32) - np.mean(image)
    return to_8bit(255 * np.clip(0.1 * value / (value.std() + 1e-5) + 0.5, 0, 1))


def as_shown(images: np.ndarray, plan: Plan) -> np.ndarray:
    """Images as people see them, on every page alike: uint8, of the same shape.

    Hidden filters that nothing holds in the range of pixels are stretched; a class is asked
    about its very pixels, and so they are shown.

    Args:
        images: float32 (images, height, width, channels).
        plan: that made them.
    """
    hidden = any(term.layer for _, term in plan.objective.terms if not term.of_image)
    free = plan.parametrization.options["bounds"] == "free"
    show = stretched if hidden and free else to_8bit
    return np.stack([show(image) for image in images])


def jpeg(image: np.ndarray, quality: int = JPEG_QUALITY) -> np.ndarray:
    """The image after having been stored as JPEG: uint8 (height, width, channels)."""
    file = io.BytesIO()
    gray = image.shape[-1] == 1
    Image.fromarray(image[..., 0] if gray else image).save(file, "JPEG", quality=quality)
    stored = np.asarray(Image.open(file))
    return stored[..., None] if gray else stored


def moved(image: np.ndarray, pixels: int = SHIFT) -> np.ndarray:
    """The image moved to the right and down; what is bare there repeats the edge."""
    around = ((pixels, 0), (pixels, 0), (0, 0))
    return np.pad(image, around, "edge")[: image.shape[0], : image.shape[1]]


def _fitted(image: np.ndarray, network: Predictor) -> np.ndarray:
    if image.shape == network.card.input_shape:
        return image
    return prepare(to_8bit(image), network.card.input_shape, "stretch")


def _reclassify(
    network: Predictor, image: np.ndarray, form: str, own: bool, target: str | None, k: int
) -> Reclassification:
    logits = network.logits(image[None])[0]
    names = network.card.class_names
    place = names.index(target) if target in names else None
    share = None if place is None else float(softmax(logits)[place])
    return Reclassification(network.card.title, form, own, tuple(top_k(logits, names, k)), share)
