"""Activations of chosen layers, for images of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnkit._lazy import keras
from cnnkit.anatomy.graph import check_model
from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.visualize.components import OUTPUT
from cnnkit.visualize.fast_layers import convolve, folded, multiplied, multiplies

if TYPE_CHECKING:
    from cnnkit.anatomy.graph import Call

    Tensor = Any


@dataclass(frozen=True)
class TargetLayer:
    """A layer whose units can be maximized."""

    name: str  # "outer/inner" inside a nested network
    kind: str  # class of the layer
    shape: tuple[int, ...]  # without the batch: (height, width, filters) or (units,)

    @property
    def units(self) -> int:
        """Filters of maps, or plain units."""
        return self.shape[-1]


def target_layers(model: Any, size: tuple[int, int] | None = None) -> list[TargetLayer]:
    """The layers whose units can be maximized, from the input to the logits.

    Args:
        model: one image in; Sequential or functional, flat or nested.
        size: (height, width), for a network that leaves it open.

    Raises:
        IncompatibleError: the network cannot be read, or leaves its size open and none is given.
    """
    layers: dict[str, TargetLayer] = {}
    for call in _trace(model, input_shape(model, size)).calls:
        shape = tuple(call.outputs[0].shape[1:])
        has_units = len(shape) in (1, 3) and call.outputs[0].dtype.startswith(("float", "bfloat"))
        if has_units and call.kind not in _WITHOUT_UNITS:
            layers.setdefault(call.path, TargetLayer(call.path, call.kind, shape))
    return list(layers.values())


class ActivationModel:
    """The activations of some layers for images of one size.

    The model itself is neither changed nor copied. Only the calls that lead to the
    layers are made, and no layer that comes after them has to fit the size. A softmax or
    sigmoid at the network's end is left out, so that "" stands for the logits of any network.

    Args:
        model: one image in; Sequential or functional, flat or nested.
        layers: names of `target_layers`; "": the logits.
        size: (height, width) of the images; None: the network's own.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: a layer cannot take images of this size, or the model no image.
    """

    def __init__(self, model: Any, layers: Sequence[str], size: tuple[int, int] | None = None):
        """Find the calls that are needed."""
        shape = input_shape(model, size)
        self.layers = tuple(dict.fromkeys(layers))
        self.size, self.channels = shape[:2], shape[2]
        traced = _trace(_cut(model, self.layers), shape)
        self.source = traced.inputs[0]
        self._results = {
            name: _result(traced, place, name, model) for place, name in enumerate(self.layers)
        }
        linear = None  # a dense layer whose activation is left out
        if OUTPUT in self._results:
            self._results[OUTPUT], linear = _before_activation(traced, self._results[OUTPUT])
        for name, result in self._results.items():
            if result is self.source:
                raise UnknownLayerError(name, _names(model))
        results = list(self._results.values())
        self.calls = _needed(traced.calls, results, self.source)
        self._steps = _steps(self.calls, folded(self.calls, results), linear)
        self.shapes = {name: tuple(x.shape[1:]) for name, x in self._results.items()}

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Activations by layer: float32 (images, height, width, channels) or (images, units).

        Args:
            images: float32 (images, height, width, channels), 0 to 255.
        """
        return self.after(Cut(0, self.source), images)

    def cuts(self) -> list[Cut]:
        """Where the network can be cut in two: at tensors past which no path leads.

        The first is the image. No layer that is asked for lies before the last.
        """
        last_use = {
            id(tensor): number
            for number, step in enumerate(self._steps)
            for tensor in keras.tree.flatten((step.arguments, step.keywords))
            if isinstance(tensor, keras.KerasTensor)
        }
        last_use |= {id(result): len(self._steps) for result in self._results.values()}
        cuts, alive = [Cut(0, self.source)], {id(self.source)}
        for number, step in enumerate(self._steps[:-1]):
            alive |= {id(tensor) for tensor in step.outputs}
            alive = {tensor for tensor in alive if last_use.get(tensor, -1) > number}
            if alive == {id(step.outputs[0])}:
                cuts.append(Cut(number + 1, step.outputs[0]))
        return cuts

    def after(self, cut: Cut, maps: Tensor) -> dict[str, Tensor]:
        """As a call of the network, from a cut on.

        Args:
            cut: one of `cuts`.
            maps: what the network has computed there, for some images.
        """
        values = self._run(self._steps[cut.steps :], cut, maps)
        return {name: values[id(result)] for name, result in self._results.items()}

    def between(self, begin: Cut, end: Cut, maps: Tensor) -> Tensor:
        """What the network computes at a cut, given what it has computed at an earlier one."""
        return self._run(self._steps[begin.steps : end.steps], begin, maps)[id(end.tensor)]

    def _run(self, steps: Sequence[_Step], cut: Cut, maps: Tensor) -> dict[int, Tensor]:
        values = {id(cut.tensor): maps}

        def value(entry):
            return values[id(entry)] if isinstance(entry, keras.KerasTensor) else entry

        for step in steps:
            inputs = keras.tree.map_structure(value, (step.arguments, step.keywords))
            output = step.operation(*inputs[0], **inputs[1])
            for place, result in zip(step.outputs, keras.tree.flatten(output), strict=True):
                values[id(place)] = result
        return values


