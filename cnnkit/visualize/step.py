"""One compiled step: from the stored image to the next, and the values of all terms.

Compiled once for a network and a plan's shape. Every number of the plan comes in as a
tensor, and what the optimizer remembers goes in and out, so that nothing is compiled anew
when a slider moves and any step can be gone back to.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from cnnkit.errors import IncompatibleError
from cnnkit.visualize import parametrizations
from cnnkit.visualize.network import ActivationModel, check_units, input_shape
from cnnkit.visualize.objectives import term_value
from cnnkit.visualize.optimizers import ImageOptimizer
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.registry import definition
from cnnkit.visualize.transforms import compose

if TYPE_CHECKING:
    Tensor = Any

CACHED = 8  # compiled steps of one network


class State(NamedTuple):
    """All that the next step depends on, besides the plan."""

    number: int  # steps done
    stored: Tensor  # (images, …), see `parametrizations`
    remembered: tuple[Tensor, ...]  # by the optimizer


class StepValues(NamedTuple):
    """What a step measures at the image it starts from, and whether its result is finite."""

    values: Tensor  # float32 (terms, images), without their weights
    gradient_norm: Tensor  # float32 (images,), of the activations' terms, at the image
    finite: Tensor  # bool (images,)


class CompiledStep:
    """Compiled steps for one network and one shape of plan.

    Args:
        model: Keras network, see `ActivationModel`.
        plan: any of this shape.
        guides: name → guiding image, float32 (1, height, width, channels), 0 to 255.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: the network cannot take this size, a unit is not there, or no
            gradient comes through.
    """

    def __init__(self, model: Any, plan: Plan, guides: Mapping[str, np.ndarray] | None = None):
        """Find the part of the network that is needed; compile at the first step."""
        layers = plan.objective.layers
        self.network = (
            ActivationModel(model, layers, _network_size(plan, model)) if layers else None
        )
        *size, self.channels = input_shape(model, plan.size)
        self.size: tuple[int, int] = (size[0], size[1])
        self.plan = plan
        self._guides = _guide_activations(model, plan, guides or {})
        self._transform = compose(plan.transforms)
        blank = tf.fill((plan.images, *self.size, self.channels), 127.5)
        self._stored_shape = parametrizations.encode(plan.parametrization, blank).shape
        self._optimizer = ImageOptimizer(plan.optimizer, self._stored_shape)
        self._lock = threading.Lock()  # the optimizer's variables hold one step at a time
        self._render = tf.function(
            lambda stored: parametrizations.render(plan.parametrization, stored, self.size),
            autograph=False,
        )
        self._step = tf.function(lambda *inputs: self._one(*inputs), autograph=False)
        self._warm = tf.function(lambda *inputs: self._one(*inputs, warm=True), autograph=False)
        self._slope = tf.function(lambda *inputs: self._gradients(*inputs)[:3], autograph=False)
        self.check(plan)

    def check(self, plan: Plan) -> None:
        """Refuse units that the layer does not have, and an objective without a weight.

        Raises:
            IncompatibleError: says which.
        """
        if self.network:
            for _, term in plan.objective.terms:
                units = term.numbers.get("unit")
                if isinstance(units, tuple):
                    check_units(term.layer, units, self.network.shapes)
        if all(weight == 0 for weight, _ in plan.objective.terms):
            raise IncompatibleError(
                "Every weight is 0, so nothing is maximized: give at least one term a weight."
            )

    # What is stored

    def begin(self, plan: Plan) -> State:
        """The state before the first step: noise from the plan's seed."""
        spread, center = plan.start.numbers["spread"], plan.start.numbers["center"]
        shape = (plan.images, *self.size, self.channels)
        generator, kind = np.random.default_rng(plan.seed), plan.start.options["shape"]
        if kind == "stored":
            stored = tf.constant(generator.normal(0, spread, self._stored_shape), tf.float32)
            return State(0, stored, self._optimizer.begin())
        if kind == "normal":
            return self.begin_with(generator.normal(center, spread, shape))
        return self.begin_with((generator.random(shape) - 0.5) * spread + center)

    def begin_with(self, images: np.ndarray) -> State:
        """The state before the first step from (images, height, width, channels), 0 to 255."""
        stored = parametrizations.encode(self.plan.parametrization, tf.constant(images, tf.float32))
        return State(0, stored, self._optimizer.begin())

    def images(self, stored: Tensor) -> np.ndarray:
        """The images: float32 (images, height, width, channels), 0 to 255 unless free."""
        return self._render(stored).numpy()

    # Steps

    def step(
        self,
        state: State,
        plan: Plan,
        *,
        weights: np.ndarray | None = None,
        rates: np.ndarray | None = None,
        warm: bool = False,
    ) -> tuple[State, StepValues]:
        """One step.

        Args:
            state: where to start from.
            plan: of this shape; its numbers count.
            weights: of the terms, instead of the plan's.
            rates: for each image, what its step is multiplied by; None: 1.
            warm: let the gradient through ReLUs that are off.
        """
        rates = np.ones(plan.images, np.float32) if rates is None else rates
        with self._lock:
            stored, remembered, report = (self._warm if warm else self._step)(
                *self._inputs(state.stored, state.number + 1, plan, weights),
                state.remembered,
                tf.constant(rates, tf.float32),
            )
        return State(state.number + 1, stored, remembered), report

    def slope(
        self, images: np.ndarray, plan: Plan, number: int = 1
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """The weighted sum over all images, its gradient, and each term's values.

        Args:
            images: float32 (images, height, width, channels), stored as free pixels.
            plan: of this shape.
            number: of the step, for the transforms' draws.

        Returns:
            The sum; its gradient, shaped as the images; (terms, images).
        """
        inputs = self._inputs(tf.constant(images, tf.float32), number, plan)
        values, slope, total = self._slope(*inputs)
        return float(total), slope.numpy(), values.numpy()

    def _inputs(self, stored, number: int, plan: Plan, weights: np.ndarray | None = None) -> tuple:
        weights = plan.objective.weights if weights is None else weights
        return (
            stored,
            tf.constant(number),
            tf.constant(plan.seed, tf.int32),
            tf.constant(weights, tf.float32),
            {path: tf.constant(value, tf.float32) for path, value in plan.numbers().items()},
        )

    def _gradients(self, stored, number, seed, weights, numbers, warm=False):
        """Values, gradient by the image, weighted sum, image, gradient of activation terms."""
        image = parametrizations.render(self.plan.parametrization, stored, self.size)
        values, raised, penalty = self._values(image, number, seed, weights, numbers, warm)
        rising = tf.gradients(raised, image)[0]
        if self.network and rising is None:
            raise IncompatibleError(
                f"No gradient comes through {', '.join(map(repr, self.network.layers))}, so no "
                "image can be optimized for it: choose another layer."
            )
        rising = tf.zeros_like(image) if rising is None else rising
        penalized = tf.gradients(penalty, image)[0]
        slope = rising if penalized is None else rising + penalized
        return values, slope, raised + penalty, image, rising

    def _one(self, stored, number, seed, weights, numbers, remembered, rates, warm=False):
        storage = self.plan.parametrization
        values, slope, _, image, rising = self._gradients(
            stored, number, seed, weights, numbers, warm
        )
        # Through the parametrization only once, for both together.
        gradient = slope if _is_image(storage) else tf.gradients(image, stored, grad_ys=slope)[0]
        gradient = self._optimizer.normalize(gradient)
        update, remembered = self._optimizer.step(gradient, remembered, number)
        rates = numbers["optimizer.learning_rate"] * rates
        changed = stored - update * tf.reshape(rates, (-1,) + (1,) * (len(stored.shape) - 1))
        changed = parametrizations.bounded(storage, changed)
        names = self.plan.names("regularizers")
        for name, part in zip(names, self.plan.regularizers, strict=True):
            compute = definition(part.kind).compute
            changed = compute(changed, rising, number, **_own(numbers, name))
        norm = tf.norm(tf.reshape(rising, (rising.shape[0], -1)), axis=1)
        finite = _finite(changed) & tf.math.is_finite(tf.reduce_sum(values, 0))
        # A gradient whose square overflows is divided by infinity: a step of nothing.
        finite &= tf.reduce_all([_finite(slope**2), *map(_finite, remembered)], 0)
        return changed, remembered, StepValues(values, norm, finite)

    def _values(self, image, number, seed, weights, numbers, warm):
        """Each term's values, the weighted sum of those of activations, and of the others."""
        plan = self.plan
        activations = {}
        if self.network:
            own = [_own(numbers, name) for name in plan.names("transforms")]
            transformed = self._transform(image, own, tf.stack([seed, number]))
            activations = self._activations(self.network, transformed, warm)
        values, raised, penalty = [], tf.constant(0.0), tf.constant(0.0)
        names = plan.names("objective")
        for place, (name, (_, term)) in enumerate(zip(names, plan.objective.terms, strict=True)):
            own = _own(numbers, name)
            counted, value = _weighed(
                weights[place],
                lambda term=term, own=own: term_value(term, own, activations, image, self._guides),
            )
            values.append(value)
            if term.of_image:
                penalty += counted
            else:
                raised += counted
        return tf.stack(values), raised, penalty

    def _activations(
        self, network: ActivationModel, images: Tensor, warm: bool
    ) -> dict[str, Tensor]:
        if tuple(images.shape[1:3]) != tuple(network.size):
            images = tf.image.resize(images, network.size)
        if not warm:
            return network(images)
        overridden = {"Relu": _REDIRECTED, "Relu6": _REDIRECTED}
        with tf.compat.v1.get_default_graph().gradient_override_map(overridden):
            return network(images)

    def nonfinite_terms(self, state: State, plan: Plan) -> list[int]:
        """Which terms have a value or a gradient that is not finite at an image that is."""
        places = []
        for place, (weight, _) in enumerate(plan.objective.terms):
            alone = np.zeros(len(plan.objective.terms), np.float32)
            alone[place] = weight
            # Nothing times 0 is finite that was not finite before, and no step is too large.
            _, report = self.step(state, plan, weights=alone, rates=np.zeros(plan.images))
            values = np.asarray(report.values)[place]
            if weight and not (np.isfinite(values).all() and np.asarray(report.finite).all()):
                places.append(place)
        return places


class CompiledSteps:
    """The compiled steps of one network, the last few shapes of plan.

    Args:
        model: Keras network.
        cached: how many.
    """

    def __init__(self, model: Any, cached: int = CACHED):
        """Compile nothing yet."""
        self.model = model
        self.cached = cached
        self._engines: OrderedDict[str, CompiledStep] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, plan: Plan, guides: Mapping[str, np.ndarray] | None = None) -> CompiledStep:
        """The engine for a plan. With guides it is a new one: they are part of it."""
        if guides:
            return CompiledStep(self.model, plan, guides)
        with self._lock:
            shape = plan.shape()
            if shape not in self._engines:
                self._engines[shape] = CompiledStep(self.model, plan)
            self._engines.move_to_end(shape)
            while len(self._engines) > self.cached:
                self._engines.popitem(last=False)
            engine = self._engines[shape]
        engine.check(plan)
        return engine


