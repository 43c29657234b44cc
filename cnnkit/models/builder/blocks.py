"""Blocks that are one entry of a definition: residual ones, and those of Inception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnkit.models.builder.expansion import Expansion
from cnnkit.models.builder.initializers import Initializer


def add_residual(network: Expansion, name: str, values: Mapping[str, Any]) -> None:
    """Convolutions whose output is added to their input, as `resnet` has them.

    Seeds are taken as there: one for each convolution, then one for the shortcut, whether it
    has a convolution or not.
    """
    start, filters, strides = network.last, values["filters"], values["strides"]
    if values["form"] == "bottleneck":
        _normalized(network, f"{name}_1", filters, 1, strides)
        _relu(network, f"{name}_1_relu")
        _normalized(network, f"{name}_2", filters, values["kernel_size"], 1)
        _relu(network, f"{name}_2_relu")
        branch = _normalized(network, f"{name}_3", 4 * filters, 1, 1)
    else:
        _normalized(network, f"{name}_1", filters, values["kernel_size"], strides)
        _relu(network, f"{name}_1_relu")
        branch = _normalized(network, f"{name}_2", filters, values["kernel_size"], 1)
    network.last = start
    _shortcut(network, name, network.shapes[branch][2], strides, values["shortcut"])
    network.add("Add", f"{name}_add", inputs=(network.last, branch))
    _relu(network, f"{name}_out")


def _normalized(
    network: Expansion,
    name: str,
    filters: int,
    size: int,
    strides: int,
    seed: int | None = None,
) -> str:
    """A convolution without bias, and batch normalization; a stride pads both sides alike."""
    seed = network.seed() if seed is None else seed
    steps: dict[str, Any] = {"strides": strides} if strides > 1 else {}
    padding = "same"
    if strides > 1 and size > 1:
        network.add("ZeroPadding2D", f"{name}_pad", padding=size // 2)
        padding = "valid"
    network.add(
        "Conv2D",
        f"{name}_conv",
        filters=filters,
        kernel_size=size,
        **steps,
        padding=padding,
        use_bias=False,
        kernel_initializer=Initializer("HeNormal", {"seed": seed}),
    )
    return network.add("BatchNormalization", f"{name}_bn", momentum=0.9, epsilon=1e-5)


def _relu(network: Expansion, name: str) -> None:
    network.add("Activation", name, activation="relu")


def _shortcut(network: Expansion, name: str, filters: int, strides: int, kind: str) -> None:
    """What leads past the convolutions: nothing where the shape stays."""
    seed, channels = network.seed(), network.shape[2]
    if strides == 1 and channels == filters:
        return
    if kind == "projection":
        _normalized(network, f"{name}_0", filters, 1, strides, seed)
        return
    if strides > 1:
        network.add("MaxPooling2D", f"{name}_0_pool", pool_size=1, strides=strides)
    zeros = ((0, 0), (0, filters - channels))
    network.add("ZeroPadding2D", f"{name}_0_zeros", padding=zeros, data_format="channels_first")


def add_inception(network: Expansion, name: str, values: Mapping[str, Any]) -> None:
    """Four branches side by side, as a module of `googlenet`, with the weights of He."""
    start = network.last
    ends = [_padded(network, f"{name}_1x1", values["filters_1x1"], 1, start)]
    for size in (3, 5):
        reduced = _padded(
            network, f"{name}_{size}x{size}_reduce", values[f"reduce_{size}x{size}"], 1, start
        )
        filters = values[f"filters_{size}x{size}"]
        ends.append(_padded(network, f"{name}_{size}x{size}", filters, size, reduced))
    pooled = network.add(
        "MaxPooling2D",
        f"{name}_pool",
        inputs=(start,),
        pool_size=3,
        strides=1,
        padding="same",
    )
    ends.append(_padded(network, f"{name}_pool_proj", values["filters_pool"], 1, pooled))
    network.add("Concatenate", name, inputs=tuple(ends))


def _padded(network: Expansion, name: str, filters: int, size: int, source: str) -> str:
    """A padded convolution with ReLU."""
    return network.add(
        "Conv2D",
        name,
        inputs=(source,),
        filters=filters,
        kernel_size=size,
        padding="same",
        activation="relu",
        kernel_initializer=Initializer("HeUniform", {"seed": network.seed()}),
    )
