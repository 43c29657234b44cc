"""The graph of a network as a list of calls, nested networks opened, sizes filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cnnkit._lazy import keras
from cnnkit.errors import IncompatibleError

Tensor = Any  # keras.KerasTensor: a shape and a dtype without values


@dataclass(frozen=True, eq=False, kw_only=True)
class Call:
    """One use of a layer or operation. A layer that is used twice makes two calls."""

    path: str  # "outer/inner" for layers of nested networks
    operation: Any  # keras.Layer, or an operation such as those of `x * 2`
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any]
    outputs: tuple[Tensor, ...]  # shapes with a batch of one

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors among the arguments, in their order."""
        return _tensors((self.arguments, self.keywords))

    @property
    def kind(self) -> str:
        """Class of the layer or operation: "Conv2D"."""
        return type(self.operation).__name__

    def argument(self, position: int, name: str) -> Any:
        """An argument of the call wherever it stands; None: not given."""
        if len(self.arguments) > position:
            return self.arguments[position]
        return self.keywords.get(name)


@dataclass(frozen=True, eq=False)
class GraphTrace:
    """All calls of a network, each after those that it needs."""

    inputs: tuple[Tensor, ...]
    calls: tuple[Call, ...]
    outputs: tuple[Tensor, ...]


def trace(
    model: keras.Model, input_shape: Sequence[int] | None = None, *, any_size: bool = False
) -> GraphTrace:
    """Follow one image through the graph without computing anything.

    Nested networks are opened at any depth, and every shape is worked out anew, so that
    networks for images of any size get real sizes. The model itself is not changed.

    Args:
        model: Sequential or functional; built.
        input_shape: (height, width, channels) for a network that leaves sizes open.
        any_size: `input_shape` may be another than the network's own, if its layers take it.

    Raises:
        IncompatibleError: the network leaves sizes open and none is given, cannot take
            this size, or has no graph that could be read.
    """
    graph = graph_of(model)
    inputs = tuple(_opened(tensor, model, input_shape, any_size) for tensor in graph.inputs)
    calls: list[Call] = []
    for tensor, source in zip(inputs, graph.inputs, strict=True):
        layer = source._keras_history.operation
        calls.append(Call(path=layer.name, operation=layer, keywords={}, outputs=(tensor,)))
    outputs = _walk(graph, inputs, "", calls)
    return GraphTrace(inputs, tuple(calls), outputs)


def resized(calls: Sequence[Call], source: Tensor, tensor: Tensor) -> list[Call]:
    """The same calls for an input of another size, as far as the layers take it.

    Args:
        calls: in their order.
        source: that they start from.
        tensor: of the other size, to start from instead.
    """
    other = {id(source): tensor}

    def value(entry):
        return other[id(entry)] if isinstance(entry, keras.KerasTensor) else entry

    made = []
    for call in calls:
        arguments, keywords = keras.tree.map_structure(value, (call.arguments, call.keywords))
        try:
            outputs = _tensors(_outputs(call.operation, call.path, arguments, keywords))
        except IncompatibleError:
            break
        other |= {id(old): new for old, new in zip(call.outputs, outputs, strict=True)}
        made.append(replace(call, arguments=arguments, keywords=keywords, outputs=outputs))
    return made


def is_graph(operation: Any) -> bool:
    """Whether it is a network whose layers can be reached: functional or Sequential."""
    if isinstance(operation, keras.Sequential):
        return operation.built
    return isinstance(operation, keras.Model) and hasattr(operation, "_run_through_graph")


def layer_outputs(model: keras.Model) -> dict[str, tuple[Tensor, ...]]:
    """What each layer gives in this network's own graph, by name; at its first use, if several.

    `layer.output` fails for layers that are used twice, and is the inner end of a nested
    network, which cannot be reached from the outer image.

    Raises:
        IncompatibleError: the network has no graph that could be read.
    """
    graph = graph_of(model)
    outputs: dict[str, tuple[Tensor, ...]] = {}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            outputs.setdefault(node.operation.name, tuple(node.outputs))
    return outputs


