"""Layers as Keras 1, Keras 2 and TensorFlow.js wrote them, in the words of Keras 3.

Names alone are changed. What remains is held against the list of `config.py`, and what Keras 3
does not take, Keras refuses by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnkit.errors import InvalidModelError

MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
}


def modern_layer(kind: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A layer's class and arguments, as Keras 3 has them.

    Args:
        kind: its class in the file.
        config: its arguments in the file.

    Raises:
        InvalidModelError: Keras 3 cannot do what it did.
    """
    arguments = dict(config)
    if kind in _FIRST:
        kind, arguments = _of_first_keras(kind, arguments)
    kind = _CLASSES.get(kind, kind)
    _rename(arguments, _ARGUMENTS.get(kind, {}))
    arguments = {key: _argument(key, value) for key, value in arguments.items()}
    shape = arguments.pop("batch_input_shape", None)
    if kind == "InputLayer":
        arguments.setdefault("batch_shape", shape)
    for key, usual in _NO_LONGER.get(kind, {}).items():
        # A value that says something stays, and Keras refuses it by its name.
        if arguments.get(key) in usual or None in usual:
            arguments.pop(key, None)
    axis = arguments.get("axis")
    if kind == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        arguments["axis"] = axis[0]
    return kind, arguments


def _argument(key: str, value: Any) -> Any:
    ending = next((one for one in _MODULES if key.endswith(one)), "")
    if ending == "_initializer" and _named(value) in _SLOW:
        return "zeros"  # the weights of the file follow; drawing these takes minutes
    if key == "dtype":
        return _dtype(value)
    if not isinstance(value, dict) or "class_name" not in value or not ending:
        return value
    config = value.get("config") or {}
    if ending == "_initializer" and isinstance(config, dict):
        config = {name: one for name, one in config.items() if name != "dtype"}
        if config.get("distribution") == "normal":
            config["distribution"] = "truncated_normal"
    return {
        "module": _MODULES[ending],
        "class_name": value["class_name"],
        "config": config,
        "registered_name": None,
    }


def _named(value: Any) -> Any:
    name = value.get("class_name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else None


def _dtype(value: Any) -> Any:
    """A type, or the name of the policy that stands for it."""
    if isinstance(value, dict):
        config = value.get("config")
        value = config.get("name") if isinstance(config, dict) else value
    return "float32" if value in ("infer", "_infer") else value


def _of_first_keras(kind: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A layer whose arguments may be those of Keras 1."""
    arguments = {key: value for key, value in config.items() if key not in _ONLY_TRAINING}
    if kind == "Merge":
        kind = _merge(arguments)
    if arguments.pop("mode", 0) not in (0, None):
        raise InvalidModelError(
            f"The layer {str(arguments.get('name'))[:80]!r} normalizes in a mode of Keras 1 that "
            "later versions do not have. Only its usual mode, 0, can be read."
        )
    if arguments.get("dim_ordering") == "th":
        raise InvalidModelError(
            f"The layer {str(arguments.get('name'))[:80]!r} takes channels before rows and "
            "columns. Networks whose images are (height, width, channels) can be opened."
        )
    if arguments.pop("dim_ordering", None):
        arguments["data_format"] = "channels_last"
    _rename(arguments, _OLD_ARGUMENTS)
    if "nb_row" in arguments:
        arguments["kernel_size"] = [arguments.pop("nb_row"), arguments.pop("nb_col", None)]
    return kind, arguments


def _merge(arguments: dict[str, Any]) -> str:
    mode = arguments.pop("mode", "sum")
    for key in ("mode_type", "output_shape_type", "output_mask", "output_mask_type"):
        arguments.pop(key, None)
    for key in ("arguments", "dot_axes"):
        arguments.pop(key, None)
    axis = arguments.pop("concat_axis", -1)
    if mode not in MERGES:
        raise InvalidModelError(
            f"The file merges layers by {str(mode)[:40]!r}. Those of Keras 1 that can be read are "
            f"{', '.join(MERGES)}."
        )
    if mode == "concat":
        arguments["axis"] = axis
    return MERGES[mode]


def _rename(arguments: dict[str, Any], names: Mapping[str, str]) -> None:
    for old, new in names.items():
        if old in arguments:
            arguments.setdefault(new, arguments.pop(old))


_MODULES = {
    "_initializer": "keras.initializers",
    "_regularizer": "keras.regularizers",
    "_constraint": "keras.constraints",
}

# Initializers that take minutes for a large matrix.
_SLOW = ("Orthogonal", "OrthogonalInitializer", "orthogonal")

# Classes that go by another name now.
_CLASSES = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
}

# Classes that Keras 1 had: their arguments may have its names.
_FIRST = (
    *("Convolution1D", "Convolution2D", "Convolution3D", "AtrousConvolution2D", "Deconvolution2D"),
    *("SeparableConvolution2D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D"),
    *("AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalMaxPooling2D"),
    *("GlobalAveragePooling2D", "UpSampling2D", "ZeroPadding2D", "Cropping2D", "Dense"),
    *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "BatchNormalization"),
    *("Activation", "Flatten", "Reshape", "Permute", "LeakyReLU", "PReLU", "ELU", "Merge"),
    *("Conv2D", "InputLayer"),
)
_OLD_ARGUMENTS = {
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "output_dim": "units",
    "subsample": "strides",
    "subsample_length": "strides",
    "pool_length": "pool_size",
    "stride": "strides",
    "atrous_rate": "dilation_rate",
    "border_mode": "padding",
    "bias": "use_bias",
    "init": "kernel_initializer",
    "p": "rate",
    "sigma": "stddev",
}
# Of Keras 1: what the weights make needless, or what only training needs.
_ONLY_TRAINING = (
    *("W_regularizer", "b_regularizer", "W_constraint", "b_constraint", "input_dim"),
    *("input_dtype", "input_length", "weights", "output_shape"),
)

# By class: arguments that have another name now.
_ARGUMENTS = {
    "LeakyReLU": {"alpha": "negative_slope"},
    "PReLU": {"kernel_initializer": "alpha_initializer"},
}

# By class: arguments that Keras 2 wrote and Keras 3 does not know, with the values at which they
# say nothing; None: whatever the value.
_KERNEL = {f"kernel_{what}": (None,) for what in ("initializer", "regularizer", "constraint")}
_NO_LONGER: dict[str, dict[str, tuple[Any, ...]]] = {
    "InputLayer": {"ragged": (False,), "sparse": (False,), "input_dtype": (None,)},
    "DepthwiseConv2D": {"groups": (1,), **_KERNEL},
    "SeparableConv2D": {"groups": (1,), **_KERNEL},
    "Conv2DTranspose": {"groups": (1,)},
    "BatchNormalization": {
        key: (None,) for key in ("renorm", "fused", "virtual_batch_size", "adjustment")
    },
}
