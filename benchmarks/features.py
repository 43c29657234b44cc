"""How fast features are computed, against the machine's matrix product.

The frozen layers of VGG16 are nearly all multiplications. Computing features also resizes and
augments images, and writes to disk: the share says what is left of the machine's rate. Images
are noise and weights are random: neither changes how long anything takes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks._measure import Row, save, take_turns
from benchmarks.transfer import noise, recipe
from cnnkit.datasets import Dataset
from cnnkit.training import FeatureCache, build_network
from cnnkit.training.events import FeaturesCached
from cnnkit.training.feature_extraction import FeatureExtraction
from cnnkit.training.network import network_depths
from cnnkit.training.recipes import AUGMENTATION_PRESETS

TRAIN, VALIDATION = 96, 32
SIDE = 256  # pixels of the images, as cnnkit stores the 17 flowers
MATRIX = 2048  # rows and columns
CASES = (("vgg16", 150, "block5"), ("vgg16", 224, "block5"), ("vgg16", 224, "head"))


def product_rate() -> float:
    """Multiply-adds a second of the machine's matrix product, float32."""
    matrix = tf.random.normal((MATRIX, MATRIX))
    multiply = tf.function(lambda a: tf.linalg.matmul(a, a))
    multiply(matrix)
    began = time.perf_counter()
    np.asarray(multiply(matrix)[0, 0])
    return MATRIX**3 / (time.perf_counter() - began)


class Features:
    """Features of one network for two variants of each training image."""

    def __init__(self, model: str, size: int, train_from: str, dataset: Dataset):
        wanted = recipe(model, size, train_from, augmentation=AUGMENTATION_PRESETS["flowers"])
        self.recipe, self.dataset = wanted.replace(variants=2), dataset
        self.network = build_network(self.recipe, len(dataset.class_names))
        self.layer = str(self.network.split(train_from).cut)
        depths = {depth.train_from: depth for depth in network_depths(self.network)}
        self.macs = depths[train_from].frozen_macs

    def rate(self) -> float:
        """Multiply-adds a second from images to features on disk, after the first batch."""
        done: list[tuple[int, float]] = []

        def report(event: FeaturesCached) -> None:
            done.append((event.done, time.perf_counter()))

        with tempfile.TemporaryDirectory() as folder:
            cache = FeatureCache(Path(folder), 2**33)
            FeatureExtraction(self.recipe, self.network, [self.layer], self.dataset, cache).compute(
                report, lambda: None
            )
        # The first batch also compiles, which a longer run pays once.
        (first, began), (last, ended) = next(one for one in done if one[0]), done[-1]
        return self.macs * (last - first) / (ended - began)


def compare(case: tuple[str, int, str], rounds: int, dataset: Dataset) -> Row:
    """One row: the rate of computing features, and that of the matrix product."""
    features = Features(*case, dataset)
    rates = take_turns({"features": features.rate, "product": product_rate}, rounds)
    # The fastest product is what the machine can do.
    ours, product = statistics.median(rates["features"]), max(rates["product"])
    model, size, train_from = case
    return Row(
        what=f"Features of `{model}` below `{train_from}`, {size} pixels, augmented, to disk",
        ours=f"{ours / 1e9:.1f} GMAC/s, {ours / features.macs:.1f} images/s",
        peer=f"{product / 1e9:.1f} GMAC/s, product of {MATRIX}×{MATRIX} matrices",
        ratio=f"{ours / product:.2f}",
        target="at least .75",
    )


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    shape = (TRAIN + VALIDATION + 1, SIDE, SIDE, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    dataset = noise(images, TRAIN, VALIDATION)
    save(
        [compare(case, rounds, dataset) for case in CASES],
        [
            "Direct convolutions may be faster than a matrix product, so that a share can be "
            "above 1: they read each value fewer times."
        ],
    )


if __name__ == "__main__":
    main()
