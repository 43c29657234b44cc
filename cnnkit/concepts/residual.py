"""A residual and a plain block of the NumPy model's layers: training, and gradients.

Reference:
    He, Zhang, Ren, Sun 2015: Deep Residual Learning for Image Recognition, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import uniform_filter

from cnnkit.backprop import Convolution, MaxPooling, ReLU
from cnnkit.concepts.pooling import FILTERS

# The shortcut past the two convolutions; "plain" has none.
SHORTCUTS = ("plain", "identity", "fixed", "trained")
# Filters of the feature maps, and what scales each map to about 0 to 1.
MAP_SCALES = {
    "vertical edges": 1.8,
    "horizontal edges": 1.8,
    "rising strokes": 0.5,
    "falling strokes": 0.5,
}
SIDE = 12  # pixels of a map: 28 - 4, halved
TASKS = ("sharper", "unchanged")


@dataclass(frozen=True, eq=False)
class BlockActivations:
    """One forward pass through a block; every array is (images, height, width, maps)."""

    input: np.ndarray  # a
    branch: np.ndarray  # F(a), the output of the second convolution
    shortcut: np.ndarray  # zeros, a, or a · Ws
    output: np.ndarray  # ReLU(F(a) + shortcut)
    # Convolution, ReLU, convolution, projection, ReLU: they keep what the backward pass needs.
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
    """3×3 convolution, ReLU, 3×3 convolution, plus the shortcut, ReLU; no biases."""

    first: np.ndarray  # float64 (3, 3, maps in, maps out)
    second: np.ndarray  # float64 (3, 3, maps out, maps out)
    shortcut: str  # one of `SHORTCUTS`
    matrix: np.ndarray  # float64 (maps in, maps out), the 1×1 convolution of "fixed" and "trained"

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
        return float(np.hypot(np.linalg.norm(self.first), np.linalg.norm(self.second)))

    @property
    def zeroed(self) -> ResidualBlock:
        """The same block with all weights of its convolutions zero."""
        return replace(self, first=np.zeros_like(self.first), second=np.zeros_like(self.second))

    def forward(self, maps: np.ndarray) -> BlockActivations:
        """Send feature maps through: float64 (images, height, width, maps in)."""
        layers = first, relu, second, projection, last = (
            Convolution("conv1", self.first, padding="same"),
            ReLU("relu1"),
            Convolution("conv2", self.second, padding="same"),
            Convolution("projection", self.matrix[np.newaxis, np.newaxis]),
            ReLU("relu2"),
        )
        branch = second.forward(relu.forward(first.forward(maps)))
        if self.shortcut == "plain":
            shortcut = np.zeros_like(branch)
        else:
            shortcut = maps if self.shortcut == "identity" else projection.forward(maps)
        return BlockActivations(maps, branch, shortcut, last.forward(branch + shortcut), layers)

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


def feature_maps(images: np.ndarray) -> np.ndarray:
    """Feature maps of digits: convolution with fixed filters, ReLU, max pooling.

    Args:
        images: uint8 (images, 28, 28, 1).

    Returns:
        float64 (images, 12, 12, 4), never negative, about 0 to 1.
    """
    x = images / 255
    kernel = np.stack([FILTERS[name] for name in MAP_SCALES], axis=-1)[:, :, np.newaxis]
    for layer in (Convolution("filters", kernel), ReLU("relu"), MaxPooling("pool", 2)):
        x = layer.forward(x)
    return x / np.array(list(MAP_SCALES.values()))


def target_maps(maps: np.ndarray, task: str, outputs: int) -> np.ndarray:
    """The maps that the block is trained to give.

    Args:
        maps: (images, height, width, maps).
        task: "sharper" (half of the difference to the mean of 3×3 pixels is added) or
            "unchanged".
        outputs: maps to give. Those beyond the input's are, in turn, the mean and the
            largest of all maps.

    Returns:
        (images, height, width, outputs), never negative.

    Raises:
        ValueError: no such task.
    """
    if task not in TASKS:
        raise ValueError(f"`task` must be one of {TASKS}. Received: {task!r}.")
    if task == "sharper":
        blurred = uniform_filter(maps, (1, 3, 3, 1), mode="constant")
        maps = np.maximum(maps + 0.5 * (maps - blurred), 0)
    more = (maps.mean(axis=-1), maps.max(axis=-1))
    extra = [more[i % 2] for i in range(outputs - maps.shape[-1])]
    return np.concatenate([maps, *(one[..., np.newaxis] for one in extra)], axis=-1)


@dataclass(frozen=True, eq=False)
class BlockTraining:
    """A block at every step of its training, the initial one first."""

    blocks: tuple[ResidualBlock, ...]
    losses: tuple[float, ...]  # on the training images
    # ‖output - output of zero weights‖ / ‖target‖. With the identity this is the distance to
    # the identity; a plain block of zero weights gives 0.
    distances: tuple[float, ...]

    @property
    def norms(self) -> tuple[float, ...]:
        """Norm of the convolutions' weights at each step."""
        return tuple(block.norm for block in self.blocks)


