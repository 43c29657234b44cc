"""Conversion of a Keras model to a NumPy model, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from cnnkit.backprop.dense import Dense, Dropout, Flatten, ReLU, Scaling, Sigmoid, Tanh
from cnnkit.backprop.layer import Layer
from cnnkit.backprop.spatial import AveragePooling, Convolution, MaxPooling, ZeroPadding
from cnnkit.errors import IncompatibleError

if TYPE_CHECKING:
    from cnnkit.backprop.network import NumpyModel

ACTIVATIONS = {"relu": ReLU, "tanh": Tanh, "sigmoid": Sigmoid}


def numpy_layers(model: keras.Model) -> tuple[list[Layer], tuple[int, ...]]:
    """NumPy layers with the weights of a Keras network, and the shape of its images.

    Raises:
        IncompatibleError: names the layer of another kind, or where the graph branches.
    """
    layers: list[Layer] = []
    for layer in _in_a_row(model):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        kind = type(layer).__name__
        if kind not in _READERS:
            raise IncompatibleError(
                f"Layer {layer.name!r} must be of a kind that the NumPy model has: "
                f"{', '.join(sorted(_READERS))}. Received: {kind}."
            )
        made = _READERS[kind](layer)
        made.trainable = layer.trainable
        layers += [made, *_activation_inside(layer)]
    return layers, tuple(model.inputs[0].shape[1:])


def keras_model(network: NumpyModel) -> keras.Model:
    """A Keras model with the layers, names and weights of a NumPy model."""
    image = keras.Input(network.input_shape, name="image")
    x: Any = image
    for layer in keras_layers(network):
        x = layer(x)
    return keras.Model(image, x)


def keras_layers(network: NumpyModel, dtype: str = "float32") -> list[keras.layers.Layer]:
    """A Keras layer with the same weights for each layer of a NumPy model.

    Args:
        network: with layers of any shapes that fit each other.
        dtype: of what the Keras layers compute.
    """
    layers = []
    x: Any = keras.KerasTensor((1, *network.input_shape), dtype)
    for layer in network:
        made = _WRITERS[layer.kind](layer, name=layer.name, dtype=dtype)
        made.trainable = layer.trainable
        if isinstance(layer, Scaling) and dtype == "float64":
            # As arrays: Keras rounds Python's numbers to float32 first.
            made.scale, made.offset = np.float64(layer.scale), np.float64(layer.offset)
        x = made(x)
        if layer.parameters:
            made.set_weights(list(layer.parameters.values()))
        layers.append(made)
    return layers


def _in_a_row(model: keras.Model) -> list[keras.layers.Layer]:
    """All layers, checked to be sequential: each reads the one before it and nothing else."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise IncompatibleError(
            "The network expects one input and one output. "
            f"Received: {len(model.inputs)} and {len(model.outputs)}."
        )
    layers: list[keras.layers.Layer] = []
    tensor: Any = model.outputs[0]
    while True:
        operation, place, _ = tensor._keras_history
        layers.append(operation)
        sources = operation._inbound_nodes[place].input_tensors
        if len(sources) > 1:
            raise IncompatibleError(
                f"Layer {operation.name!r} must have one layer before it: the NumPy model is "
                f"sequential. Received: {len(sources)} branches."
            )
        if not sources:
            return layers[::-1]
        tensor = sources[0]


def _activation_inside(layer: keras.layers.Layer) -> list[Layer]:
    """The activation of a convolution or a dense layer, as a separate layer."""
    if isinstance(layer, keras.layers.Activation) or not hasattr(layer, "activation"):
        return []
    name = keras.activations.serialize(layer.activation)
    return [] if name == "linear" else [_curve(layer, name)(f"{layer.name}_activation")]


def _curve(layer: keras.layers.Layer, name: Any) -> type[Layer]:
    if name not in ACTIVATIONS:
        raise _refusal(layer, f"an activation of {', '.join(ACTIVATIONS)} or linear", f"{name!r}")
    return ACTIVATIONS[name]