class Cut(NamedTuple):
    """A tensor that everything after it depends on, and on nothing else."""

    steps: int  # that are done there
    tensor: Any  # keras.KerasTensor: its shape, for one image


class _Step(NamedTuple):
    """One call: the layer's own, or a faster equivalent."""

    path: str  # of the layer
    operation: Callable
    arguments: Any
    keywords: Any
    outputs: Sequence[Any]  # where its outputs go


def _steps(calls: Sequence[Call], folds: Mapping[int, Call], linear: Call | None) -> list[_Step]:
    """What is to be done for some calls, in their order; for `folds` see `folded`."""
    done_later = {id(call) for call in folds.values()}
    steps = []
    for call in calls:
        operation, arguments, keywords = call.operation, call.arguments, call.keywords
        # The faster equivalents take the feature maps alone, whatever else the layer receives.
        if id(call) in folds:
            convolution = folds[id(call)]
            operation = partial(convolve, convolution.operation, call.operation)
            arguments, keywords = (convolution.inputs[0],), {}
        elif multiplies(call):
            operation = partial(multiplied, call.operation, linear=call is linear)
            arguments, keywords = (call.inputs[0],), {}
        if id(call) not in done_later:
            steps.append(_Step(call.path, operation, arguments, keywords, call.outputs))
    return steps


def _before_activation(traced: Any, output: Any) -> tuple[Any, Call | None]:
    """The logits: what the softmax or sigmoid at the end reads, or its dense layer without it.

    Raises:
        IncompatibleError: the activation belongs to a layer that cannot do without it.
    """
    call = next(call for call in traced.calls if any(x is output for x in call.outputs))
    activation = getattr(call.operation, "activation", None)
    ends = getattr(activation, "__name__", call.kind.lower())
    if ends not in ("softmax", "sigmoid"):
        return output, None
    if activation is None or call.kind == "Activation":
        return call.inputs[0], None
    if multiplies(call):
        return output, call
    raise IncompatibleError(
        f"Layer {call.path!r} ({call.kind}) ends the network in {ends}, which cannot be left out. "
        "A dense layer with it, or the activation as a layer of its own, works."
    )


# They pass their input on, or have no units of their own.
_WITHOUT_UNITS = ("InputLayer", "Dropout", "Rescaling", "Normalization", "Identity")


def _trace(model: Any, shape: tuple[int, int, int]) -> Any:
    from cnnkit.anatomy.graph import trace

    return trace(model, shape, any_size=True)


def input_shape(model: Any, size: tuple[int, int] | None = None) -> tuple[int, int, int]:
    """(height, width, channels) of the one image that a network takes.

    Raises:
        TypeError: it is no Keras model.
        IncompatibleError: it takes no single image, or leaves its size open and none is given.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs or len(inputs) != 1 or len(inputs[0].shape) != 4:
        check_model(model)
        raise IncompatibleError(
            f"{model.name!r} must take one image, (height, width, channels). Received: "
            f"{[tuple(x.shape[1:]) for x in inputs or []]}."
        )
    *own, channels = inputs[0].shape[1:]
    height, width = size or own
    if height is None or width is None:
        raise IncompatibleError(
            f"{model.name!r} takes images of any size: say which, as in size=(224, 224)."
        )
    return int(height), int(width), int(channels)


def _cut(model: Any, layers: Sequence[str]) -> Any:
    """The model up to the layers, so that what comes after need not fit the size."""
    from cnnkit.anatomy.graph import layer_outputs

    outputs = layer_outputs(model)
    ends = []
    for name in layers:
        outer = name.partition("/")[0]
        if name != OUTPUT and outer not in outputs:
            raise UnknownLayerError(name, _names(model))
        ends.append(model.outputs[0] if name == OUTPUT else outputs[outer][0])
    return keras.Model(model.inputs, ends)


def _result(traced: Any, place: int, name: str, model: Any) -> Any:
    if "/" not in name:
        return traced.outputs[place]
    for call in traced.calls:
        if call.path == name:
            return call.outputs[0]
    raise UnknownLayerError(name, _names(model))


def _names(model: Any) -> list[str]:
    height, width = model.inputs[0].shape[1:3]
    return [choice.name for choice in target_layers(model, (height or 224, width or 224))]


def _needed(calls: Sequence[Call], results: Sequence[Any], source: Any) -> list[Call]:
    """Those that lead to the results, in their order."""
    required = {id(result) for result in results}
    needed = []
    for call in reversed(calls):
        # The image itself is an input, not computed.
        if call.outputs[0] is not source and any(id(x) in required for x in call.outputs):
            needed.append(call)
            required |= {id(x) for x in call.inputs}
    return needed[::-1]


def check_units(layer: str, units: Sequence[float], shape: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse filters and classes that are not there.

    Raises:
        IncompatibleError: names the layer, how many it has and what was asked for.
    """
    count = shape[layer][-1]
    count = 2 if layer == OUTPUT and count == 1 else count  # a binary head has two classes
    for unit in units:
        if not 0 <= unit < count or unit != int(unit):
            where = f"Layer {layer!r}" if layer else "The network"
            raise IncompatibleError(
                f"{where} has {count} units, 0 to {count - 1}. Received: {unit:g}."
            )
