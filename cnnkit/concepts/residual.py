"""A residual block and a plain one, of the NumPy model's layers.

Reference:
    He, Zhang, Ren, Sun 2015: Deep Residual Learning for Image Recognition, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cnnkit.backprop import Convolution, ReLU

# The shortcut past the two convolutions; "plain" has none.
SHORTCUTS = ("plain", "identity", "fixed", "trained")


@dataclass(frozen=True, eq=False)
class BlockActivations:
    """One forward pass through a block.

    Args:
        input: a, (images, height, width, maps in).
        hidden: ReLU of the first convolution, (images, height, width, maps out).
        branch: F(a), the output of the second convolution.
        shortcut: zeros, a, or a · Ws.
        output: ReLU(F(a) + shortcut).
        layers: first convolution, ReLU, second convolution, projection, ReLU; each keeps
            its input and output for the backward pass.
    """

    input: np.ndarray
    hidden: np.ndarray
    branch: np.ndarray
    shortcut: np.ndarray
    output: np.ndarray
    layers: tuple[Convolution, ReLU, Convolution, Convolution, ReLU]


@dataclass(frozen=True, eq=False)
class BlockGradients:
    """Of the loss with respect to input and weights; of a matrix not trained, zeros."""

    input: np.ndarray
    first: np.ndarray
    second: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True, eq=False)
class ResidualBlock:
    """3×3 convolution, ReLU, 3×3 convolution, plus the shortcut, ReLU; no biases.

    Args:
        first: float64 (3, 3, maps in, maps out).
        second: float64 (3, 3, maps out, maps out).
        shortcut: one of `SHORTCUTS`.
        matrix: float64 (maps in, maps out), the 1×1 convolution of "fixed" and "trained".
    """

    first: np.ndarray
    second: np.ndarray
    shortcut: str
    matrix: np.ndarray

    @classmethod
    def initialize(
        cls, shortcut: str, *, maps: int, outputs: int, scale: float = 1.0, seed: int = 0
    ) -> ResidualBlock:
        """A block before training.

        Equal seeds give equal convolutions and matrices, whatever the shortcut. The matrix
        makes each output map a random mixture of the input maps: none of its numbers is
        negative, so that no map begins dead behind the last ReLU.

        Args:
            shortcut: one of `SHORTCUTS`; "identity" needs as many maps out as in.
            maps: in.
            outputs: maps out.
            scale: of the convolutions' weights, 1 for He's initialization.
            seed: of the weights.

        Raises:
            ValueError: no such shortcut, or an identity that would change the maps' number.
        """
        if shortcut not in SHORTCUTS:
            raise ValueError(f"`shortcut` must be one of {SHORTCUTS}. Received: {shortcut!r}.")
        if shortcut == "identity" and maps != outputs:
            raise ValueError(
                f"An identity cannot be added to another number of maps. "
                f"Received: maps={maps}, outputs={outputs}."
            )
        generator = np.random.default_rng(seed)

        def he(*shape: int) -> np.ndarray:
            return generator.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)

        first, second = he(3, 3, maps, outputs), he(3, 3, outputs, outputs)
        matrix = generator.uniform(0, 2 / maps, (maps, outputs))
        return cls(scale * first, scale * second, shortcut, matrix)

    @property
    def norm(self) -> float:
        """Euclidean norm of both convolutions' weights taken as one vector."""
        return float(np.sqrt(np.square(self.first).sum() + np.square(self.second).sum()))

    @property
    def zeroed(self) -> ResidualBlock:
        """The same block with all weights of its convolutions zero."""
        return replace(self, first=np.zeros_like(self.first), second=np.zeros_like(self.second))

    def forward(self, maps: np.ndarray) -> BlockActivations:
        """Send feature maps through.

        Args:
            maps: float64 (images, height, width, maps in).
        """
        layers = first, relu, second, projection, last = (
            Convolution("conv1", self.first, padding="same"),
            ReLU("relu1"),
            Convolution("conv2", self.second, padding="same"),
            Convolution("projection", self.matrix[np.newaxis, np.newaxis]),
            ReLU("relu2"),
        )
        hidden = relu.forward(first.forward(maps))
        branch = second.forward(hidden)
        if self.shortcut == "plain":
            shortcut = np.zeros_like(branch)
        else:
            shortcut = maps if self.shortcut == "identity" else projection.forward(maps)
        output = last.forward(branch + shortcut)
        return BlockActivations(maps, hidden, branch, shortcut, output, layers)

    def backward(self, activations: BlockActivations, delta: np.ndarray) -> BlockGradients:
        """The gradients with respect to the input and to each weight.

        Args:
            activations: from `forward`.
            delta: ∂loss/∂output, (images, height, width, maps out).
        """
        first, relu, second, projection, last = activations.layers
        delta = last.backward(delta)
        input_delta = first.backward(relu.backward(second.backward(delta)))
        matrix = np.zeros_like(self.matrix)
        if self.shortcut == "identity":
            input_delta = input_delta + delta
        elif self.shortcut != "plain":
            input_delta = input_delta + projection.backward(delta)
            if self.shortcut == "trained":
                matrix = projection.gradients["kernel"][0, 0]
        return BlockGradients(
            input_delta, first.gradients["kernel"], second.gradients["kernel"], matrix
        )


@dataclass(frozen=True)
class PixelTrace:
    """One pixel through a block: a, F(a), the shortcut, their sum, the output."""

    a: float
    branch: float
    shortcut: float
    total: float
    output: float


def trace_pixel(
    activations: BlockActivations, row: int, column: int, number: int, *, image: int = 0
) -> PixelTrace:
    """Follow one pixel of one map.

    Args:
        activations: from `ResidualBlock.forward`.
        row: from 0.
        column: from 0.
        number: of the map, from 0; one that exists at input and output.
        image: from 0.
    """
    place = (image, row, column, number)
    branch, shortcut = float(activations.branch[place]), float(activations.shortcut[place])
    return PixelTrace(
        float(activations.input[place]),
        branch,
        shortcut,
        branch + shortcut,
        float(activations.output[place]),
    )
