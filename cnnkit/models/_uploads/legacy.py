"""Keras's older HDF5 files (`.h5`): the network as an attribute, the weights beside it.

The description is written anew as Keras 3 writes it, by changing names alone, and is then held
against the same list as that of a `.keras` file. Keras 1 and 2 wrote no modules, other inputs,
other references between layers, and other classes and arguments (`spellings.py`). TensorFlow.js
describes networks in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cnnkit.errors import InvalidModelError, UnsafeModelError
from cnnkit.models._uploads import arithmetic
from cnnkit.models._uploads.config import OPERATIONS, is_network
from cnnkit.models._uploads.parts import Unpacked
from cnnkit.models._uploads.spellings import modern_layer

if TYPE_CHECKING:
    from cnnkit.models._uploads import UploadLimits

BEGINS = b"\x89HDF\r\n\x1a\n"
FILE = "legacy.h5"  # Keras goes by the name: ".weights.h5" would be the newer format
RESAVE = (
    "Build the same network with Keras 3, load the weights with model.load_weights('old.h5'), and "
    "save it whole: model.save('new.keras')."
)
WEIGHTS_ONLY = (
    "The file holds weights alone, not the network that they belong to. Build that network with "
    "Keras 3, load them with model.load_weights, and save it whole: model.save('network.keras')."
)


def unpack_legacy(file: IO[bytes], limits: UploadLimits, folder: Path) -> Unpacked:
    """Take the description of the network out of an HDF5 file.

    Args:
        file: at any place; its size was checked.
        limits: for the description.
        folder: where the file is copied to, for HDF5 reads by name.

    Raises:
        InvalidModelError: the file is damaged, not Keras's or holds weights alone; or the
            description is none.
        UnsafeModelError: the description is too large.
    """
    path = folder / FILE
    file.seek(0)
    with path.open("wb") as copy:
        while block := file.read(2**20):
            copy.write(block)
    return Unpacked(modern_network(_parsed(_attribute(path, limits))), path)


def modern_network(described: Mapping[str, Any]) -> bytes:
    """A network as Keras 1, Keras 2 or TensorFlow.js describes it, as a `.keras` file has it.

    Raises:
        InvalidModelError: it cannot be read; says why.
    """
    return json.dumps(_network(described)).encode()


def _attribute(path: Path, limits: UploadLimits) -> str:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise InvalidModelError(_what_else(set(file), set(file.attrs)))
            attribute = file.attrs.get_id("model_config")
            if attribute.shape != () or h5py.check_string_dtype(attribute.dtype) is None:
                raise InvalidModelError("The attribute model_config of the file is no text.")
            if attribute.get_storage_size() > limits.config_bytes:
                raise _too_large(limits)
            text = file.attrs["model_config"]
    except OSError as error:
        raise InvalidModelError(
            "The HDF5 file is damaged, or its end is missing; copy or download it again."
        ) from error
    if len(text) > limits.config_bytes:
        raise _too_large(limits)
    return text.decode("utf-8") if isinstance(text, bytes) else str(text)


def _what_else(members: set[str], attributes: set[str]) -> str:
    """What an HDF5 file is that describes no network, going by names alone."""
    if "layer_names" in attributes or members & {"layers", "model_weights", "vars"}:
        return WEIGHTS_ONLY
    return (
        "The HDF5 file was not saved by Keras as a network: it has no attribute model_config. "
        "Files from model.save('network.keras') or model.save('network.h5') can be opened."
    )


def _too_large(limits: UploadLimits) -> UnsafeModelError:
    return UnsafeModelError(
        f"The description of the network has more than {limits.config_bytes / 2**20:,.0f} MiB, "
        "the most that is opened."
    )


def _parsed(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidModelError("The attribute model_config of the file is no JSON.") from error
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise InvalidModelError("The attribute model_config of the file describes no network.")
    return config


def _network(node: Mapping[str, Any]) -> dict[str, Any]:
    """A network, or one that is a layer of another."""
    kind, config = node["class_name"], node.get("config")
    if isinstance(config, list):  # Keras before 2.2.3 wrote the layers of a Sequential alone
        config = {"name": "sequential", "layers": config}
    layers = config.get("layers") if isinstance(config, dict) else None
    if kind not in _NETWORKS or not isinstance(config, dict) or not isinstance(layers, list):
        raise InvalidModelError(
            f"The file describes a {kind[:80]}, no functional or Sequential network. Build it as "
            "one of these and save that: model.save('network.keras')."
        )
    layers = [_layer(layer) for layer in layers]
    new_config = {
        "name": str(config.get("name", "network")),
        "trainable": config.get("trainable", True),
    }
    if kind == "Sequential":
        layers = [*_missing_input(config, layers), *layers]
    else:
        shifts = _shifts(layers, config.get("output_layers"))
        for layer in layers:
            layer["inbound_nodes"] = [_call(use, shifts) for use in layer["inbound_nodes"]]
        new_config |= {
            end: _ends(config.get(end), shifts) for end in ("input_layers", "output_layers")
        }
    return {
        "module": "keras" if kind == "Sequential" else "keras.src.models.functional",
        "class_name": "Sequential" if kind == "Sequential" else "Functional",
        "config": new_config | {"layers": layers},
        "registered_name": None,
        "name": new_config["name"],
        "inbound_nodes": node.get("inbound_nodes") or [],
    }


def _layer(node: Any) -> dict[str, Any]:
    if not isinstance(node, dict) or not isinstance(node.get("class_name"), str):
        raise InvalidModelError("The file describes a layer that has no class.")
    if node["class_name"] in _NETWORKS:
        return _network(node)
    if node["class_name"] in arithmetic.KINDS:
        node = arithmetic.as_layer(node)
    kind, config = node["class_name"], node.get("config")
    if not isinstance(config, dict):
        raise InvalidModelError(f"The layer {kind[:80]} in the file has no description.")
    own = kind.startswith("cnnkit>")
    modern, arguments = modern_layer(kind, config)
    return {
        "module": None if own else _module(kind, config),
        "class_name": modern.removeprefix("cnnkit>"),
        "config": arguments,
        "registered_name": kind if own else None,
        "name": node.get("name") or config.get("name"),
        "inbound_nodes": node.get("inbound_nodes") or [],
    }


def _module(kind: str, config: Mapping[str, Any]) -> str:
    """Where the class stands: every layer says whether it learns, an operation of Keras 3 not."""
    if "trainable" not in config and kind != "InputLayer":
        for module, names in OPERATIONS.items():
            if kind in names:
                return module
    return "keras.layers"


def _missing_input(config: Mapping[str, Any], layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The input of a Sequential network: Keras 2 wrote it into the first layer."""
    if not layers or layers[0]["class_name"] == "InputLayer":
        return []
    written = config["layers"][0]["config"]
    shape = written.get("batch_input_shape") if isinstance(written, dict) else None
    shape = shape or config.get("build_input_shape") or _input_shape(layers[0])
    if not shape:
        return []
    # The name that Keras 2 gave it.
    arguments = {"batch_shape": shape, "dtype": "float32", "name": f"{layers[0]['name']}_input"}
    return [_layer({"class_name": "InputLayer", "config": arguments})]


