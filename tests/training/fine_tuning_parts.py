"""A small untrained network, and small colored images, for fine-tuning."""

from __future__ import annotations

import keras
import numpy as np

from cnnkit.datasets import Dataset, DatasetSpec
from cnnkit.training import Head, Phase, Recipe

CLASSES = ("red", "green", "blue")


def dataset(side: int = 16, per_class: int = 30) -> Dataset:
    """Noise in three colors; half for training, a quarter each for validation and test."""
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(3), per_class)
    images = generator.integers(0, 160, (len(labels), side, side, 3)).astype(np.uint8)
    images[np.arange(len(labels)), :, :, labels] += 60
    order = generator.permutation(len(labels))
    half, quarter = len(labels) // 2, len(labels) // 4
    spec = DatasetSpec(
        name="colors", title="Colors", input_shape=(side, side, 3), class_names=CLASSES,
        images=(half + quarter, quarter), description="", source="", license="", embedded=True,
    )  # fmt: skip
    return Dataset(
        spec=spec,
        images=images,
        labels=labels,
        splits={
            "train": order[:half],
            "validation": order[half : half + quarter],
            "test": order[half + quarter :],
        },
    )


def base() -> keras.Model:
    """Three blocks of a convolution each, the last two with normalization, and ten classes."""
    image = keras.Input((16, 16, 3), name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    for block in (1, 2, 3):
        start = keras.initializers.GlorotUniform(block)
        x = keras.layers.Conv2D(
            4 * block, 3, padding="same", kernel_initializer=start, name=f"block{block}_conv1"
        )(x)
        if block > 1:
            x = keras.layers.BatchNormalization(name=f"block{block}_bn")(x)
        x = keras.layers.Activation("relu", name=f"block{block}_relu")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(image, keras.layers.Dense(10, name="logits")(x), name="small")


def recipe(**changes) -> Recipe:
    """Two short phases, with nothing random in the frozen layers."""
    values = {
        "model": "small",
        "run": "a run",
        "dataset": "colors",
        "head": Head(units=8, dropout=0.3),
        "phases": (
            Phase(train_from="head", epochs=2, learning_rate=0.02),
            Phase(train_from="block3", epochs=2, learning_rate=0.01),
        ),
        "batch_size": 8,
        "optimizer": "adamw",
        "schedule": "cosine",
        "feature_type": "float32",
        "seed": 3,
    }
    return Recipe(**values | changes)
