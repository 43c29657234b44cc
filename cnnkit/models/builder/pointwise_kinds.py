"""Kinds of layers without a window: activation, normalization, dense, dropout, preprocessing."""

from __future__ import annotations

from dataclasses import replace

from cnnkit.models.builder.expansion import LOGITS, Expansion
from cnnkit.models.builder.fields import (
    ACTIVATION,
    ACTIVATION_TITLES,
    ACTIVATIONS,
    BIAS,
    RATE,
    USE_BIAS,
    LayerField,
)
from cnnkit.models.builder.initializers import KERNEL_INITIALIZER
from cnnkit.models.builder.keras_layers import MisfitError, input_words
from cnnkit.models.builder.layer_kind import (
    LayerKind,
    Values,
    activation_arguments,
    bias_arguments,
    register_kind,
    unusual,
)


@register_kind(
    "Activation",
    "Activation",
    "Activation and normalization",
    "A curve that each value goes through, such as ReLU, which keeps what is positive.",
    LayerField(
        name="function",
        title="Function",
        default="relu",
        choices=ACTIVATIONS[1:],
        titles=ACTIVATION_TITLES,
        help="ReLU is the usual one; tanh and sigmoid are those of the networks before 2010.",
    ),
)
def _activation(network: Expansion, name: str, values: Values) -> None:
    network.add("Activation", name, activation=values["function"])


@register_kind(
    "BatchNormalization",
    "Batch normalization",
    "Activation and normalization",
    "Scales each map to mean 0 and deviation 1 over a batch: deep networks train sooner.",
    LayerField(
        name="momentum",
        title="Momentum",
        default=0.99,
        range=(0.0, 0.9999),
        help="How slowly the statistics for inference follow those of the batches.",
    ),
    LayerField(
        name="epsilon",
        title="Epsilon",
        default=1e-3,
        range=(1e-7, 0.1),
        help="Added to the variance, so that nothing is divided by zero.",
    ),
)
def _normalization(network: Expansion, name: str, values: Values) -> None:
    network.add("BatchNormalization", name, **unusual(values, momentum=0.99, epsilon=1e-3))


register_kind(
    "Flatten",
    "Flatten",
    "Dense",
    "Lays all values of the maps into one vector, which a dense layer needs.",
)(lambda network, name, values: network.add("Flatten", name))


@register_kind(
    "Dense",
    "Dense",
    "Dense",
    "Each unit weighs every number of the vector (fully connected).",
    LayerField(
        name="units",
        title="Units",
        default=128,
        range=(1, 8192),
        help="How many numbers the layer gives.",
    ),
    ACTIVATION,
    USE_BIAS,
    BIAS,
    KERNEL_INITIALIZER,
)
def _dense(network: Expansion, name: str, values: Values) -> None:
    _add_dense(network, name, values["units"], values)


def _add_dense(network: Expansion, name: str, units: int, values: Values) -> None:
    start = network.kernel(values["kernel_initializer"], network.shape[-1], units)
    network.add(
        "Dense",
        name,
        units=units,
        **(activation_arguments(values) if "activation" in values else {}),
        **bias_arguments(values),
        kernel_initializer=start,
    )


register_kind(
    "Dropout",
    "Dropout",
    "Regularization",
    "In training, sets random values to 0; at inference it does nothing.",
    RATE,
)(
    lambda network, name, values: network.add(
        "Dropout", name, rate=values["rate"], seed=network.seed()
    )
)
register_kind(
    "SpatialDropout2D",
    "Spatial dropout",
    "Regularization",
    "In training, sets whole maps to 0: neighboring pixels say much the same.",
    replace(RATE, default=0.2),
)(
    lambda network, name, values: network.add(
        "SpatialDropout2D", name, rate=values["rate"], seed=network.seed()
    )
)
register_kind(
    "Rescaling",
    "Rescaling",
    "Preprocessing",
    "Pixels come as 0 to 255; multiplied by 1/255 they are 0 to 1, which trains far better.",
    LayerField(
        name="scale",
        title="Factor",
        default=1 / 255,
        range=(-1000.0, 1000.0),
        help="Each value is multiplied by it; 1/255 = 0.00392.",
    ),
    LayerField(
        name="offset",
        title="Offset",
        default=0.0,
        range=(-1000.0, 1000.0),
        help="Added afterwards.",
    ),
)(
    lambda network, name, values: network.add(
        "Rescaling", name, scale=values["scale"], **unusual(values, offset=0.0)
    )
)
register_kind(
    "ZeroPadding2D",
    "Zero padding",
    "Preprocessing",
    "Puts a border of zeros around the maps.",
    LayerField(
        name="padding", title="Pixels", default=1, range=(1, 64), help="On each of the four sides."
    ),
)(lambda network, name, values: network.add("ZeroPadding2D", name, padding=values["padding"]))

# What ends every network: as many units as there are classes.
OUTPUT = LayerKind(
    name="Logits",
    title="Logits",
    group="",
    help="A dense layer with one unit for each class; softmax makes probabilities of them.",
    fields=(USE_BIAS, BIAS, KERNEL_INITIALIZER),
    expand=lambda network, name, values: None,
)


def add_logits(network: Expansion, classes: int, values: Values) -> None:
    """The dense layer that ends every network."""
    if len(network.shape) != 1:
        raise MisfitError(
            f"needs a vector, but gets {input_words(network.shape)}",
            "put Flatten or Global average pooling before it",
        )
    _add_dense(network, LOGITS, classes, values)
