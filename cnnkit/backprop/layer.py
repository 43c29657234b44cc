"""What all layers of the NumPy network have in common."""

from __future__ import annotations

import numpy as np

from cnnkit.errors import IncompatibleError

Pair = tuple[int, int]
NONE_YET: np.ndarray = np.empty(0)  # stands for an array that has not been computed


class Layer:
    """One step of the network, which keeps every number that passes through it.

    Forward, y = f(x; W) leaves `input` x and `output` y. Backward, the slope of the loss
    with respect to y arrives as `delta`; the layer leaves the slopes with respect to its
    parameters in `gradients`, and passes on the slope with respect to x, `passed`:

        δ = ∂L/∂y        gradients[W] = Σ δ · ∂y/∂W        passed = Σ δ · ∂y/∂x

    A subclass says what it computes in `answer`, `slopes` and `pass_back`.

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
        self.input: np.ndarray = NONE_YET  # (images, …)
        self.output: np.ndarray = NONE_YET
        self.delta: np.ndarray = NONE_YET  # of the output's shape
        self.passed: np.ndarray = NONE_YET  # of the input's shape

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """The layer's answer, (images, …).

        Args:
            x: float (images, …).
            training: whether dropout drops.

        Raises:
            IncompatibleError: x does not fit; names layer, expected and received.
        """
        if not len(x):
            raise self.refusal("at least one image", f"an empty batch, {_times(x.shape)}")
        self.check(x.shape[1:])
        self.input = x
        self.output = self.answer(x, training)
        return self.output

    def backward(self, delta: np.ndarray) -> np.ndarray:
        """What reaches the layer before this one, of the input's shape.

        Args:
            delta: ∂loss/∂output, of the output's shape.

        Raises:
            IncompatibleError: delta does not fit, or nothing went forward yet.
        """
        self.learn_from(delta)
        self.passed = self.pass_back(delta)
        return self.passed

    def learn_from(self, delta: np.ndarray) -> None:
        """The first half of `backward`: the gradients alone, where nothing below learns."""
        if self.output is NONE_YET:
            raise self.refusal("a forward pass first", "a backward pass")
        if delta.shape != self.output.shape:
            raise self.refusal(f"a delta of {_times(self.output.shape)}", _times(delta.shape))
        self.delta = delta
        self.gradients = self.slopes(delta)

    def check(self, shape: tuple[int, ...]) -> None:
        """Accept the shape of one image, or raise `IncompatibleError`."""

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The output y of an input x."""
        raise NotImplementedError

    def slopes(self, delta: np.ndarray) -> dict[str, np.ndarray]:
        """∂loss/∂parameter for every parameter, summed over the images."""
        return {}

    def pass_back(self, delta: np.ndarray) -> np.ndarray:
        """∂loss/∂x."""
        raise NotImplementedError

    def refusal(self, expected: str, received: str) -> IncompatibleError:
        """The error that names this layer, what it needs and what came."""
        return IncompatibleError(
            f"Layer {self.name!r} ({self.kind}) expects {expected}. Received: {received}."
        )

    def check_finite(self) -> None:
        """Refuse parameters that are no numbers.

        Raises:
            IncompatibleError: names layer, parameter and how many.
        """
        for name, values in self.parameters.items():
            bad = int(np.count_nonzero(~np.isfinite(values)))
            if bad:
                raise self.refusal(
                    f"finite numbers in its {name}",
                    f"{bad:,} of {values.size:,} that are NaN or infinite",
                )

    def check_axes(self, shape: tuple[int, ...], channels: int | None = None) -> None:
        """Accept images of height, width and channels only.

        Raises:
            IncompatibleError
        """
        if len(shape) != 3 or channels not in (None, shape[-1]):
            wanted = "channels" if channels is None else channels
            raise self.refusal(f"images of height×width×{wanted}", _times(shape))


def pair(value: int | Pair) -> Pair:
    """One number for both axes, or two."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
