"""Definitions to start from: registered networks, layer by layer, and small ones of their kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnkit.errors import UnknownModelError
from cnnkit.models.builder.definition import LayerEntry, NetworkDefinition
from cnnkit.models.builder.kinds import OUTPUT

Shape = tuple[int, int, int]
Build = Callable[[Shape, int], NetworkDefinition]

_TEMPLATES: dict[str, Build] = {}
# Of these, the ones that are registered networks with their default options.
REGISTERED = (
    "softmax_regression",
    "mlp_tutorial",
    "lenet5",
    "lenet_tutorial",
    "deep_mnist",
    "keras_mnist_cnn",
    "compact_cnn",
    "resnet_digits",
    "photo_cnn",
    "compact_photo_cnn",
)


def list_templates() -> list[str]:
    """Names of the templates, the simplest first."""
    return list(_TEMPLATES)


def get_template(
    name: str, input_shape: Shape = (28, 28, 1), classes: int = 10
) -> NetworkDefinition:
    """A template for images of some size.

    Raises:
        UnknownModelError: lists the templates there are.
    """
    if name not in _TEMPLATES:
        raise UnknownModelError(name, _TEMPLATES)
    return _TEMPLATES[name](input_shape, classes)


def _template(build: Build) -> Build:
    _TEMPLATES[build.__name__] = build
    return build


def _layer(kind: str, name: str = "", **values: Any) -> LayerEntry:
    return LayerEntry(kind, name, values)


def _network(
    title: str, input_shape: Shape, classes: int, layers: list[LayerEntry], **logits: Any
) -> NetworkDefinition:
    return NetworkDefinition(
        title=title,
        input_shape=input_shape,
        classes=classes,
        layers=layers,
        logits=_layer(OUTPUT.name, "logits", **logits),
    )


@_template
def small_cnn(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Two convolutions with pooling, and one hidden dense layer: small and quick to train."""
    layers = [
        _layer("Rescaling"),
        _layer("Conv2D", filters=16),
        _layer("MaxPooling2D"),
        _layer("Conv2D", filters=32),
        _layer("MaxPooling2D"),
        _layer("Flatten"),
        _layer("Dense", units=64),
    ]
    return _network("Small CNN", input_shape, classes, layers)