def _weighed(weight: Tensor, compute) -> tuple[Tensor, Tensor]:
    """The weighted sum over the images, and the values themselves.

    With weight 0 nothing flows back: 0 times a gradient that is not finite is not finite.
    """

    def counted():
        value = compute()
        return weight * tf.reduce_sum(value), value

    def without_gradient():
        return tf.constant(0.0), tf.stop_gradient(compute())

    total, value = tf.cond(weight != 0, counted, without_gradient)
    return total, tf.stop_gradient(value)


def _finite(values: Tensor) -> Tensor:
    """For each image: a sum is finite where all that is in it is, and costs one pass."""
    return tf.math.is_finite(tf.reduce_sum(tf.reshape(values, (values.shape[0], -1)), 1))


def _own(numbers: Mapping[str, Tensor], component: str) -> dict[str, Tensor]:
    """The numbers of one component, by their names within it."""
    start = f"{component}."
    return {
        name[len(start) :]: value
        for name, value in numbers.items()
        if name.startswith(start) and not name.endswith(".weight")
    }


def _is_image(part) -> bool:
    plain = not part.options["decorrelated"] and part.options["bounds"] != "sigmoid"
    return part.kind == "pixels" and plain


def _network_size(plan: Plan, model: Any) -> tuple[int, int]:
    """The size that reaches the network: after the transforms, or the network's own.

    A network with a dense layer takes one size only; what is asked before it takes any.
    """
    height, width, _ = input_shape(model, plan.size)
    for part in plan.transforms:
        change = definition(part.kind).grows * part.options.get("pixels", 0)
        height, width = height + change, width + change
    if min(height, width) < 1:
        raise IncompatibleError(f"Cropping leaves {height}×{width} pixels of the image.")
    try:
        ActivationModel(model, plan.objective.layers, (height, width))
    except IncompatibleError:
        # An image is resized to fit the network only where nothing but its logits are read.
        if None in model.inputs[0].shape[1:3] or any(plan.objective.layers):
            raise
        return input_shape(model)[:2]
    return height, width