def _convolution(layer: Any) -> Layer:
    if layer.groups != 1 or tuple(layer.dilation_rate) != (1, 1):
        raise _refusal(
            layer,
            "one group and no dilation",
            f"{layer.groups} groups, dilation {tuple(layer.dilation_rate)}",
        )
    _channels_last(layer)
    return Convolution(
        layer.name, *_arrays(layer), strides=tuple(layer.strides), padding=layer.padding
    )


def _pooling(kind: type[MaxPooling] | type[AveragePooling]) -> Callable[[Any], Layer]:
    def read(layer: Any) -> Layer:
        _channels_last(layer)
        strides = tuple(layer.strides)
        return kind(layer.name, tuple(layer.pool_size), strides=strides, padding=layer.padding)

    return read


def _channels_last(layer: Any) -> None:
    if layer.data_format != "channels_last":
        raise _refusal(layer, "channels last", layer.data_format)


def _arrays(layer: Any) -> list[np.ndarray]:
    return [np.array(weight) for weight in layer.get_weights()]


def _refusal(layer: Any, expected: str, received: str) -> IncompatibleError:
    kind = type(layer).__name__
    return IncompatibleError(
        f"Layer {layer.name!r} ({kind}) expects {expected}. Received: {received}."
    )


def _relu(layer: Any) -> Layer:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise _refusal(layer, "the plain ReLU", "one with a slope, a threshold or a largest value")
    return ReLU(layer.name)


def _rescaling(layer: Any) -> Layer:
    return Scaling(layer.name, np.asarray(layer.scale), np.asarray(layer.offset))


_READERS: dict[str, Callable[[Any], Layer]] = {
    "Rescaling": _rescaling,
    "ZeroPadding2D": lambda layer: ZeroPadding(layer.name, layer.padding),
    "Conv2D": _convolution,
    "MaxPooling2D": _pooling(MaxPooling),
    "AveragePooling2D": _pooling(AveragePooling),
    "Activation": lambda layer: _curve(layer, keras.activations.serialize(layer.activation))(
        layer.name
    ),
    "ReLU": _relu,
    "Flatten": lambda layer: Flatten(layer.name),
    "Dense": lambda layer: Dense(layer.name, *_arrays(layer)),
    "Dropout": lambda layer: Dropout(layer.name, layer.rate, layer.seed or 0),
}

_LAYERS = keras.layers
_WRITERS: dict[str, Callable[..., keras.layers.Layer]] = {
    Scaling.kind: lambda a, **more: _LAYERS.Rescaling(a.scale.tolist(), a.offset.tolist(), **more),
    ZeroPadding.kind: lambda a, **more: _LAYERS.ZeroPadding2D(a.margins, **more),
    Convolution.kind: lambda a, **more: _LAYERS.Conv2D(
        a.parameters["kernel"].shape[-1],
        a.size,
        strides=a.strides,
        padding=a.padding,
        use_bias="bias" in a.parameters,
        **more,
    ),
    MaxPooling.kind: lambda a, **more: _LAYERS.MaxPooling2D(a.size, a.strides, a.padding, **more),
    AveragePooling.kind: lambda a, **more: _LAYERS.AveragePooling2D(
        a.size, a.strides, a.padding, **more
    ),
    ReLU.kind: lambda a, **more: _LAYERS.Activation("relu", **more),
    Tanh.kind: lambda a, **more: _LAYERS.Activation("tanh", **more),
    Sigmoid.kind: lambda a, **more: _LAYERS.Activation("sigmoid", **more),
    Flatten.kind: lambda a, **more: _LAYERS.Flatten(**more),
    Dense.kind: lambda a, **more: _LAYERS.Dense(
        a.parameters["kernel"].shape[-1], use_bias="bias" in a.parameters, **more
    ),
    Dropout.kind: lambda a, **more: _LAYERS.Dropout(a.rate, **more),
}
