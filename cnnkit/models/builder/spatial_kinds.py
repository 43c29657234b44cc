"""Kinds of layers that slide a window over maps: convolutions and pooling."""

from __future__ import annotations

from dataclasses import replace

from cnnkit.models.builder.expansion import Expansion
from cnnkit.models.builder.fields import (
    ACTIVATION,
    BIAS,
    FILTERS,
    KERNEL_SIZE,
    PADDING,
    STRIDES,
    USE_BIAS,
    LayerField,
)
from cnnkit.models.builder.initializers import KERNEL_INITIALIZER
from cnnkit.models.builder.layer_kind import (
    Expand,
    Values,
    activation_arguments,
    bias_arguments,
    register_kind,
    unusual,
)

_SLIDING = (KERNEL_SIZE, STRIDES, PADDING, ACTIVATION, USE_BIAS, BIAS, KERNEL_INITIALIZER)
_MULTIPLIER = LayerField(
    name="depth_multiplier",
    title="Filters per map",
    default=1,
    range=(1, 8),
    help="How many filters look at each map.",
)


@register_kind(
    "Conv2D",
    "Convolution",
    "Convolution",
    "Filters slide over the maps, and each makes a new map of where its pattern is.",
    FILTERS,
    *_SLIDING,
)
def _convolution(network: Expansion, name: str, values: Values) -> None:
    area, channels = values["kernel_size"] ** 2, network.shape[-1]
    start = network.kernel(values["kernel_initializer"], area * channels, area * values["filters"])
    network.add(
        "Conv2D",
        name,
        filters=values["filters"],
        kernel_size=values["kernel_size"],
        **unusual(values, strides=1, padding="valid"),
        **activation_arguments(values),
        **bias_arguments(values),
        kernel_initializer=start,
    )


@register_kind(
    "DepthwiseConv2D",
    "Depthwise convolution",
    "Convolution",
    "Each map gets a filter of its own; maps are not mixed, which costs little.",
    _MULTIPLIER,
    *_SLIDING,
)
def _depthwise(network: Expansion, name: str, values: Values) -> None:
    area, channels = values["kernel_size"] ** 2, network.shape[-1]
    start = network.kernel(
        values["kernel_initializer"], area * channels, area * values["depth_multiplier"]
    )
    network.add(
        "DepthwiseConv2D",
        name,
        kernel_size=values["kernel_size"],
        **unusual(values, depth_multiplier=1, strides=1, padding="valid"),
        **activation_arguments(values),
        **bias_arguments(values),
        depthwise_initializer=start,
    )


@register_kind(
    "SeparableConv2D",
    "Separable convolution",
    "Convolution",
    "A depthwise convolution, then a 1×1 convolution: nearly a convolution, for a fraction of "
    "the cost.",
    FILTERS,
    _MULTIPLIER,
    *_SLIDING,
)
def _separable(network: Expansion, name: str, values: Values) -> None:
    area, channels = values["kernel_size"] ** 2, network.shape[-1]
    multiplier, kernel = values["depth_multiplier"], values["kernel_initializer"]
    depthwise = network.kernel(kernel, area * channels, area * multiplier)
    pointwise = network.kernel(kernel, channels * multiplier, values["filters"])
    network.add(
        "SeparableConv2D",
        name,
        filters=values["filters"],
        kernel_size=values["kernel_size"],
        **unusual(values, depth_multiplier=1, strides=1, padding="valid"),
        **activation_arguments(values),
        **bias_arguments(values),
        depthwise_initializer=depthwise,
        pointwise_initializer=pointwise,
    )


_POOL_FIELDS = (
    LayerField(
        name="pool_size",
        title="Pool size",
        default=2,
        range=(1, 31),
        help="Height and width of the window: 2 means 2×2, so that maps become half as large.",
    ),
    replace(
        STRIDES,
        default=None,
        empty="as the pool size",
        help="How far the window moves at each step.",
    ),
    replace(PADDING, default="valid"),
)


def _pooling(kind: str) -> Expand:
    def expand(network: Expansion, name: str, values: Values) -> None:
        arguments = unusual(values, strides=None, padding="valid")
        network.add(kind, name, pool_size=values["pool_size"], **arguments)

    return expand


register_kind(
    "MaxPooling2D",
    "Max pooling",
    "Pooling",
    "Keeps the largest value of each window: maps become smaller, and small shifts matter less.",
    *_POOL_FIELDS,
)(_pooling("MaxPooling2D"))
register_kind(
    "AveragePooling2D",
    "Average pooling",
    "Pooling",
    "Keeps the mean of each window.",
    *_POOL_FIELDS,
)(_pooling("AveragePooling2D"))
register_kind(
    "GlobalAveragePooling2D",
    "Global average pooling",
    "Pooling",
    "Keeps the mean of each map: a vector, whatever the size of the image.",
)(lambda network, name, values: network.add("GlobalAveragePooling2D", name))
register_kind(
    "GlobalMaxPooling2D",
    "Global max pooling",
    "Pooling",
    "Keeps the largest value of each map: a vector, whatever the size of the image.",
)(lambda network, name, values: network.add("GlobalMaxPooling2D", name))
