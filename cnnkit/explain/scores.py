"""Scores of images, and their gradients: compiled once for a network and a kind of target."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnnkit._lazy import tf
from cnnkit.errors import ExplanationError, IncompatibleError
from cnnkit.explain.targets import AttributionTarget, class_target
from cnnkit.visualize.components import OUTPUT, Objective
from cnnkit.visualize.network import ActivationModel, check_units, input_shape
from cnnkit.visualize.objectives import term_value

if TYPE_CHECKING:
    from cnnkit.explain.targets import TargetLike

    Tensor = Any

COMPILED = 16  # functions that one network keeps
FORWARD = 32  # images at once, without gradients
BACKWARD = 8  # images at once, with gradients
GUIDED = {"Relu": "CnnkitGuidedRelu", "Relu6": "CnnkitGuidedRelu6"}


class LayerGradients(NamedTuple):
    """What a layer computed, and how the score depends on it."""

    activations: np.ndarray  # float32 (images, height, width, channels)
    gradients: np.ndarray  # the same shape


class ScoreModel:
    """The scores of a network for images, and their gradients.

    Each function is compiled at its first use and serves batches of any size. The network may
    be trained meanwhile, but its layers must stay as they are.

    Args:
        model: Keras network of one image, see `cnnkit.visualize.network.ActivationModel`.

    Raises:
        IncompatibleError: it does not take one image.
    """

    def __init__(self, model: Any):
        """Compile nothing yet."""
        self.model = model
        inputs = getattr(model, "inputs", None) or []
        if len(inputs) == 1 and len(inputs[0].shape) == 4:
            self._input = tuple(inputs[0].shape[1:])
        else:
            self._input = input_shape(model)
        self._checked = False
        self._functions: OrderedDict[tuple, Callable] = OrderedDict()
        self._lock = threading.RLock()

    @classmethod
    def of(cls, model: Any) -> ScoreModel:
        """The network's own, made at the first call; a `ScoreModel` is returned as it is."""
        if isinstance(model, cls):
            return model
        made = getattr(model, "_cnnkit_scores", None)
        if made is None:
            made = cls(model)
            # Past Keras, which would look for layers in it. It lives as long as the network.
            object.__setattr__(model, "_cnnkit_scores", made)
        return made

    def check_images(self, images: np.ndarray) -> np.ndarray:
        """Images as the network takes them: float32 (images, height, width, channels).

        Raises:
            IncompatibleError: they are no numbers, have another size, or are not finite.
        """
        given = np.asarray(images)
        if given.dtype.kind not in "buif":
            raise IncompatibleError(
                f"`images` must be numbers from 0 to 255. Received an array of {given.dtype}."
            )
        images = np.asarray(given, np.float32)
        fits = (
            images.ndim == 4
            and len(images)
            and all(
                own in (None, size) for own, size in zip(self._input, images.shape[1:], strict=True)
            )
        )
        if not fits:
            one = " A single image needs a first axis: images[np.newaxis]." * (images.ndim == 3)
            raise IncompatibleError(
                f"{self.model.name!r} takes images of {_shape_text(self._input)}, at least one in "
                f"a batch. Received an array of {images.shape}.{one}"
            )
        if not np.isfinite(images).all():
            raise IncompatibleError("`images` must be finite, 0 to 255. Received NaN or infinity.")
        return images

    def target(self, images: np.ndarray, target: TargetLike) -> AttributionTarget:
        """What is explained.

        Args:
            images: as `check_images` returns them.
            target: see `Method`.

        Raises:
            IncompatibleError: the network has no such class, channel or neuron.
            UnknownLayerError: lists the layers there are.
            ExplanationError: the scores of an image are not finite.
        """
        self._check_weights()
        if target is None:
            target = self.predicted(images)
        if isinstance(target, Objective):
            resolved = AttributionTarget.of(target, len(images))
        else:
            resolved = class_target(target, len(images))
        shapes = ActivationModel(self.model, resolved.layers, images.shape[1:3]).shapes
        for (_, term), units in zip(resolved.objective.terms, resolved.units, strict=True):
            if units is not None:
                check_units(term.layer, sorted(set(units.tolist())), shapes)
        if not np.isfinite(self.scores(images, resolved)).all():
            raise ExplanationError(
                f"{self.model.name!r} gives scores that are not finite, so there is no answer to "
                "explain."
            )
        return resolved

    def _check_weights(self) -> None:
        """Refuse weights that are not finite, once: a ReLU or max pooling would hide them."""
        if self._checked:
            return
        for weight in self.model.weights:
            if not np.isfinite(np.asarray(weight)).all():
                raise ExplanationError(
                    f"{self.model.name!r} has weights of NaN or infinity, in {weight.path}, so "
                    "there is no answer to explain."
                )
        self._checked = True

    def predicted(self, images: np.ndarray) -> np.ndarray:
        """The class with the largest logit: int (images,)."""
        logits = self.activations(images, OUTPUT)
        logits = logits.mean(tuple(range(1, logits.ndim - 1)))
        return (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(1)

    def scores(self, images: np.ndarray, target: AttributionTarget) -> np.ndarray:
        """The target's value for each image: float32 (images,)."""
        function = self._function("scores", target, images.shape[1:])
        return self._collect(function, images, target, FORWARD)[0]

    def gradients(
        self, images: np.ndarray, target: AttributionTarget, *, guided: bool = False
    ) -> np.ndarray:
        """The score's gradient by each pixel: float32, shaped as the images.

        Args:
            images: as `check_images` returns them.
            target: for these images.
            guided: let through each ReLU only what is positive both ways.

        Raises:
            IncompatibleError: the score does not depend on the image.
        """
        function = self._function("guided" if guided else "gradients", target, images.shape[1:])
        return self._collect(function, images, target, BACKWARD)[0]

    def layer_gradients(
        self, images: np.ndarray, target: AttributionTarget, layer: str
    ) -> LayerGradients:
        """A layer's activations and the score's gradient by them.

        Raises:
            IncompatibleError: the score does not depend on the layer.
        """
        function = self._function("layer", target, images.shape[1:], layer)
        return LayerGradients(*self._collect(function, images, target, BACKWARD))

    def activations(self, images: np.ndarray, layer: str) -> np.ndarray:
        """What a layer computes: float32 (images, height, width, channels) or (images, units)."""
        function = self._function(
            "activations", AttributionTarget(Objective(()), ()), images.shape[1:], layer
        )
        return self._collect(function, images, AttributionTarget(Objective(()), ()), FORWARD)[0]

    def _collect(
        self, function: Callable, images: np.ndarray, target: AttributionTarget, chunk: int
    ) -> list[np.ndarray]:
        """The outputs of a function for all images, chunk by chunk."""
        weights = tf.constant(target.objective.weights)
        parts = []
        for places in _chunks(len(images), chunk):
            numbers = target.take(places).numbers()
            outputs = function(tf.constant(images[places]), weights, numbers)
            parts.append([output.numpy() for output in outputs])
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _function(
        self, kind: str, target: AttributionTarget, shape: Sequence[int], layer: str = ""
    ) -> Any:
        """A compiled function of images, weights and numbers."""
        key = (kind, target.shape(), tuple(shape), layer)
        return self.cached(key, lambda: self._compile(kind, target, shape, layer))

    def cached(self, key: tuple, make: Callable[[], Any]) -> Any:
        """What was made for a key, or is made now; the last `COMPILED` of them stay."""
        with self._lock:
            if key not in self._functions:
                self._functions[key] = make()
            self._functions.move_to_end(key)
            while len(self._functions) > COMPILED:
                self._functions.popitem(last=False)
            return self._functions[key]

    def _compile(
        self, kind: str, target: AttributionTarget, shape: Sequence[int], layer: str
    ) -> Callable:
        layers = target.layers if kind not in ("layer", "activations") else (layer, *target.layers)
        network = ActivationModel(self.model, layers, (shape[0], shape[1]))

        def compute(images: Tensor, weights: Tensor, numbers: Any) -> tuple[Tensor, ...]:
            activations = _activations(network, images, guided=kind == "guided")
            if kind == "activations":
                return (tf.cast(activations[layer], tf.float32),)
            score = score_of(target, activations, weights, numbers)
            if kind == "scores":
                return (score,)
            source = activations[layer] if kind == "layer" else images
            (gradient,) = tf.gradients(score, source)
            if gradient is None:
                raise IncompatibleError(_unconnected(kind, layer, target))
            outputs = (source, gradient) if kind == "layer" else (gradient,)
            return tuple(tf.cast(output, tf.float32) for output in outputs)

        specs = [tf.TensorSpec((None, *shape), tf.float32), *target_specs(target)]
        return tf.function(compute, input_signature=specs, autograph=False)


def score_of(
    target: AttributionTarget, activations: Mapping[str, Tensor], weights: Tensor, numbers: Any
) -> Tensor:
    """The target's value for each image, from activations: float32 (images,)."""
    values = [
        # The network may compute in another precision.
        weights[place] * tf.cast(term_value(term, own, activations, None, {}), tf.float32)
        for place, ((_, term), own) in enumerate(zip(target.objective.terms, numbers, strict=True))
    ]
    return tf.add_n(values)


def target_specs(target: AttributionTarget) -> list[Any]:
    """Of the weights and numbers that compiled functions take."""
    numbers = [
        {
            name: tf.TensorSpec((None,) if name == "unit" else value.shape, tf.float32)
            for name, value in own.items()
        }
        for own in target.numbers()
    ]
    return [tf.TensorSpec((len(numbers),), tf.float32), numbers]


def _activations(network: ActivationModel, images: Tensor, *, guided: bool) -> dict[str, Tensor]:
    if not guided:
        return network(images)
    _register_guided()
    with tf.compat.v1.get_default_graph().gradient_override_map(GUIDED):
        return network(images)


def _register_guided() -> None:
    """Teach TensorFlow the gradients of guided backpropagation, once a process."""
    from tensorflow.python.framework import ops

    for kind, name in GUIDED.items():
        try:
            ops.gradient_registry.lookup(name)
        except LookupError:
            ops.RegisterGradient(name)(_guided(kind == "Relu6"))


def _guided(capped: bool) -> Callable:
    def gradient(operation: Any, slope: Tensor) -> Tensor:
        output = operation.outputs[0]
        on = (output > 0) & (slope > 0)
        return tf.where(on & (output < 6) if capped else on, slope, tf.zeros_like(slope))

    return gradient


def _unconnected(kind: str, layer: str, target: AttributionTarget) -> str:
    if kind == "layer":
        return (
            f"The score does not depend on layer {layer!r}: a layer before the target works. "
            f"AttributionTarget: {target.objective}."
        )
    return f"No gradient comes through to the image. AttributionTarget: {target.objective}."


def _chunks(count: int, size: int) -> Iterator[np.ndarray]:
    for start in range(0, count, size):
        yield np.arange(start, min(start + size, count))


def _shape_text(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
