"""An `.h5` file of Keras 2 read with h5py and computed with NumPy, a second opinion on ours.

Nothing here knows Keras: the description is walked as it stands in the file, and each array is
found by the name that the file gives it.
"""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np


def probabilities(path: Path, values: np.ndarray) -> np.ndarray:
    """What the network of a file answers.

    Args:
        path: of the file.
        values: (images, height, width, channels), as the network was trained on them.
    """
    arrays: dict[str, np.ndarray] = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            arrays["/".join(name.split("/")[-2:]).removesuffix(":0")] = np.asarray(item, np.float64)

    with h5py.File(path, "r") as file:
        network = json.loads(file.attrs["model_config"])
        file["model_weights"].visititems(keep)
    return _network(network, np.float64(values), arrays)


def _network(network, x, arrays):
    config = network["config"]
    if network["class_name"] == "Sequential":
        for layer in config["layers"]:
            x = _layer(layer, [x], arrays)
        return x
    outputs = {}
    for layer in config["layers"]:
        sources = layer["inbound_nodes"][0] if layer["inbound_nodes"] else []
        inputs = [outputs[source[0]] for source in sources] or [x]
        outputs[layer["name"]] = _layer(layer, inputs, arrays)
    return outputs[config["output_layers"][0][0]]


def _layer(layer, inputs, arrays):
    kind, config = layer["class_name"], layer["config"]
    if kind in ("Sequential", "Functional", "Model"):
        return _network(layer, inputs[0], arrays)
    x, name = inputs[0], config["name"]
    if kind == "InputLayer":
        return x
    if kind == "Add":
        return sum(inputs)
    if kind == "ZeroPadding2D":
        return np.pad(x, ((0, 0), *config["padding"], (0, 0)))
    if kind == "ReLU":
        return np.clip(x, 0, config["max_value"])
    if kind == "GlobalAveragePooling2D":
        return x.mean((1, 2))
    if kind == "BatchNormalization":
        gamma, beta, mean, variance = (
            arrays[f"{name}/{one}"] for one in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / np.sqrt(variance + config["epsilon"]) * gamma + beta
    if kind == "Dense":
        x = x @ arrays[f"{name}/kernel"] + (arrays[f"{name}/bias"] if config["use_bias"] else 0)
    elif kind == "Conv2D":
        windows = _windows(x, config)
        x = np.tensordot(windows, arrays[f"{name}/kernel"].transpose(2, 0, 1, 3), 3)
    elif kind == "DepthwiseConv2D":
        kernel = arrays[f"{name}/depthwise_kernel"][..., 0]
        x = np.einsum("nhwcij,ijc->nhwc", _windows(x, config), kernel)
    else:
        raise AssertionError(f"{kind} is not written in NumPy here")
    return _activated(x, config["activation"])


def _windows(x, config):
    (high, wide), (down, right) = config["kernel_size"], config["strides"]
    if config["padding"] == "same":
        x = np.pad(
            x, ((0, 0), _same(x.shape[1], high, down), _same(x.shape[2], wide, right), (0, 0))
        )
    windows = np.lib.stride_tricks.sliding_window_view(x, (high, wide), axis=(1, 2))
    return windows[:, ::down, ::right]


def _same(size, kernel, stride):
    padding = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return padding // 2, padding - padding // 2


def _activated(x, name):
    if name == "relu":
        return np.maximum(x, 0)
    if name == "softmax":
        powers = np.exp(x - x.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)
    assert name == "linear"
    return x
