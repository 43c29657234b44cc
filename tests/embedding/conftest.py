"""A small network and a small data set, and the features that they make."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.embedding import EmbeddingSettings
from cnnkit.models import ModelCard, Predictor


@pytest.fixture(scope="session")
def network() -> Predictor:
    """Two layers and logits for 28×28 gray images, with random weights."""
    keras.utils.set_random_seed(3)
    image = keras.Input((28, 28, 1))
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    x = keras.layers.Conv2D(6, 5, 2, activation="relu", name="conv")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(12, activation="relu", name="dense")(x)
    model = keras.Model(image, keras.layers.Dense(10, name="logits")(x))
    card = ModelCard(
        model="tiny",
        title="Tiny",
        class_names=tuple("0123456789"),
        input_shape=(28, 28, 1),
        dataset="digits",
    )
    return Predictor(model, card)


@pytest.fixture
def settings() -> EmbeddingSettings:
    return EmbeddingSettings(layer="dense", dataset="digits", count=60, method="pca")


@pytest.fixture(scope="session")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Three groups of points in eight dimensions, and the group of each."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), 40)
    centers = 6 * random.normal(size=(3, 8))
    return np.float32(centers[groups] + random.normal(size=(120, 8))), groups
