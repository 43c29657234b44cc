"""The description of an uploaded network, held against a list of what may stand in it.

Keras's own `safe_mode` refuses lambdas, and that is not enough here: a description names
modules and classes, and each of them is called with arguments from the file. Some of
Keras's layers read files (look-up tables, SavedModels), others give memory away (random
orthogonal matrices). So everything that is named must be on the list; what is not on it,
does not load.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cnnkit.errors import InvalidModelError, UnsafeModelError

if TYPE_CHECKING:
    from cnnkit.models._uploads import UploadLimits

NESTING = 20  # networks within networks


def read_config(text: bytes, limits: UploadLimits) -> dict[str, Any]:
    """The description of the network, without what only training needs.

    Raises:
        UnsafeModelError: something that is named is not on the list, or there is too much.
        InvalidModelError: it is no description of a network.
    """
    config = _without_training(_parsed(text))
    if not isinstance(config, dict) or not is_network(config):
        raise InvalidModelError(
            "config.json describes no network that could be opened: it must be a functional or "
            "Sequential one."
        )
    layers = 0
    for node in _objects(config):
        _check_object(node)
        _check_names(node)
        layers += "inbound_nodes" in node or node.get("module") == "keras.layers"
        if layers > limits.layers:
            raise UnsafeModelError(
                f"The network has more than {limits.layers:,} layers, the most that are opened."
            )
    if _calls(config) > limits.calls:
        raise UnsafeModelError(
            f"The network uses its layers more than {limits.calls:,} times; no more are opened."
        )
    return config


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidModelError("config.json in the archive is no JSON.") from error


def _without_training(value: Any) -> Any:
    """Without losses and optimizers, at any depth: Keras compiles nested networks unasked."""
    if isinstance(value, dict):
        return {k: _without_training(v) for k, v in value.items() if k != "compile_config"}
    if isinstance(value, list):
        return [_without_training(item) for item in value]
    return value


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every part that names a class; strings that name a registered object are refused."""
    waiting = [("", config)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            waiting += value.items()
        elif isinstance(value, list):
            waiting += ((key, item) for item in value)
        elif isinstance(value, str) and re.fullmatch(r"\w+>\w+", value) and key not in _NAMES:
            raise UnsafeModelError(
                f"The file names {value!r}, an object of another program, which cannot be opened."
            )


_NAMES = ("name", "registered_name", "keras_history", "input_layers", "output_layers")


def _check_object(node: dict[str, Any]) -> None:
    kind, module = node["class_name"], node.get("module")
    registered = node.get("registered_name")
    if not isinstance(kind, str) or not isinstance(module, str | None):
        raise InvalidModelError("config.json names a class by something that is no name.")
    if kind in _VALUES and module is None:
        return
    if (module, kind, registered) in _OWN:
        importlib.import_module(str(module))  # which registers it
    elif kind == "function":
        _check_function(node)
    elif kind not in _ALLOWED.get(module or "", ()) or registered not in (None, kind):
        raise UnsafeModelError(_refusal(node, kind, module))
    _check_calls(node)


def _check_names(node: dict[str, Any]) -> None:
    """What a layer's settings name by a string: Keras makes an object of it, whatever it is."""
    config = node.get("config")
    waiting = [config]
    # A policy names its types by `name`.
    if node["class_name"] == "DTypePolicy" and isinstance(config, dict):
        waiting.append({"dtype": config.get("name")})
    while waiting:
        values = waiting.pop()
        if isinstance(values, list):
            waiting += values
        if not isinstance(values, dict):
            continue
        for key, value in values.items():
            allowed = _STRINGS.get(str(key).rpartition("_")[2])
            if allowed and isinstance(value, str) and value not in allowed:
                raise UnsafeModelError(
                    f"The file names {value[:80]!r} as {str(key)[:80]}, which is not on the list "
                    "of what may be opened."
                )
            if not isinstance(value, dict) or "class_name" not in value:
                waiting.append(value)


def _check_function(node: dict[str, Any]) -> None:
    name = node.get("config")
    is_activation = node.get("module") in ("builtins", "keras.activations") and name in _ACTIVATIONS
    if not is_activation or node.get("registered_name") not in (None, "function", name):
        raise UnsafeModelError(
            f"The file names the function {str(name)[:80]!r}, which is no activation of Keras."
        )


def _check_calls(node: dict[str, Any]) -> None:
    """Each use of a layer must be on what another gives: on numbers, Keras would compute now."""
    for call in node.get("inbound_nodes") or ():
        if not isinstance(call, dict):
            raise InvalidModelError(
                "The network was saved by a Keras older than 3; open it there and save it again."
            )
        if not any(part["class_name"] == "__keras_tensor__" for part in _objects(call)):
            raise InvalidModelError(f"Layer {_name(node)!r} is used without an input.")


def _refusal(node: dict[str, Any], kind: str, module: str | None) -> str:
    name = _name(node)
    place = f" ({name!r})" if name else ""
    if kind in ("Lambda", "__lambda__"):
        return (
            f"The file holds a Lambda layer{place}, whose code would run here; save the network "
            "without it."
        )
    if kind in _READERS:
        return (
            f"The file holds a layer {kind}{place}, which reads other files; save the network "
            "without it."
        )
    if module in ("keras.layers", "keras.src.ops.numpy", "keras.src.ops.nn"):
        return f"The file holds a layer {kind}{place}, which is not on the list of those opened."
    origin = f" of {module[:80]}" if module else ""
    return (
        f"The file names the class {kind[:80]}{origin}{place}, whose code is not Keras's own or is "
        "not on the list of what may be opened; save the network with layers of Keras alone."
    )


def _name(node: dict[str, Any]) -> str | None:
    config = node.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    name = name or node.get("name")
    return name[:80] if isinstance(name, str) else None


def is_network(node: dict[str, Any]) -> bool:
    """Whether a part of a description is a network, with layers of its own."""
    return node.get("class_name") in ("Functional", "Sequential", "Model") and "layers" in (
        node.get("config") or ()
    )


def _calls(network: dict[str, Any], depth: int = 0) -> int:
    """Uses of layers, those of nested networks multiplied."""
    if depth > NESTING:
        raise UnsafeModelError(f"The file nests networks more than {NESTING} deep.")
    total = 0
    for layer in network["config"]["layers"]:
        uses = max(1, len(layer.get("inbound_nodes") or ()))
        total += uses * (_calls(layer, depth + 1) if is_network(layer) else 1)
    return total


# Values that Keras writes down as if they were objects.
_VALUES = ("__keras_tensor__", "__numpy__", "__tensor__", "__slice__", "__ellipsis__")

_READERS = """
    TFSMLayer StringLookup IntegerLookup IndexLookup TextVectorization FeatureSpace
    TorchModuleWrapper JaxLayer FlaxLayer
""".split()

_LAYERS = """
    InputLayer Identity Activation ReLU LeakyReLU PReLU ELU Softmax
    Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose
    DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
    Dense EinsumDense MultiHeadAttention GroupQueryAttention Attention AdditiveAttention
    BatchNormalization LayerNormalization GroupNormalization RMSNormalization UnitNormalization
    MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
    Flatten Reshape Permute RepeatVector Cropping1D Cropping2D Cropping3D
    ZeroPadding1D ZeroPadding2D ZeroPadding3D UpSampling1D UpSampling2D UpSampling3D
    Dropout AlphaDropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout
    GaussianNoise ActivityRegularization
    Rescaling Normalization Resizing CenterCrop
    RandomFlip RandomRotation RandomZoom RandomTranslation RandomCrop RandomContrast
    RandomBrightness RandomShear RandomErasing
"""

# The arithmetic that `x / 127.5 - 1`, `x[..., ::-1]` and activations in a graph lead to.
_ARITHMETIC = """
    Add Subtract Multiply Divide TrueDivide Negative Absolute Power Square Sqrt Exp Log
    Maximum Minimum Mean Max Min Sum Amax Amin Clip Flip GetItem Concatenate Reshape Transpose
    Squeeze ExpandDims Tanh Matmul
"""

_ACTIVATION_OPS = """
    Relu Relu6 Sigmoid Silu HardSigmoid HardSilu HardTanh Softmax LogSoftmax Gelu Elu Selu Celu
    LeakyRelu Softplus Softsign LogSigmoid
"""

_ACTIVATIONS = frozenset(
    """
    linear relu relu6 leaky_relu elu selu celu gelu silu swish sigmoid hard_sigmoid hard_silu
    hard_swish hard_tanh tanh softmax log_softmax softplus softsign exponential mish log_sigmoid
    """.split()
)

_ALLOWED: dict[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "keras": "Model Functional Sequential DTypePolicy",
        "keras.models": "Model Functional Sequential",
        "keras.src.models.functional": "Functional",
        "keras.src.models.sequential": "Sequential",
        "keras.dtype_policies": "DTypePolicy",
        "keras.layers": _LAYERS,
        "keras.src.applications.convnext": "LayerScale",
        "keras.src.applications.inception_resnet_v2": "CustomScaleLayer",
        "keras.src.ops.numpy": _ARITHMETIC,
        "keras.src.ops.core": "Cast",
        "keras.src.ops.nn": _ACTIVATION_OPS,
        "keras.src.activations.activations": "ReLU",
        # Not Orthogonal: a large matrix takes minutes, only to be overwritten.
        "keras.initializers": """
            Constant Zeros Ones RandomNormal RandomUniform TruncatedNormal VarianceScaling
            GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform Identity
        """,
        "keras.regularizers": "L1 L2 L1L2",
        "keras.constraints": "MaxNorm NonNeg UnitNorm MinMaxNorm",
    }.items()
}

