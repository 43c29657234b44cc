"""Residual blocks that learn a small real task, alone, and in a chain that only passes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cnnkit.concepts.convolution import windows
from cnnkit.concepts.pooling import FILTERS, convolve, pool_2x2
from cnnkit.concepts.residual import Block

# Filters that make an image into maps, and what brings their answers to about 0 to 1.
LOOKS = {
    "vertical edges": 1.8,
    "horizontal edges": 1.8,
    "rising strokes": 0.5,
    "falling strokes": 0.5,
}
SIDE = 12  # pixels of a map: 28 - 4, halved
TASKS = ("sharper", "unchanged")


def feature_maps(images: np.ndarray) -> np.ndarray:
    """What a small first layer of fixed filters, ReLU and max pooling says to digits.

    Args:
        images: uint8 (images, 28, 28, 1).

    Returns:
        float64 (images, 12, 12, 4), never negative, about 0 to 1.
    """
    return np.stack(
        [
            np.stack(
                [
                    pool_2x2(np.maximum(convolve(image[..., 0] / 255, FILTERS[name]), 0)) / largest
                    for name, largest in LOOKS.items()
                ],
                axis=-1,
            )
            for image in images
        ]
    )


def wanted(stack: np.ndarray, task: str, outputs: int) -> np.ndarray:
    """What the block should give.

    Args:
        stack: (images, height, width, maps).
        task: "sharper" (half of what a pixel has more than its surroundings is added) or
            "unchanged".
        outputs: maps to give. Those beyond the maps there are hold, in turn, the mean and
            the largest of all maps.

    Returns:
        (images, height, width, outputs), never negative.
    """
    if task not in TASKS:
        raise ValueError(f"`task` must be one of {TASKS}. Received: {task!r}.")
    if task == "sharper":
        stack = np.maximum(stack + 0.5 * (stack - _blurred(stack)), 0)
    more = (stack.mean(axis=-1), stack.max(axis=-1))
    extra = [more[i % 2] for i in range(outputs - stack.shape[-1])]
    return np.concatenate([stack, *(maps[..., None] for maps in extra)], axis=-1)


@dataclass(frozen=True, eq=False)
class Learning:
    """A block at every step of its learning.

    Args:
        blocks: one for each step, the start first.
        losses: of those blocks on the images learnt from.
        distances: ‖output - what the shortcut alone gives‖ / ‖the wanted maps‖ on them. With
            the identity this is the distance to the identity; a plain block's shortcut
            gives nothing.
    """

    blocks: tuple[Block, ...]
    losses: tuple[float, ...]
    distances: tuple[float, ...]

    @property
    def norms(self) -> tuple[float, ...]:
        """Length of the convolutions' weights at each step."""
        return tuple(block.norm for block in self.blocks)


def learn(
    block: Block,
    stack: np.ndarray,
    target: np.ndarray,
    *,
    decay: float,
    steps: int,
    learning_rate: float,
    decay_shortcut: bool = False,
) -> Learning:
    """Gradient descent on ½ · squared error (mean over pixels) + ½ · decay · ‖weights‖².

    Args:
        block: the start.
        stack: (images, height, width, maps in).
        target: (images, height, width, maps out).
        decay: λ of L2.
        steps: to do.
        learning_rate: of each step.
        decay_shortcut: L2 also pulls on the matrix of a trained shortcut.
    """
    blocks, losses, distances = [], [], []
    size, seen = np.linalg.norm(target), windows(stack, 3)
    for step in range(steps + 1):
        way = block.forward(stack, seen)
        alone = np.maximum(way.shortcut, 0)
        blocks.append(block)
        losses.append(loss(way.output, target))
        distances.append(float(np.linalg.norm(way.output - alone) / size))
        if step == steps:
            break
        gradients = block.weight_slopes(way, loss_slope(way.output, target))
        matrix = block.matrix
        if block.shortcut == "trained":
            pull = decay if decay_shortcut else 0.0
            matrix = matrix - learning_rate * (gradients.matrix + pull * matrix)
        block = replace(
            block,
            first=block.first - learning_rate * (gradients.first + decay * block.first),
            second=block.second - learning_rate * (gradients.second + decay * block.second),
            matrix=matrix,
        )
    return Learning(tuple(blocks), tuple(losses), tuple(distances))


def loss(output: np.ndarray, target: np.ndarray) -> float:
    """Half the squared error, summed over maps, mean over pixels and images."""
    return float(np.square(output - target).sum() / (2 * _pixels(target)))


def loss_slope(output: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Of the loss by the output: d loss / d output."""
    return (output - target) / _pixels(target)


def input_gradient(block: Block, stack: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What would reach the layers below a block: d loss / d input."""
    way = block.forward(stack)
    return block.input_slope(way, loss_slope(way.output, target))


def gradients_through(blocks: Sequence[Block], stack: np.ndarray, target: np.ndarray) -> np.ndarray:
    """How much of the gradient is left on its way back through a chain of blocks.

    Args:
        blocks: from the input on; each takes the maps of the one before.
        stack: (images, height, width, maps).
        target: what the last block should give.

    Returns:
        (blocks + 1,): ‖d loss / d x‖ as a share of what it is behind the last block; first
        behind the last block (1), last before the first.
    """
    ways, current = [], stack
    for block in blocks:
        ways.append(block.forward(current))
        current = ways[-1].output
    slope = loss_slope(current, target)
    norms = [np.linalg.norm(slope)]
    for block, way in zip(reversed(blocks), reversed(ways), strict=True):
        slope = block.input_slope(way, slope)
        norms.append(np.linalg.norm(slope))
    return np.array(norms) / (norms[0] or 1.0)


def chain(shortcut: str, count: int, *, maps: int, scale: float, seed: int = 0) -> list[Block]:
    """Blocks with different weights; a plain and a residual chain of one seed share them.

    Args:
        shortcut: "plain" or "identity".
        count: blocks.
        maps: in and out of each.
        scale: of the weights, in units of He's start.
        seed: of the first block; each next one has the next.
    """
    return [
        Block.start(shortcut, maps=maps, outputs=maps, scale=scale, seed=1000 * seed + number)
        for number in range(count)
    ]


def _blurred(stack: np.ndarray) -> np.ndarray:
    """Mean of 3×3 pixels, zeros outside."""
    padded = np.pad(stack, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = stack.shape[1:3]
    tiles = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.sum(tiles, axis=0) / 9


def _pixels(target: np.ndarray) -> int:
    return int(np.prod(target.shape[:3]))