def train_block(
    block: ResidualBlock,
    maps: np.ndarray,
    target: np.ndarray,
    *,
    decay: float,
    steps: int,
    learning_rate: float,
    decay_shortcut: bool = False,
) -> BlockTraining:
    """Gradient descent on ½ · squared error (mean over pixels) + ½ · decay · ‖weights‖².

    Args:
        block: the initial one.
        maps: (images, height, width, maps in).
        target: (images, height, width, maps out).
        decay: λ of the L2 regularizer.
        steps: to do.
        learning_rate: of each step.
        decay_shortcut: the L2 regularizer includes the matrix of a trained shortcut.
    """
    blocks, losses, distances = [], [], []
    size = np.linalg.norm(target)
    # Only the gradient of a trained matrix is not zero.
    decay_matrix = decay if decay_shortcut and block.shortcut == "trained" else 0.0
    for step in range(steps + 1):
        activations = block.forward(maps)
        zero_weights = np.maximum(activations.shortcut, 0)
        blocks.append(block)
        losses.append(squared_error(activations.output, target))
        distances.append(float(np.linalg.norm(activations.output - zero_weights) / size))
        if step < steps:
            delta = squared_error_gradient(activations.output, target)
            gradients = block.backward(activations, delta)
            block = replace(
                block,
                first=block.first - learning_rate * (gradients.first + decay * block.first),
                second=block.second - learning_rate * (gradients.second + decay * block.second),
                matrix=block.matrix
                - learning_rate * (gradients.matrix + decay_matrix * block.matrix),
            )
    return BlockTraining(tuple(blocks), tuple(losses), tuple(distances))


def squared_error(output: np.ndarray, target: np.ndarray) -> float:
    """Half the squared error, summed over maps, mean over pixels and images."""
    return float(np.square(output - target).sum() / (2 * np.prod(target.shape[:3])))


def squared_error_gradient(output: np.ndarray, target: np.ndarray) -> np.ndarray:
    """∂loss/∂output."""
    return (output - target) / np.prod(target.shape[:3])


def input_gradient(block: ResidualBlock, maps: np.ndarray, target: np.ndarray) -> np.ndarray:
    """∂loss/∂input of a block, the delta of the layers below."""
    activations = block.forward(maps)
    delta = squared_error_gradient(activations.output, target)
    return block.backward(activations, delta).input


def gradient_norms(
    blocks: Sequence[ResidualBlock], maps: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Norm of the gradient at each place of a chain of blocks, from the output back.

    Args:
        blocks: from the input on; each takes the maps of the one before.
        maps: (images, height, width, maps).
        target: for the output of the last block.

    Returns:
        (blocks + 1,): ‖∂loss/∂x‖ relative to that at the output of the last block; first
        at that output (1), last at the chain's input.
    """
    passes = []
    for block in blocks:
        passes.append(block.forward(maps))
        maps = passes[-1].output
    delta = squared_error_gradient(maps, target)
    norms = [np.linalg.norm(delta)]
    for block, activations in zip(reversed(blocks), reversed(passes), strict=True):
        delta = block.backward(activations, delta).input
        norms.append(np.linalg.norm(delta))
    return np.array(norms) / (norms[0] or 1.0)


def chain(
    shortcut: str, count: int, *, maps: int, scale: float, seed: int = 0
) -> list[ResidualBlock]:
    """Blocks with different weights; a plain and a residual chain of one seed share them.

    Args:
        shortcut: "plain" or "identity".
        count: blocks.
        maps: in and out of each.
        scale: of the weights, 1 for He's initialization.
        seed: of all blocks together.
    """
    return [
        ResidualBlock.initialize(
            shortcut, maps=maps, outputs=maps, scale=scale, seed=1000 * seed + number
        )
        for number in range(count)
    ]