def _input_shape(layer: dict[str, Any]) -> Any:
    """Of a nested network that begins with its input."""
    inner = layer["config"]["layers"] if is_network(layer) else []
    return inner[0]["config"].get("batch_shape") if inner else None


def _shifts(layers: list[dict[str, Any]], outputs: Any) -> dict[str, int]:
    """What to take from the number of a use, by layer: Keras 2 counts nested networks from 1."""
    uses = {layer["name"]: max(1, len(layer["inbound_nodes"])) for layer in layers}
    nested = {layer["name"] for layer in layers if is_network(layer)}
    sources = [source for layer in layers for use in layer["inbound_nodes"] for source in _old(use)]
    largest: dict[str, int] = {}
    for name, number, *_ in sources + _old(outputs):
        largest[name] = max(number, largest.get(name, 0))
    return {name: 1 for name in nested if largest.get(name, 0) >= uses[name]}


def _old(sources: Any) -> list[list]:
    """References as Keras 2 writes them; none where Keras 3 did."""
    return [one for one in sources if isinstance(one, list)] if isinstance(sources, list) else []


def _call(use: Any, shifts: Mapping[str, int]) -> Any:
    """One use of a layer: [[name, use, output, arguments], …] in Keras 2."""
    if not isinstance(use, list):
        return use  # Keras 3 writes it as it does in a `.keras` file
    tensors = [_tensor(source[:3], shifts) for source in use]
    arguments = next((source[3] for source in use if len(source) > 3), {})
    said = {key: value for key, value in arguments.items() if value is not None}
    if not set(said) <= {"training"} or not isinstance(said.get("training", False), bool | int):
        raise InvalidModelError(
            f"A layer in the file is called with {', '.join(sorted(said))[:80]}, which cannot be "
            f"read from Keras 2. {RESAVE}"
        )
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": said}


def _tensor(source: list, shifts: Mapping[str, int]) -> dict[str, Any]:
    name, use, output = source
    history = [name, use - shifts.get(name, 0), output]
    # Keras goes by the history alone, and works the shape out anew.
    config = {"shape": [None], "dtype": "float32", "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


def _ends(ends: Any, shifts: Mapping[str, int]) -> Any:
    """Inputs or outputs: of a single one not a list, which the network would return."""
    if not isinstance(ends, list):
        return ends
    if len(ends) == 3 and isinstance(ends[0], str):
        name, use, output = ends
        return [name, use - shifts.get(name, 0), output]
    tensors = [_ends(one, shifts) for one in ends]
    return tensors[0] if len(tensors) == 1 else tensors


_NETWORKS = ("Functional", "Model", "Sequential")
