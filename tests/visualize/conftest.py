"""Small networks with every sort of layer that an objective can name."""

import keras
import numpy as np
import pytest


@pytest.fixture(scope="session")
def small():
    """Two convolutions and a dense layer, for 16×16 RGB; smooth, so that gradients are too."""
    keras.utils.set_random_seed(1)
    image = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 128, offset=-1, name="rescaling")(image)
    x = keras.layers.Conv2D(4, 3, activation="tanh", name="conv1")(x)
    x = keras.layers.MaxPooling2D(name="pool1")(x)
    x = keras.layers.Conv2D(6, 3, activation="tanh", name="conv2")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(image, keras.layers.Dense(5, name="logits")(x), name="small")


@pytest.fixture(scope="session")
def images():
    """Three images of noise: float32 (3, 16, 16, 3), 0 to 255."""
    return np.float32(np.random.default_rng(0).uniform(0, 255, (3, 16, 16, 3)))
