"""One flat graph of a network that holds networks, with pixels of 0 to 255 as its input.

The layers stay the same objects and keep their names, so that every tool reaches each by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cnnkit._lazy import keras
from cnnkit.anatomy.graph import graph_of, is_graph
from cnnkit.models.preprocessing import Preprocessing

if TYPE_CHECKING:
    from keras import Model

IMAGE = "image"  # the input, if no layer has this name


def is_nested(model: Model) -> bool:
    """Whether a layer of a network is a network."""
    return any(is_graph(layer) for layer in model.layers)


def flat_network(model: Model, preprocessing: Preprocessing | None = None) -> Model:
    """The layers of a network and of those within it, called in one graph.

    Args:
        model: of one input; with its weights.
        preprocessing: what happens to pixels before it; None: nothing.
    """
    names = _own_names(model)
    source = model.inputs[0]
    shape = (None, *source.shape[1:])
    image = keras.Input(batch_shape=shape, dtype=source.dtype, name=_free(IMAGE, names))
    prepared = preprocessing.call(image) if preprocessing else image
    for operation in _before(prepared):
        operation.name = _free(operation.name, names)
        names.add(operation.name)
    outputs = _call(model, (prepared,))
    return keras.Model(image, outputs, name=model.name)


def _own_names(model: Model) -> set[str]:
    """Names of all layers and operations but inputs; of several alike, all but one are changed."""
    names: set[str] = set()
    seen: set[int] = set()
    for holder, operation in _operations(model):
        if id(operation) in seen:
            continue
        seen.add(id(operation))
        if operation.name in names:
            operation.name = _free(f"{holder.name}_{operation.name}", names)
        names.add(operation.name)
    return names


def _operations(model: Model) -> Iterator[tuple[Model, Any]]:
    for operation in graph_of(model).operations:
        if is_graph(operation):
            yield from _operations(operation)
        elif type(operation).__name__ != "InputLayer":
            yield model, operation


def _free(name: str, names: set[str]) -> str:
    number, free = 0, name
    while free in names:
        number += 1
        free = f"{name}_{number}"
    return free


def _before(tensor: Any) -> list[Any]:
    """What computes a tensor, but for the input."""
    operations = []
    while (operation := tensor._keras_history.operation)._inbound_nodes[0].input_tensors:
        operations.append(operation)
        tensor = operation._inbound_nodes[0].input_tensors[0]
    return operations


def _call(model: Model, inputs: tuple[Any, ...]) -> Any:
    def opened(operation: Any) -> Any:
        if not is_graph(operation):
            return operation

        def call(*arguments: Any, **keywords: Any) -> Any:
            tensors = keras.tree.flatten((arguments, keywords))
            return _call(operation, tuple(x for x in tensors if isinstance(x, keras.KerasTensor)))

        return call

    return graph_of(model)._run_through_graph(list(inputs), operation_fn=opened)