def _guide_activations(
    model: Any, plan: Plan, guides: Mapping[str, np.ndarray]
) -> dict[str, dict[str, Tensor]]:
    activations: dict[str, dict[str, Tensor]] = {}
    for _, term in plan.objective.terms:
        if "guide" not in term.options:
            continue
        name = term.options["guide"]
        if name not in guides:
            raise IncompatibleError(
                f"{term} names a guiding image that was not given. There are: "
                f"{', '.join(guides) or 'none'}."
            )
        _, height, width, _ = guides[name].shape
        network = ActivationModel(model, (term.layer,), (height, width))
        of_guide = network(tf.constant(guides[name], tf.float32))
        activations.setdefault(name, {})[term.layer] = of_guide[term.layer]
    return activations


_REDIRECTED = "CnnkitRedirectedRelu"


@tf.RegisterGradient(_REDIRECTED)
def _redirected(operation: Any, slope: Tensor) -> Tensor:
    """The gradient of a ReLU, or where none of an image's comes through, what would activate it.

    Only there: below it, the active ReLUs give the better gradient of the one above.
    """
    output = operation.outputs[0]
    low, high = output <= 0, output >= (6 if operation.type == "Relu6" else np.inf)
    nothing = tf.zeros_like(slope)
    plain = tf.where(low | high, nothing, slope)
    waking = tf.where((low & (slope > 0)) | (high & (slope < 0)), slope, nothing)
    through = tf.reduce_any(plain != 0, range(1, len(slope.shape)), keepdims=True)
    return tf.where(through, plain, waking)