# Module, class and registered name of our own layers, each exactly as Keras writes it.
_OWN = {
    (
        "cnnkit.models._local_response",
        "LocalResponseNormalization",
        "cnnkit>LocalResponseNormalization",
    )
}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _strings(module: str) -> frozenset[str]:
    """The names by which Keras finds the classes of a module."""
    return frozenset(form for one in _ALLOWED[module] for form in (one, _snake_case(one)))


# The last word of a setting -> the strings that may stand there.
_STRINGS = {
    "initializer": _strings("keras.initializers") | {"zero", "one", "normal", "uniform"},
    "regularizer": _strings("keras.regularizers") | {"l1", "l2", "l1_l2", "l1l2"},
    "constraint": _strings("keras.constraints"),
    "activation": _ACTIVATIONS,
    "dtype": frozenset(
        """
        float16 bfloat16 float32 float64 mixed_float16 mixed_bfloat16 bool
        int8 int16 int32 int64 uint8 uint16 uint32 uint64
        """.split()
    ),
}

# Operations without weights that stand in a graph beside layers.
OPERATIONS = {
    module: _ALLOWED[module]
    for module in (
        "keras.src.ops.numpy",
        "keras.src.ops.core",
        "keras.src.ops.nn",
        "keras.src.activations.activations",
    )
}
