"""The synthetic images that the post's toy network was trained on: three noisy bands."""

from __future__ import annotations

import numpy as np

from cnnkit.datasets._types import register_dataset

SIZE = 12  # pixels, both ways
CLASSES = 3
TRAIN, VALIDATION, TEST = 50, 10, 10  # images per class
TRAIN_P, TEST_P = 0.95, 0.9  # probability that a pixel is what it should be


@register_dataset(
    title="Toy patterns",
    input_shape=(SIZE, SIZE, 1),
    class_names=("top", "middle", "bottom"),
    images=(CLASSES * (TRAIN + VALIDATION), CLASSES * TEST),
    description="12×12 noisy images with a bright band at the top, middle or bottom.",
    source="Yusuke Sugomori: DeepLearning (synthetic data of its CNN)",
    license="made by this program",
)
def toy_patterns(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, test images and labels.

    In class k the k-th third of the rows is on. Every pixel keeps its value with
    probability p and is flipped otherwise: p is .95 to learn from and .9 to test on, so
    that the test is harder. The validation images, which the author did not have, are
    drawn like the training ones and stand behind them.

    Returns:
        uint8 (180, 12, 12, 1), int64 (180,), uint8 (30, 12, 12, 1), int64 (30,);
        pixels are 0 or 255, classes one after another as the author had them.
    """
    generator = np.random.default_rng(seed)
    parts = [
        _draw(generator, count, p)
        for count, p in ((TRAIN, TRAIN_P), (VALIDATION, TRAIN_P), (TEST, TEST_P))
    ]
    (train, train_labels), (held, held_labels), (test, test_labels) = parts
    return (
        np.concatenate([train, held]),
        np.concatenate([train_labels, held_labels]),
        test,
        test_labels,
    )


def _draw(generator: np.random.Generator, count: int, p: float) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(CLASSES), count)
    band = np.arange(SIZE) // (SIZE // CLASSES)
    ideal = np.broadcast_to(
        (band[np.newaxis, :] == labels[:, np.newaxis])[:, :, np.newaxis], (len(labels), SIZE, SIZE)
    )
    keep = generator.random(ideal.shape) < p
    pixels = np.where(keep, ideal, ~ideal)
    return (pixels * np.uint8(255))[..., np.newaxis], labels
