"""One small network in all the forms that people have networks in."""

from __future__ import annotations

import tempfile

import keras
import numpy as np

L = keras.layers
SIZE = 16


def _base() -> list:
    return [
        L.Rescaling(1 / 128, offset=-1, name="rescaling"),
        L.Conv2D(4, 3, activation="relu", name="conv1"),
        L.MaxPooling2D(name="pool1"),
        L.Conv2D(6, 3, use_bias=False, name="conv2"),
        L.BatchNormalization(name="normalization"),
        L.ReLU(name="relu"),
    ]


def _head(form: str) -> list:
    pooling = L.GlobalAveragePooling2D(name="mean")
    if form == "softmax in the dense layer":
        return [pooling, L.Dense(3, activation="softmax", name="probabilities")]
    if form in ("softmax layer", "softmax at the end of a nested network"):
        return [pooling, L.Dense(3, name="logits"), L.Softmax(name="softmax")]
    if form == "softmax activation":
        return [pooling, L.Dense(3, name="logits"), L.Activation("softmax", name="softmax")]
    if form == "binary head":
        return [pooling, L.Dense(1, activation="sigmoid", name="probability")]
    if form == "binary logit":
        return [pooling, L.Dense(1, name="logit")]
    return [pooling, L.Dense(3, name="logits")]


# These have the weights of the functional form, and so must have its maps.
SAME = (
    "softmax in the dense layer",
    "softmax layer",
    "softmax activation",
    "Sequential",
    "nested",
    "softmax at the end of a nested network",
    "reloaded",
    "any size",
)
OTHERS = ("functional", "gray", "binary head", "binary logit")


def build(form: str) -> keras.Model:
    """The network in one of `SAME` or `OTHERS`."""
    channels = 1 if form == "gray" else 3
    shape = (None, None, 3) if form == "any size" else (SIZE, SIZE, channels)
    image, base, head = keras.Input(shape, name="image"), _base(), _head(form)
    if form == "Sequential":
        model = keras.Sequential([image, *base, *head], name="network")
    elif form == "nested":
        inner = _chain(keras.Input(shape, name="inner_image"), base, "inner")
        model = _chain(image, [inner, *head], "network")
    elif form == "softmax at the end of a nested network":
        inner = _chain(keras.Input((5, 5, 6), name="inner_maps"), head, "classifier")
        model = keras.Sequential([image, *base, inner], name="network")
    else:
        model = _chain(image, [*base, *head], "network")
    _set_weights(model)
    return _reloaded(model) if form == "reloaded" else model


def _chain(x, layers, name: str) -> keras.Model:
    start = x
    for layer in layers:
        x = layer(x)
    return keras.Model(start, x, name=name)


def _set_weights(model: keras.Model) -> None:
    """The same for all forms; what follows the kernels is positive, so that every class is seen."""
    draw = np.random.default_rng(5)
    for weight in model.weights:
        values = draw.normal(0, 0.4, weight.shape)
        convolution = len(weight.shape) == 4
        weight.assign(values if convolution else np.abs(values) + 0.1)


def _reloaded(model: keras.Model) -> keras.Model:
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        return keras.models.load_model(f"{folder}/model.keras")