@_template
def empty(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Pixels of 0 to 1 in a vector, and the logits: what any network begins and ends with."""
    layers = [_layer("Rescaling"), _layer("Flatten")]
    return _network("My network", input_shape, classes, layers)


@_template
def softmax_regression(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Every pixel votes for every class."""
    layers = [_layer("Rescaling"), _layer("Flatten")]
    return _network("Softmax regression", input_shape, classes, layers, kernel_initializer="zeros")


@_template
def mlp_tutorial(input_shape: Shape, classes: int) -> NetworkDefinition:
    """One hidden layer of tanh units, and no convolution."""
    layers = [
        _layer("Rescaling"),
        _layer("Flatten"),
        _layer("Dense", units=500, activation="linear"),
        _layer("Activation", "fc1_activation", function="tanh"),
    ]
    title = "Multilayer perceptron"
    return _network(title, input_shape, classes, layers, kernel_initializer="zeros")


@_template
def lenet5(input_shape: Shape, classes: int) -> NetworkDefinition:
    """LeNet-5 of 1998; a 28×28 image stands in a field of 32×32, as in the paper."""
    start = {"activation": "tanh", "kernel_initializer": "uniform_fan_in"}
    convolution = start | {"kernel_size": 5, "padding": "valid"}
    field = [_layer("ZeroPadding2D", "field", padding=2)] if input_shape[:2] == (28, 28) else []
    layers = [
        *field,
        _layer("Rescaling", scale=1.275 / 255, offset=-0.1),
        _layer("Conv2D", "block1_conv1", filters=6, **convolution),
        _layer("AveragePooling2D", "block1_pool"),
        _layer("Conv2D", "block2_conv1", filters=16, **convolution),
        _layer("AveragePooling2D", "block2_pool"),
        _layer("Conv2D", "block3_conv1", filters=120, **convolution),
        _layer("Flatten"),
        _layer("Dense", "fc1", units=84, **start),
    ]
    return _network("LeNet-5", input_shape, classes, layers, kernel_initializer="uniform_fan_in")


@_template
def lenet_tutorial(input_shape: Shape, classes: int) -> NetworkDefinition:
    """The LeNet of the Deep Learning Tutorials."""
    layers = [_layer("Rescaling")]
    for block, filters in enumerate((20, 50), start=1):
        layers += [
            _layer(
                "Conv2D",
                filters=filters,
                kernel_size=5,
                padding="valid",
                activation="linear",
                kernel_initializer="glorot_uniform_pooled",
            ),
            _layer("MaxPooling2D"),
            _layer("Activation", f"block{block}_activation", function="tanh"),
        ]
    layers += [
        _layer("Flatten"),
        _layer("Dense", units=500, activation="linear"),
        _layer("Activation", "fc1_activation", function="tanh"),
    ]
    return _network(
        "LeNet (Deep Learning Tutorials)",
        input_shape,
        classes,
        layers,
        kernel_initializer="zeros",
    )


@_template
def deep_mnist(input_shape: Shape, classes: int) -> NetworkDefinition:
    """The network of TensorFlow's tutorial for experts."""
    start = {"kernel_initializer": "truncated_normal", "bias": 0.1}
    layers = [
        _layer("Rescaling"),
        _layer("Conv2D", filters=32, kernel_size=5, **start),
        _layer("MaxPooling2D", padding="same"),
        _layer("Conv2D", filters=64, kernel_size=5, **start),
        _layer("MaxPooling2D", padding="same"),
        _layer("Flatten"),
        _layer("Dense", units=1024, **start),
        _layer("Dropout"),
    ]
    return _network("Deep MNIST", input_shape, classes, layers, **start)


@_template
def keras_mnist_cnn(input_shape: Shape, classes: int) -> NetworkDefinition:
    """The network of Keras's first example for MNIST."""
    layers = [
        _layer("Rescaling"),
        _layer("Conv2D", kernel_size=5, padding="valid"),
        _layer("Conv2D", kernel_size=5, padding="valid"),
        _layer("MaxPooling2D"),
        _layer("Dropout", "block1_dropout", rate=0.25),
        _layer("Flatten"),
        _layer("Dense", units=128),
        _layer("Dropout"),
    ]
    return _network("Keras MNIST CNN", input_shape, classes, layers)


@_template
def compact_cnn(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Convolutions with batch normalization, and no hidden dense layer."""
    layers = [_layer("Rescaling")]
    for filters, padding, pooled in (
        (32, "valid", True),
        (64, "valid", False),
        (64, "valid", True),
        (128, "same", False),
    ):
        layers.append(
            _layer(
                "Conv2D",
                filters=filters,
                padding=padding,
                activation="linear",
                use_bias=False,
                kernel_initializer="he_normal",
            )
        )
        block = 1 if filters == 32 else 2 if filters == 64 else 3
        name = f"block{block}_conv{2 if filters == 64 and pooled else 1}"
        layers += [_layer("MaxPooling2D", padding="same")] if pooled else []
        layers += [
            _layer("BatchNormalization", f"{name}_bn"),
            _layer("Activation", f"{name}_relu"),
        ]
    layers.append(_layer("Flatten"))
    return _network("Compact CNN", input_shape, classes, layers)


@_template
def small_vgg(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Pairs of 3×3 convolutions and pooling, as VGG, for small images."""
    layers = [_layer("Rescaling")]
    for filters in (32, 64):
        pair = [_layer("Conv2D", filters=filters, kernel_initializer="he_uniform")] * 2
        layers += [*pair, _layer("MaxPooling2D")]
    layers += [_layer("Flatten"), _layer("Dense", units=128), _layer("Dropout")]
    return _network("Small VGG", input_shape, classes, layers)


@_template
def small_inception(input_shape: Shape, classes: int) -> NetworkDefinition:
    """A convolution, and two modules of parallel branches, as in GoogLeNet."""
    layers = [
        _layer("Rescaling"),
        _layer("Conv2D", filters=32, kernel_initializer="he_uniform"),
        _layer("MaxPooling2D"),
        _layer("InceptionBlock"),
        _layer("InceptionBlock", filters_1x1=32, filters_3x3=48, filters_5x5=16, filters_pool=16),
        _layer("GlobalAveragePooling2D"),
    ]
    return _network("Small Inception", input_shape, classes, layers)


@_template
def resnet_digits(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Twenty layers with weights, and shortcuts without parameters."""
    layers = [
        _layer("Rescaling"),
        _layer(
            "Conv2D",
            "conv1_conv",
            filters=16,
            activation="linear",
            use_bias=False,
            kernel_initializer="he_normal",
        ),
        _layer("BatchNormalization", "conv1_bn", momentum=0.9, epsilon=1e-5),
        _layer("Activation", "conv1_relu"),
    ]
    for stage, filters in enumerate((16, 32, 64), start=2):
        for number in (1, 2, 3):
            strides = 2 if number == 1 and stage > 2 else 1
            layers.append(
                _layer(
                    "ResidualBlock",
                    f"conv{stage}_block{number}",
                    filters=filters,
                    strides=strides,
                    shortcut="identity",
                )
            )
    layers.append(_layer("GlobalAveragePooling2D"))
    return _network(
        "ResNet for small images", input_shape, classes, layers, kernel_initializer="he_normal"
    )


@_template
def photo_cnn(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Three convolutions with pooling, and 64 units: a LeNet for photos."""
    layers = [_layer("Rescaling")]
    for filters in (32, 32, 64):
        layers += [_layer("Conv2D", filters=filters, padding="valid"), _layer("MaxPooling2D")]
    layers += [_layer("Flatten"), _layer("Dense", units=64), _layer("Dropout", "dropout")]
    return _network("Photo CNN", input_shape, classes, layers)


@_template
def compact_photo_cnn(input_shape: Shape, classes: int) -> NetworkDefinition:
    """Five convolutions with batch normalization, and the mean of each map at the end."""
    layers = [_layer("Rescaling", scale=1 / 127.5, offset=-1.0)]
    for block, widths in enumerate(((32,), (64,), (128,), (256, 256)), start=1):
        for number, filters in enumerate(widths, start=1):
            name, first = f"block{block}_conv{number}", block == 1
            convolution = _layer(
                "Conv2D",
                filters=filters,
                kernel_size=5 if first else 3,
                strides=2 if first else 1,
                activation="linear",
                use_bias=False,
                kernel_initializer="he_normal",
            )
            normalization = _layer("BatchNormalization", f"{name}_bn", momentum=0.9)
            layers += [convolution, normalization, _layer("Activation", f"{name}_relu")]
        layers += [_layer("MaxPooling2D")] if block < 4 else []
    layers += [
        _layer("GlobalAveragePooling2D", "pool"),
        _layer("Dropout", "dropout", rate=0.2),
    ]
    return _network("Compact photo CNN", input_shape, classes, layers)
