"""Optimizers of the image: Keras's own, for gradient ascent, with their state handed in and out.

Keras's `optimizer.stateless_apply` raises an error with the TensorFlow backend, so the variables
of an ordinary optimizer are set before each update and read after it, inside the compiled step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnkit._lazy import keras, tf
from cnnkit.visualize.components import Component
from cnnkit.visualize.registry import definition, log_slider, optimizer

if TYPE_CHECKING:
    Tensor = Any

NORMALIZED = ("none", "rms", "l2")
EPSILON = 1e-7  # Keras's
RATE = log_slider(1e-4, 1e3, "Learning rate", zero=False)


@optimizer(title="RMSprop", learning_rate=RATE, normalized=NORMALIZED)
def rmsprop(learning_rate=1.0, *, decay=0.95, normalized="rms"):
    """Gradient divided by the root of its running mean square; no bias correction.

    Args:
        learning_rate: per step; in the units of what is stored: gray levels for pixels.
        decay: of the running mean, per step. Another value compiles another step.
        normalized: what each image's gradient is divided by before: "none", its root mean
            square ("rms") or its length ("l2").
    """
    return keras.optimizers.RMSprop(learning_rate, rho=decay, epsilon=EPSILON)


@optimizer(title="Gradient ascent", learning_rate=RATE, normalized=NORMALIZED)
def sgd(learning_rate=1.0, *, momentum=0.0, normalized="none"):
    """The gradient itself, with momentum. Arguments as of `rmsprop`."""
    return keras.optimizers.SGD(learning_rate, momentum=momentum)


@optimizer(title="Adam", learning_rate=RATE, normalized=NORMALIZED)
def adam(learning_rate=0.05, *, beta_1=0.9, beta_2=0.999, normalized="none"):
    """Adam, with bias correction. Arguments as of `rmsprop`.

    Reference:
        Kingma, Ba 2014. Their epsilon, 1e-8: gradients of a mean over an image are small.
    """
    return keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=1e-8)


class ImageOptimizer:
    """A Keras optimizer as a function of its state, so that any step can be gone back to.

    Args:
        component: `rmsprop`, `sgd` or `adam`.
        shape: of what is stored, (images, …).
    """

    def __init__(self, component: Component, shape: tuple[int, ...]):
        """Create the variables, which a compiled step cannot do later."""
        self.normalized = component.options["normalized"]
        settings = {k: v for k, v in component.options.items() if k != "normalized"}
        self._update = keras.Variable(tf.zeros(shape), dtype="float32", name="update")
        self._optimizer = definition(component.kind).compute(1.0, **settings)
        self._optimizer.build([self._update])

    def begin(self) -> tuple[Tensor, ...]:
        """The state before the first step: float32, each shaped like what is stored."""
        return tuple(tf.zeros(variable.shape) for variable in self._optimizer.variables[2:])

    def normalize(self, gradient: Tensor) -> Tensor:
        """Each image's gradient divided by its root mean square or its length, as chosen."""
        if self.normalized == "none":
            return gradient
        axes = tuple(range(1, len(gradient.shape)))
        mean = tf.reduce_mean if self.normalized == "rms" else tf.reduce_sum
        return gradient / (tf.sqrt(mean(gradient**2, axes, keepdims=True)) + EPSILON)

    def step(
        self, gradient: Tensor, state: tuple[Tensor, ...], number: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The update for a learning rate of 1, to be subtracted, and the state after it.

        Every update is proportional to the learning rate, which is thus multiplied outside:
        it changes while running, and is another one for an image whose step was halved.

        Args:
            gradient: float32 (images, …), normalized.
            state: from `begin` or the step before.
            number: of the step, 1-based.
        """
        iterations, _, *variables = self._optimizer.variables
        iterations.assign(tf.cast(number - 1, iterations.dtype))
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        # From zeros, the optimizer leaves the update alone: of a descent, so it is subtracted.
        self._update.assign(tf.zeros(self._update.shape))
        self._optimizer.apply([gradient], [self._update])
        after = tuple(tf.convert_to_tensor(variable.value) for variable in variables)
        return tf.convert_to_tensor(self._update.value), after
