"""Gradient check: backpropagation against automatic differentiation and central differences.

TensorFlow differentiates the same network of Keras layers automatically; and a gradient is the
change of the loss when one weight is changed a little.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cnnkit.backprop.dense import ReLU
from cnnkit.backprop.layer import Layer
from cnnkit.backprop.network import NumpyModel
from cnnkit.backprop.spatial import MaxPooling

TOLERANCES = {"float32": 1e-4, "float64": 1e-7}  # largest relative error, by dtype
STEP = 1e-5  # of the central differences
PROBES = 6  # elements of each array checked by central differences
MEASURABLE = 1e-6  # least gradient above rounding errors, relative to the array's largest


@dataclass(frozen=True, kw_only=True)
class GradientCheck:
    """One gradient of one layer compared with the two others.

    Errors are relative: the largest difference between two numbers of the arrays, divided
    by the largest number of the array.
    """

    layer: str
    kind: str
    array: str  # "kernel", "bias", or "input" for the gradient with respect to the input
    size: int  # numbers compared with TensorFlow
    largest: float  # gradient, in magnitude
    tensorflow: float  # relative error against automatic differentiation
    differences: float | None  # relative error against central differences; None: none possible
    probed: int  # elements checked by central differences


@dataclass(frozen=True, kw_only=True)
class GradientCheckReport:
    """The gradient check of a network."""

    dtype: str
    images: int
    checks: tuple[GradientCheck, ...]

    @property
    def tolerance(self) -> float:
        """Largest relative error against TensorFlow that counts as equal."""
        return TOLERANCES[self.dtype]

    @property
    def worst(self) -> float:
        """The largest relative error against TensorFlow."""
        return max(check.tensorflow for check in self.checks)

    @property
    def worst_difference(self) -> float:
        """The largest relative error against central differences."""
        errors = [check.differences for check in self.checks if check.differences is not None]
        return max(errors, default=0.0)

    @property
    def equal(self) -> bool:
        """Whether every gradient equals TensorFlow's within the tolerance."""
        return self.worst <= self.tolerance

    def by_layer(self) -> dict[str, tuple[GradientCheck, ...]]:
        """The checks of each layer, in the order of the network."""
        names = dict.fromkeys(check.layer for check in self.checks)
        return {n: tuple(c for c in self.checks if c.layer == n) for n in names}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        names = ("dtype", "images", "tolerance", "worst", "worst_difference", "equal")
        values = {name: getattr(self, name) for name in names}
        return values | {"checks": [asdict(check) for check in self.checks]}


def gradcheck(
    network: NumpyModel,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    probes: int = PROBES,
    seed: int = 0,
) -> GradientCheckReport:
    """Compare every gradient and delta with TensorFlow's and with central differences.

    Args:
        network: as it is; dropout is off in all three.
        images: (images, height, width, channels), 0 to 255.
        labels: int (images,).
        probes: elements of each array to check by central differences in float64, half of
            them the largest, half random; 0: none.
        seed: of the random choice.

    Raises:
        IncompatibleError: images or labels that do not fit.
    """
    network.forward(images, labels)
    network.backward()
    theirs = _by_tensorflow(network, images, labels)
    ours = {(layer.name, name): values for layer in network for name, values in _arrays(layer)}
    moved = _by_differences(network, images, labels, probes, seed) if probes else {}
    kinds = {layer.name: layer.kind for layer in network}
    checks = [
        GradientCheck(
            layer=layer,
            kind=kinds[layer],
            array=array,
            size=values.size,
            largest=float(np.abs(values).max(initial=0)),
            tensorflow=relative_error(values, theirs[layer, array]),
            differences=_difference_error(moved.get((layer, array), {})),
            probed=len(moved.get((layer, array), ())),
        )
        for (layer, array), values in ours.items()
    ]
    return GradientCheckReport(dtype=str(network.dtype), images=len(images), checks=tuple(checks))


