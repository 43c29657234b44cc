"""Networks as older programs wrote them: HDF5 attributes and shards, made here by hand."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence

import h5py
import numpy as np

Arrays = Sequence[tuple[str, Mapping[str, np.ndarray]]]


def hdf5_file(config, weights: Arrays = (), *, version: str = "2.4.0", change=None) -> bytes:
    """A file as Keras 1 or 2 wrote it.

    Args:
        config: class_name and config of the network.
        weights: (layer, its arrays by name), in the order of the layers.
        version: of Keras.
        change: does what it likes to the open file.
    """
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["keras_version"] = version.encode()
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["training_config"] = json.dumps(
            {"loss": "mine", "weighted_metrics": None, "optimizer_config": {"class_name": "Evil"}}
        ).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.encode() for layer, _ in weights]
        for layer, arrays in weights:
            place = group.create_group(layer)
            place.attrs["weight_names"] = [f"{name}:0".encode() for name in arrays]
            for name, values in arrays.items():
                place[f"{name}:0"] = values
        if change:
            change(file)
    return out.getvalue()


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    """A ZIP of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def model_json(topology, weights, **more) -> str:
    """A `model.json` of TensorFlow.js with one shard, `weights.bin`.

    Args:
        topology: class_name and config of the network.
        weights: entries of the manifest.
        **more: other keys.
    """
    manifest = [{"paths": ["weights.bin"], "weights": weights}]
    model = {"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest}
    return json.dumps(model | more)


def stored(arrays: Mapping[str, np.ndarray], quantized: str = "") -> tuple[list[dict], bytes]:
    """Entries of a manifest, and the shard that they describe.

    Args:
        arrays: by name.
        quantized: "uint8", "uint16" or "float16"; "": as float32.
    """
    entries, shard = [], b""
    for name, values in arrays.items():
        entry = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if quantized == "float16":
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            shard += values.astype("<f2").tobytes()
        elif quantized:
            least = float(values.min())
            scale = (float(values.max()) - least) / np.iinfo(quantized).max or 1.0
            entry["quantization"] = {"dtype": quantized, "min": least, "scale": scale}
            whole = np.rint((values - least) / scale)
            shard += whole.astype(np.dtype(quantized).newbyteorder("<")).tobytes()
        else:
            shard += values.astype("<f4").tobytes()
        entries.append(entry)
    return entries, shard


def teachable_machine(classes: int = 3, size: int = 16) -> tuple[dict, Arrays]:
    """A small network of the form that Teachable Machine exports, and its weights.

    Returns:
        Its description, networks within a network; and its arrays, as an `.h5` file has them:
        of the inner network first all that is trained, then all that is not.
    """
    draw = np.random.default_rng(4)
    numbers = {"class_name": "VarianceScaling"}
    numbers["config"] = {"scale": 1, "mode": "fan_avg", "distribution": "normal", "seed": None}

    def layer(kind, name, source="", **more):
        config = {"name": name, "trainable": True, "dtype": "float32", **more}
        inbound = [[[one, 0, 0, {}] for one in source.split()]] if source else []
        return {"class_name": kind, "config": config, "name": name, "inbound_nodes": inbound}

    def convolution(name, source, filters, kernel, stride, **more):
        return layer(
            *("Conv2D", name, source),
            filters=filters,
            kernel_size=[kernel, kernel],
            strides=[stride, stride],
            padding="same",
            activation="linear",
            use_bias=False,
            groups=1,
            kernel_initializer=numbers,
            **more,
        )

    def normalization(name, source):
        more = {"momentum": 0.999, "epsilon": 0.001, "center": True, "scale": True}
        return layer("BatchNormalization", name, source, axis=[3], **more)

    def entrance(name, shape):
        config = {"batch_input_shape": [None, *shape], "dtype": "float32", "name": name}
        config |= {"sparse": False, "ragged": False}
        return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}

    depthwise = layer(
        *("DepthwiseConv2D", "expanded_conv_depthwise", "Conv1_relu"),
        kernel_size=[3, 3],
        strides=[1, 1],
        padding="same",
        depth_multiplier=1,
        groups=1,
        activation="linear",
        use_bias=False,
        depthwise_initializer=numbers,
    )
    inner = [
        entrance("input_1", (size, size, 3)),
        layer("ZeroPadding2D", "Conv1_pad", "input_1", padding=[[0, 1], [0, 1]]),
        convolution("Conv1", "Conv1_pad", 4, 3, 2),
        normalization("bn_Conv1", "Conv1"),
        layer("ReLU", "Conv1_relu", "bn_Conv1", max_value=6.0, negative_slope=0.0, threshold=0.0),
        depthwise,
        normalization("expanded_conv_depthwise_BN", "expanded_conv_depthwise"),
        layer("Add", "add", "Conv1_relu expanded_conv_depthwise_BN"),
    ]
    model = {"name": "model1", "layers": inner}
    model |= {"input_layers": [["input_1", 0, 0]], "output_layers": [["add", 0, 0]]}
    pooling = layer("GlobalAveragePooling2D", "global_average_pooling2d_GlobalAveragePooling2D1")
    base = {
        "name": "sequential_1",
        "layers": [
            entrance("model1_input", (size, size, 3)),
            {"class_name": "Functional", "config": model},
            pooling,
        ],
    }
    dense = {"kernel_initializer": numbers}
    head = {
        "name": "sequential_3",
        "layers": [
            entrance("dense_Dense1_input", (4,)),
            layer("Dense", "dense_Dense1", units=5, activation="relu", use_bias=True, **dense),
            layer(
                *("Dense", "dense_Dense2"),
                units=classes,
                activation="softmax",
                use_bias=False,
                **dense,
            ),
        ],
    }
    layers = [
        entrance("sequential_1_input", (size, size, 3)),
        {"class_name": "Sequential", "config": base},
        {"class_name": "Sequential", "config": head},
    ]
    config = {"class_name": "Sequential", "config": {"name": "sequential_4", "layers": layers}}

    def normal(*shape):
        return draw.normal(0, 0.7, shape).astype("f4")

    norms = ("bn_Conv1", "expanded_conv_depthwise_BN")
    trained = {"Conv1/kernel": normal(3, 3, 3, 4)}
    for name in norms:
        trained |= {f"{name}/gamma": 1 + normal(4), f"{name}/beta": normal(4)}
        if name == norms[0]:
            trained["expanded_conv_depthwise/depthwise_kernel"] = normal(3, 3, 4, 1)
    moving = {}
    for name in norms:
        moving |= {
            f"{name}/moving_mean": normal(4),
            f"{name}/moving_variance": normal(4) ** 2 + 0.1,
        }
    last = {"dense_Dense1/kernel": normal(4, 5), "dense_Dense1/bias": normal(5)}
    last["dense_Dense2/kernel"] = normal(5, classes)
    return config, [("sequential_1", trained | moving), ("sequential_3", last)]
