"""The base class of the NumPy model's layers."""

from __future__ import annotations

import numpy as np

from cnnkit.errors import IncompatibleError

Pair = tuple[int, int]
NOT_COMPUTED: np.ndarray = np.empty(0)  # stands for an array that has not been computed


class Layer:
    """One layer, which keeps its input, its output and the gradients of the last pass.

    The forward pass sets `input` x and `output` y = f(x; W). The backward pass takes the
    gradient of the loss with respect to y, `delta`; it sets the gradients with respect to the
    parameters, `gradients`, and returns the gradient with respect to x, `input_delta`:

        δ = ∂L/∂y        gradients[W] = Σ δ · ∂y/∂W        input_delta = Σ δ · ∂y/∂x

    A subclass defines `call`, `parameter_gradients` and `input_gradient`.

    Args:
        name: as in the Keras network.
    """

    kind = "layer"

    def __init__(self, name: str):
        """Without parameters, and before the first image."""
        self.name = name
        self.parameters: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}
        self.trainable = True
        self.input: np.ndarray = NOT_COMPUTED  # (images, …)
        self.output: np.ndarray = NOT_COMPUTED
        self.delta: np.ndarray = NOT_COMPUTED  # of the output's shape
        self.input_delta: np.ndarray = NOT_COMPUTED  # of the input's shape

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """The layer's output, (images, …).

        Args:
            x: float (images, …).
            training: whether dropout is active.

        Raises:
            IncompatibleError: x does not fit; names layer, expected and received.
        """
        if not len(x):
            raise self.incompatible("at least one image", f"an empty batch, {_times(x.shape)}")
        self.check(x.shape[1:])
        self.input = x
        self.output = self.call(x, training)
        return self.output

    def backward(self, delta: np.ndarray) -> np.ndarray:
        """The gradient with respect to the input, of the input's shape.

        Args:
            delta: ∂loss/∂output, of the output's shape.

        Raises:
            IncompatibleError: delta does not fit, or there was no forward pass.
        """
        self.backward_parameters(delta)
        self.input_delta = self.input_gradient(delta)
        return self.input_delta

    def backward_parameters(self, delta: np.ndarray) -> None:
        """The first half of `backward`: `gradients` alone, for the lowest trainable layer."""
        if self.output is NOT_COMPUTED:
            raise self.incompatible("a forward pass first", "a backward pass")
        if delta.shape != self.output.shape:
            raise self.incompatible(f"a delta of {_times(self.output.shape)}", _times(delta.shape))
        self.delta = delta
        self.gradients = self.parameter_gradients(delta)

    def check(self, shape: tuple[int, ...]) -> None:
        """Accept the shape of one image, or raise `IncompatibleError`."""

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The output y of an input x."""
        raise NotImplementedError

    def parameter_gradients(self, delta: np.ndarray) -> dict[str, np.ndarray]:
        """∂loss/∂parameter for every parameter, summed over the images."""
        return {}

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """∂loss/∂x."""
        raise NotImplementedError

    def incompatible(self, expected: str, received: str) -> IncompatibleError:
        """An error that names this layer, what it expects and what it received."""
        return IncompatibleError(
            f"Layer {self.name!r} ({self.kind}) expects {expected}. Received: {received}."
        )

    def check_finite(self) -> None:
        """Refuse parameters that are not finite.

        Raises:
            IncompatibleError: names layer, parameter and how many.
        """
        for name, values in self.parameters.items():
            bad = int(np.count_nonzero(~np.isfinite(values)))
            if bad:
                raise self.incompatible(
                    f"finite numbers in its {name}",
                    f"{bad:,} of {values.size:,} that are NaN or infinite",
                )

    def check_axes(self, shape: tuple[int, ...], channels: int | None = None) -> None:
        """Accept only images of height, width and channels.

        Raises:
            IncompatibleError
        """
        if len(shape) != 3 or channels not in (None, shape[-1]):
            expected = "channels" if channels is None else channels
            raise self.incompatible(f"images of height×width×{expected}", _times(shape))


def pair(value: int | Pair) -> Pair:
    """One number for both axes, or two."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
