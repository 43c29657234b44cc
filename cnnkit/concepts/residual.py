"""A residual block in plain NumPy, with and without what it is named after.

Reference:
    He, Zhang, Ren, Sun 2015: Deep Residual Learning for Image Recognition, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cnnkit.concepts.convolution import apply, convolve_back, kernel_slope, windows

# What may lead around the two convolutions. "plain" is nothing.
SHORTCUTS = ("plain", "identity", "fixed", "trained")


@dataclass(frozen=True, eq=False)
class Pass:
    """One way through a block, with everything on it.

    Args:
        input: a, (images, height, width, maps in).
        hidden: ReLU of the first convolution, (images, height, width, maps out).
        branch: F(a), what the second convolution gives.
        shortcut: what came around: nothing (zeros), a, or a · Ws.
        output: ReLU(F(a) + shortcut).
        seen: `windows` of the input and of `hidden`, which the way back needs again.
    """

    input: np.ndarray
    hidden: np.ndarray
    branch: np.ndarray
    shortcut: np.ndarray
    output: np.ndarray
    seen: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Block:
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
    def start(
        cls, shortcut: str, *, maps: int, outputs: int, scale: float = 1.0, seed: int = 0
    ) -> Block:
        """A block before learning.

        Equal seeds give equal convolutions and matrices, whatever the shortcut. The matrix
        makes each map out a random mixture of the maps in: none of its numbers is negative,
        so that no map begins dead behind the last ReLU.

        Args:
            shortcut: one of `SHORTCUTS`; "identity" needs as many maps out as in.
            maps: that come in.
            outputs: maps that go out.
            scale: of the convolutions' weights, in units of He's start.
            seed: of the weights.
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
        """Euclidean length of both convolutions' weights taken as one vector."""
        return float(np.sqrt(np.square(self.first).sum() + np.square(self.second).sum()))

    @property
    def dead(self) -> Block:
        """The same block with all weights of its convolutions zero."""
        return replace(self, first=np.zeros_like(self.first), second=np.zeros_like(self.second))

    def forward(self, stack: np.ndarray, seen: np.ndarray | None = None) -> Pass:
        """Send images through.

        Args:
            stack: float64 (images, height, width, maps in).
            seen: `windows(stack, 3)`, where they are known from an earlier pass.
        """
        seen = windows(stack, 3) if seen is None else seen
        hidden = np.maximum(apply(seen, self.first, stack.shape[:3]), 0)
        seen_hidden = windows(hidden, 3)
        branch = apply(seen_hidden, self.second, stack.shape[:3])
        around = self._around(stack, branch)
        output = np.maximum(branch + around, 0)
        return Pass(stack, hidden, branch, around, output, (seen, seen_hidden))

    def weight_slopes(self, way: Pass, slope: np.ndarray) -> Gradients:
        """What a change of each weight does to the loss.

        Args:
            way: from `forward`.
            slope: d loss / d output.
        """
        slope = slope * (way.output > 0)
        back = convolve_back(slope, self.second) * (way.hidden > 0)
        seen, seen_hidden = way.seen
        matrix = np.zeros_like(self.matrix)
        if self.shortcut == "trained":
            matrix = np.tensordot(way.input, slope, axes=((0, 1, 2), (0, 1, 2)))
        return Gradients(
            kernel_slope(seen, back, self.first),
            kernel_slope(seen_hidden, slope, self.second),
            matrix,
        )

    def input_slope(self, way: Pass, slope: np.ndarray) -> np.ndarray:
        """The gradient that is left for the layers below: d loss / d input.

        Args:
            way: from `forward`.
            slope: d loss / d output.
        """
        slope = slope * (way.output > 0)
        through = convolve_back(slope, self.second) * (way.hidden > 0)
        through = convolve_back(through, self.first)
        if self.shortcut == "plain":
            return through
        return through + (slope if self.shortcut == "identity" else slope @ self.matrix.T)

    def _around(self, stack: np.ndarray, branch: np.ndarray) -> np.ndarray:
        if self.shortcut == "plain":
            return np.zeros_like(branch)
        return stack if self.shortcut == "identity" else stack @ self.matrix


@dataclass(frozen=True, eq=False)
class Gradients:
    """Of the loss by the weights, each of its weight's shape; of a matrix not trained, zeros."""

    first: np.ndarray
    second: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True)
class Trace:
    """One number's way through a block: a, F(a), what came around, their sum, the output."""

    a: float
    branch: float
    shortcut: float
    total: float
    output: float


def traced(way: Pass, row: int, column: int, number: int, *, image: int = 0) -> Trace:
    """Follow one pixel of one map.

    Args:
        way: from `Block.forward`.
        row: from 0.
        column: from 0.
        number: of the map, from 0; one that comes in and goes out.
        image: from 0.
    """
    place = (image, row, column, number)
    branch, shortcut = float(way.branch[place]), float(way.shortcut[place])
    return Trace(
        float(way.input[place]), branch, shortcut, branch + shortcut, float(way.output[place])
    )
