"""Kinds that are blocks of several layers, and skip connections."""

from __future__ import annotations

from dataclasses import replace

from cnnkit.models.builder.blocks import add_inception, add_residual
from cnnkit.models.builder.expansion import Expansion
from cnnkit.models.builder.fields import FILTERS, KERNEL_SIZE, SOURCE, STRIDES, LayerField
from cnnkit.models.builder.keras_layers import MisfitError
from cnnkit.models.builder.layer_kind import Expand, Values, register_kind

register_kind(
    "ResidualBlock",
    "Residual block",
    "Blocks and skip connections",
    "Two or three convolutions whose output is added to their input (ResNet).",
    replace(FILTERS, default=16),
    replace(KERNEL_SIZE, range=None, choices=(1, 3, 5, 7)),
    STRIDES,
    LayerField(
        name="form",
        title="Form",
        default="basic",
        choices=("basic", "bottleneck"),
        help="basic: two convolutions. bottleneck: 1×1, the kernel, and 1×1 to four times as "
        "many filters.",
    ),
    LayerField(
        name="shortcut",
        title="Shortcut",
        default="projection",
        choices=("projection", "identity"),
        help="Where the shape changes. projection: a 1×1 convolution. identity: no parameters, "
        "maps of zeros are added.",
    ),
)(add_residual)


def _branch(name: str, title: str, default: int) -> LayerField:
    return replace(FILTERS, name=name, title=title, default=default, help="")


register_kind(
    "InceptionBlock",
    "Inception block",
    "Blocks and skip connections",
    "Four branches side by side, 1×1, 3×3, 5×5 and pooling, concatenated (GoogLeNet).",
    _branch("filters_1x1", "Filters 1×1", 16),
    _branch("reduce_3x3", "1×1 before 3×3", 16),
    _branch("filters_3x3", "Filters 3×3", 24),
    _branch("reduce_5x5", "1×1 before 5×5", 4),
    _branch("filters_5x5", "Filters 5×5", 8),
    _branch("filters_pool", "1×1 after pooling", 8),
)(add_inception)


def _skip(kind: str) -> Expand:
    def expand(network: Expansion, name: str, values: Values) -> None:
        source = network.outputs.get(values["source"])
        if source is None:
            raise MisfitError(
                f"its source {values['source']!r} is no earlier layer",
                "choose the name of a layer that stands before it",
            )
        network.add(kind, name, inputs=(source, network.last))

    return expand


register_kind(
    "Add",
    "Add (skip connection)",
    "Blocks and skip connections",
    "Adds the output of an earlier layer: both must have the same shape.",
    SOURCE,
)(_skip("Add"))
register_kind(
    "Concatenate",
    "Concatenate (skip connection)",
    "Blocks and skip connections",
    "Puts the maps of an earlier layer beside these: both must be as high and wide.",
    SOURCE,
)(_skip("Concatenate"))
