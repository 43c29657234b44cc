"""Sequential networks built in one go.

As Keras reads their description, it builds them anew at each layer: one of 250 layers takes half
a minute. Given all layers at once, it builds them once.
"""

from __future__ import annotations

from typing import Any

from cnnkit._lazy import keras

SEQUENTIAL = "Sequential"


class Chain:
    """Stands for Keras's class while a description is read."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
        """A Sequential network, of Keras's own class."""
        layers = [
            keras.saving.deserialize_keras_object(layer, custom_objects=custom_objects)
            for layer in config["layers"]
        ]
        model = keras.Sequential(layers, name=config["name"])
        shape = config.get("build_input_shape")
        if shape and not model.built:
            model.build(shape)
        return model


def register_chains(node: Any) -> Any:
    """A description whose Sequential networks are read by `Chain`, where that is in scope."""
    if isinstance(node, list):
        return [register_chains(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: register_chains(value) for key, value in node.items()}
    if node.get("class_name") == SEQUENTIAL:
        node["registered_name"] = SEQUENTIAL
    return node
