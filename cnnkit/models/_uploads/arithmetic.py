"""Arithmetic outside of layers, as Keras 2 saved `x / 127.5 - 1`, as layers of Keras 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnkit.errors import InvalidModelError

KINDS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")


def as_layer(node: Mapping[str, Any]) -> dict[str, Any]:
    """An operation of Keras 2 with a number as an ordinary layer, in the words of Keras 2.

    Args:
        node: the operation as the file has it, with its single use:
            `["input_1", 0, 0, {"y": 127.5, "name": None}]`.

    Raises:
        InvalidModelError: it cannot be read; says what works instead.
    """
    config = node.get("config")
    config = config if isinstance(config, dict) else {}
    name, function = str(node.get("name", node["class_name"])), config.get("function")
    uses = node.get("inbound_nodes")
    if node["class_name"] == "TFOpLambda" and isinstance(uses, list) and len(uses) == 1:
        source, number = _operands(uses[0])
        scaled = _SCALED.get(str(function))
        if source and function in ("nn.relu", "nn.relu6"):
            most = {"max_value": 6.0} if function == "nn.relu6" else {}
            return _layer("ReLU", name, source, most)
        if source and scaled and number is not None:
            return _layer("Rescaling", name, source, scaled(number))
    raise InvalidModelError(
        f"The file holds {name[:80]!r}, arithmetic that Keras 2 saved in a way that Keras 3 cannot "
        "read. Save the network with a layer instead, such as keras.layers.Rescaling."
    )


def _operands(use: Any) -> tuple[list[Any] | None, float | None]:
    """The tensor that it is used on, and the number."""
    if not isinstance(use, list) or len(use) != 4 or not isinstance(use[3], dict):
        return None, None
    name, *_ = use
    others = {key: value for key, value in use[3].items() if key != "name" and value is not None}
    number = others.pop("y", None)
    if others or name == "_CONSTANT_VALUE":
        return None, None
    real = isinstance(number, int | float) and not isinstance(number, bool)
    return use[:3], float(number) if real else None


def _layer(kind: str, name: str, source: list[Any], more: dict[str, Any]) -> dict[str, Any]:
    config = {"name": name, "trainable": True, "dtype": "float32", **more}
    return {"class_name": kind, "config": config, "name": name, "inbound_nodes": [[[*source, {}]]]}


_SCALED = {
    "math.truediv": lambda number: {"scale": 1 / number, "offset": 0.0},
    "math.divide": lambda number: {"scale": 1 / number, "offset": 0.0},
    "math.multiply": lambda number: {"scale": number, "offset": 0.0},
    "math.subtract": lambda number: {"scale": 1.0, "offset": -number},
    "math.add": lambda number: {"scale": 1.0, "offset": number},
    "__operators__.add": lambda number: {"scale": 1.0, "offset": number},
}
