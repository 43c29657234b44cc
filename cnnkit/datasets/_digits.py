"""The handwritten digits that scikit-learn ships, in the format of MNIST."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cnnkit.datasets._types import DIGIT_NAMES, register_dataset

TRAIN = 1437
TEST = 360


@register_dataset(
    title="Digits (embedded)",
    class_names=DIGIT_NAMES,
    images=(TRAIN, TEST),
    description=(
        "1,797 handwritten digits that scikit-learn ships, 8×8 pixels, enlarged to the "
        "format of MNIST. Not MNIST: fewer, coarser, easier."
    ),
    source="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (UCI)",
    licence="CC BY 4.0",
)
def digits(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, test images and labels.

    The 8×8 images (0 to 16) are enlarged to the 20×20 box in which MNIST's digits
    stand, with a border of 4 pixels. The last fifth is the test part.

    Returns:
        uint8 (1437, 28, 28, 1), int64 (1437,), uint8 (360, 28, 28, 1), int64 (360,).
    """
    from sklearn.datasets import load_digits  # a second to import, and only needed here

    del seed  # nothing is random
    small, labels = load_digits(return_X_y=True)
    images = np.stack([_enlarge(image) for image in small.reshape(-1, 8, 8)])
    return images[:TRAIN], labels[:TRAIN], images[TRAIN:], labels[TRAIN:]


def _enlarge(image: np.ndarray) -> np.ndarray:
    scaled = Image.fromarray(np.uint8(image * 255 / 16))
    canvas = np.zeros((28, 28, 1), np.uint8)
    canvas[4:24, 4:24, 0] = np.asarray(scaled.resize((20, 20), Image.Resampling.BICUBIC))
    return canvas
