"""Training a residual block on a small real task, and the gradient through a chain of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import uniform_filter

from cnnkit.backprop import Convolution, MaxPooling, ReLU
from cnnkit.concepts.pooling import FILTERS
from cnnkit.concepts.residual import ResidualBlock

# Filters of the feature maps, and what scales each map to about 0 to 1.
MAP_SCALES = {
    "vertical edges": 1.8,
    "horizontal edges": 1.8,
    "rising strokes": 0.5,
    "falling strokes": 0.5,
}
SIDE = 12  # pixels of a map: 28 - 4, halved
TASKS = ("sharper", "unchanged")


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
    """The maps that the block should learn to give.

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
    """A block at every step of its training.

    Args:
        blocks: one for each step, the initial one first.
        losses: of those blocks on the training images.
        distances: ‖output - output of zero weights‖ / ‖target‖ on them. With the identity
            this is the distance to the identity; a plain block of zero weights gives 0.
    """

    blocks: tuple[ResidualBlock, ...]
    losses: tuple[float, ...]
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
    for step in range(steps + 1):
        activations = block.forward(maps)
        zero_weights = np.maximum(activations.shortcut, 0)
        blocks.append(block)
        losses.append(squared_error(activations.output, target))
        distances.append(float(np.linalg.norm(activations.output - zero_weights) / size))
        if step == steps:
            break
        delta = squared_error_gradient(activations.output, target)
        gradients = block.backward(activations, delta)
        matrix = block.matrix
        if block.shortcut == "trained":
            shortcut_decay = decay if decay_shortcut else 0.0
            matrix = matrix - learning_rate * (gradients.matrix + shortcut_decay * matrix)
        block = replace(
            block,
            first=block.first - learning_rate * (gradients.first + decay * block.first),
            second=block.second - learning_rate * (gradients.second + decay * block.second),
            matrix=matrix,
        )
    return BlockTraining(tuple(blocks), tuple(losses), tuple(distances))


def squared_error(output: np.ndarray, target: np.ndarray) -> float:
    """Half the squared error, summed over maps, mean over pixels and images."""
    return float(np.square(output - target).sum() / (2 * _pixels(target)))


def squared_error_gradient(output: np.ndarray, target: np.ndarray) -> np.ndarray:
    """∂loss/∂output."""
    return (output - target) / _pixels(target)


def input_gradient(block: ResidualBlock, maps: np.ndarray, target: np.ndarray) -> np.ndarray:
    """∂loss/∂input of a block, which the layers below would receive."""
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
        seed: of the first block; each next one has the next.
    """
    return [
        ResidualBlock.initialize(
            shortcut, maps=maps, outputs=maps, scale=scale, seed=1000 * seed + number
        )
        for number in range(count)
    ]


def _pixels(target: np.ndarray) -> int:
    return int(np.prod(target.shape[:3]))