def randomize_zero_kernels(network: NumpyModel, seed: int = 0) -> None:
    """Replace kernels that are all zero by small random ones.

    A last layer of zeros has a zero input gradient: there would be nothing to compare.
    """
    generator = np.random.default_rng(seed)
    for layer in network:
        kernel = layer.parameters.get("kernel")
        if kernel is not None and not kernel.any():
            noise = generator.normal(0, 0.1, kernel.shape)
            layer.parameters = layer.parameters | {"kernel": noise.astype(network.dtype)}


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference relative to the largest number; 0 where both are all zero."""
    largest = max(float(np.abs(theirs).max(initial=0)), float(np.abs(ours).max(initial=0)))
    return float(np.abs(ours - theirs).max(initial=0)) / largest if largest else 0.0


def _arrays(layer: Layer) -> Iterator[tuple[str, np.ndarray]]:
    yield from layer.gradients.items()
    yield "input", layer.input_delta


def _difference_error(probes: Mapping[int, tuple[float, float]]) -> float | None:
    """Relative error of (our gradient, slope of the loss), by place; None without any."""
    if not probes:
        return None
    ours, slopes = np.array(list(probes.values())).T
    largest, worst = np.abs(ours).max(), np.abs(ours - slopes).max()
    return float(worst / largest if largest else worst)


def _by_tensorflow(
    network: NumpyModel, images: np.ndarray, labels: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    """The gradients of all parameters and of all layers' inputs, by automatic differentiation.

    In float64 for networks of float32 too. TensorFlow's float32 convolutions are oneDNN's, and
    for one channel and strides those of TensorFlow 2.21 give wrong numbers or, for filters of
    1×1, write outside of their memory and end the process, which may be the web server. float64
    never goes there; its rounding is far below what the comparison allows.
    """
    import tensorflow as tf

    from cnnkit.backprop.keras_conversion import keras_layers

    with tf.device("/CPU:0"):
        x = tf.constant(images.astype(network.dtype).astype(np.float64))
        layers = keras_layers(network, "float64")
        with tf.GradientTape() as tape:
            tensors: dict[tuple[str, str], Any] = {}
            for layer, keras_layer in zip(network, layers, strict=True):
                tape.watch(x)
                tensors[layer.name, "input"] = x
                for name, variable in zip(layer.parameters, keras_layer.weights, strict=True):
                    tensors[layer.name, name] = variable.value
                    tape.watch(variable.value)
                x = keras_layer(x)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, x))
    gradients: Any = tape.gradient(
        loss, list(tensors.values()), unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return {key: gradient.numpy() for key, gradient in zip(tensors, gradients, strict=True)}


def _by_differences(
    network: NumpyModel, images: np.ndarray, labels: np.ndarray, probes: int, seed: int
) -> dict[tuple[str, str], dict[int, tuple[float, float]]]:
    """For some numbers of each parameter: (our gradient, slope of the loss), in float64."""
    exact = copy.deepcopy(network)
    exact = NumpyModel(exact.layers, exact.input_shape, "float64")
    exact.forward(images, labels)
    exact.backward()
    gradients = {layer.name: dict(layer.gradients) for layer in exact}
    switches = _branches(exact)
    generator = np.random.default_rng(seed)
    gradients_and_slopes: dict[tuple[str, str], dict[int, tuple[float, float]]] = {}
    for layer in exact:
        for name in layer.parameters:
            gradient = gradients[layer.name][name].reshape(-1)
            probed: dict[int, tuple[float, float]] = {}
            for place in _places(gradient, probes, generator):
                slope = _slope(exact, layer, name, place, images, labels, switches)
                if slope is not None:
                    probed[place] = (float(gradient[place]), slope)
            gradients_and_slopes[layer.name, name] = probed
    return gradients_and_slopes


def _places(gradient: np.ndarray, probes: int, generator: np.random.Generator) -> list[int]:
    """The largest, and some random ones of those that are measurable."""
    size = np.abs(gradient)
    measurable = np.flatnonzero(size > MEASURABLE * size.max(initial=0))
    largest = measurable[np.argsort(-size[measurable], kind="stable")][: (probes + 1) // 2]
    others = np.setdiff1d(measurable, largest)
    random = generator.permutation(others)[: probes - len(largest)]
    return [int(place) for place in (*largest, *random)]


def _slope(
    network: NumpyModel,
    layer: Layer,
    name: str,
    place: int,
    images: np.ndarray,
    labels: np.ndarray,
    switches: list[np.ndarray],
) -> float | None:
    """(L(w + h) - L(w - h)) / 2h; None where a kink lies between the two."""
    parameters = layer.parameters
    losses = []
    for sign in (1, -1):
        values = parameters[name].copy()
        values.reshape(-1)[place] += sign * STEP
        layer.parameters = parameters | {name: values}
        losses.append(network.forward(images, labels))
        same = all(map(np.array_equal, switches, _branches(network)))
        layer.parameters = parameters
        if not same:
            return None
    return (losses[0] - losses[1]) / (2 * STEP)


def _branches(network: NumpyModel) -> list[np.ndarray]:
    """The branches of piecewise functions: signs before ReLU, argmax of max pooling."""
    signs = [layer.output > 0 for layer in network if isinstance(layer, ReLU)]
    chosen = [layer.argmax for layer in network if isinstance(layer, MaxPooling)]
    return [*signs, *chosen]