def check_model(model: Any) -> None:
    """Refuse what is no Keras model.

    Raises:
        TypeError: says what was given, and how to get a model.
    """
    if not isinstance(model, keras.Model):
        what = repr(model) if isinstance(model, str) else type(model).__name__
        raise TypeError(
            "`model` must be a Keras model, as `cnnkit.create_model(name)` builds and "
            f"`NetworkRef.parse(name).open().model` opens it. Received: {what}."
        )


def graph_of(model: Any) -> Any:
    """The functional network whose nodes are those of a network.

    Raises:
        TypeError: it is no Keras model.
        IncompatibleError: it has none that could be read.
    """
    if not is_graph(model):
        check_model(model)
        raise IncompatibleError(
            f"The layers of {model.name!r} cannot be read: it must be a functional or built "
            f"Sequential network. Received: {type(model).__name__}."
        )
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs, model.outputs, name=model.name)
    return model


def _opened(
    tensor: Tensor, model: keras.Model, input_shape: Sequence[int] | None, any_size: bool
) -> Tensor:
    shape = tuple(tensor.shape[1:])
    fits = input_shape is not None and len(input_shape) == len(shape)
    if input_shape is not None and not (
        fits
        and (
            any_size
            or all(own in (None, size) for own, size in zip(shape, input_shape, strict=True))
        )
    ):
        raise IncompatibleError(
            f"{model.name!r} takes inputs of {shape}. Received: input_shape={tuple(input_shape)}."
        )
    shape = shape if input_shape is None else tuple(input_shape)
    if None in shape:
        raise IncompatibleError(
            f"{model.name!r} takes inputs of {shape}, whose sizes are open: say which size to "
            "reckon with, as in input_shape=(224, 224, 3)."
        )
    return keras.KerasTensor((1, *shape), dtype=tensor.dtype, name=tensor.name)


def _walk(graph: Any, inputs: Sequence[Tensor], prefix: str, calls: list[Call]) -> tuple:
    def follow(operation):
        def call(*arguments, **keywords):
            path = prefix + operation.name
            if is_graph(operation):
                inner = _walk(graph_of(operation), _tensors(arguments), f"{path}/", calls)
                return keras.tree.pack_sequence_as(operation.output, inner)
            outputs = _outputs(operation, path, arguments, keywords)
            calls.append(
                Call(
                    path=path,
                    operation=operation,
                    arguments=arguments,
                    keywords=keywords,
                    outputs=_tensors(outputs),
                )
            )
            return outputs

        return call

    # Keras's own walk, with something else than calling done at each node: calling the
    # layers would hang new nodes on them for ever.
    return _tensors(graph._run_through_graph(list(inputs), operation_fn=follow))


def _outputs(operation: Any, path: str, arguments: tuple, keywords: dict) -> Any:
    inputs = _tensors((arguments, keywords))
    try:
        # Working out a shape, a dense layer does not look whether its weights fit.
        if not _fits(operation, inputs):
            raise ValueError("its weights are for inputs of another size")
        return operation.compute_output_spec(*arguments, **keywords)
    except (ValueError, TypeError) as error:
        shapes = ", ".join(str(tuple(x.shape[1:])) for x in inputs)
        raise IncompatibleError(
            f"Layer {path!r} ({type(operation).__name__}) cannot take an input of {shapes}."
        ) from error


def _fits(operation: Any, inputs: Sequence[Tensor]) -> bool:
    """Whether the sizes that a layer's weights were made for are those of its inputs."""
    specs = keras.tree.flatten(getattr(operation, "input_spec", None))
    return all(
        tensor.shape[axis] in (None, size)
        for tensor, spec in zip(inputs, specs, strict=False)
        for axis, size in (getattr(spec, "axes", None) or {}).items()
        if size is not None
    )


def _tensors(value: Any) -> tuple[Tensor, ...]:
    return tuple(x for x in keras.tree.flatten(value) if isinstance(x, keras.KerasTensor))
