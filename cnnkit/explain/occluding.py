"""Attribution by hiding parts of the image and looking at the score."""

from __future__ import annotations

import numpy as np

from cnnkit._lazy import tf
from cnnkit.errors import IncompatibleError
from cnnkit.explain.baselines import BASELINES, baseline_images
from cnnkit.explain.exact_crops import Windows
from cnnkit.explain.partial_pass import WindowScores
from cnnkit.explain.registry import PERTURBATION, Steps, method
from cnnkit.explain.scores import FORWARD, ScoreModel
from cnnkit.explain.targets import AttributionTarget
from cnnkit.visualize.registry import Slider

UNCHANGED = "the score is the same whatever is hidden"


@method(
    title="Occlusion",
    family=PERTURBATION,
    reference="Zeiler, Fergus 2013",
    signed=True,
    blank=UNCHANGED,
    patch=Slider(4, 112, step=4, title="Patch, pixels"),
    stride=Slider(2, 56, step=2, title="Stride, pixels"),
    baseline=BASELINES,
)
def occlusion(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    patch: int | None = None,
    stride: int | None = None,
    baseline: str | float | np.ndarray = "gray",
    seed: int = 0,
) -> Steps:
    """How much the score falls when a square is hidden: the mean over the squares on a pixel.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        patch: side of the square, in pixels; None: an eighth of the shorter side.
        stride: from one square to the next; None: half a patch. At the edges squares are cut.
        baseline: what fills a square: "black", "gray", "white", "mean", "blurred", "random", a gray
            level or an array that fits the images.
        seed: of a random baseline.
    """
    height, width = images.shape[1:3]
    patch = max(1, min(height, width) // 8) if patch is None else patch
    stride = max(1, patch // 2) if stride is None else stride
    if not 0 < patch <= max(height, width) or not 0 < stride <= patch:
        raise IncompatibleError(
            f"`patch` must be 1 to {max(height, width)} pixels and `stride` 1 to `patch`. "
            f"Received: {patch} and {stride}."
        )
    squares = patches((height, width), patch, stride)
    fill = baseline_images(images, baseline, seed=seed)
    full = scores.scores(images, target)
    windows = _windows(squares, (height, width), patch)
    passed = WindowScores.of(scores, images.shape[1:], target, windows)
    batches = np.array_split(np.arange(len(squares)), -(-len(squares) // FORWARD))
    falls = np.zeros((len(images), len(squares)))
    for place, image in enumerate(images):
        maps = passed.maps(image)
        for number, batch in enumerate(batches, start=1):
            hidden = np.repeat(image[np.newaxis], len(batch), 0)
            for copy, square in zip(hidden, batch, strict=True):
                copy[squares[square]] = fill[place][squares[square]]
            own = target.take(np.full(len(batch), place))
            changed = windows.of(hidden, batch)
            falls[place, batch] = full[place] - passed.scores(maps, batch, changed, own)
            yield place * len(batches) + number, len(images) * len(batches)
    return np.stack([_mean_of_patches(fall, squares, (height, width)) for fall in falls])


@method(
    title="RISE",
    family=PERTURBATION,
    reference="Petsiuk, Das, Saenko 2018",
    blank=UNCHANGED,
    masks=Slider(100, 8000, step=100, title="Masks"),
    grid=Slider(3, 16, title="Cells of a mask, each way"),
    visible=Slider(0.1, 0.9, step=0.05, title="Share that stays visible"),
)
def rise(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    masks: int = 1000,
    grid: int = 7,
    visible: float = 0.5,
    seed: int = 0,
) -> Steps:
    """The mean of random masks, each weighted by the score of what it leaves visible.

    The score is the probability of the class; of a target that is no class, its value.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        masks: how many; the map of few is noisy.
        grid: cells of a mask before it is enlarged, each way; at least 2.
        visible: probability that a cell is visible, between 0 and 1.
        seed: of the masks.
    """
    if masks < 1 or grid < 2 or not 0 < visible < 1:
        raise IncompatibleError(
            "`masks` must be at least 1, `grid` at least 2 and `visible` between 0 and 1. "
            f"Received: {masks}, {grid} and {visible}."
        )
    target = target.as_probability()
    generator = np.random.default_rng(seed)
    sums = np.zeros(images.shape[:3], np.float64)
    total = len(images) * -(-masks // FORWARD)
    done = 0
    for start in range(0, masks, FORWARD):
        batch = random_masks(
            generator, min(FORWARD, masks - start), images.shape[1:3], grid, visible
        )
        for place, image in enumerate(images):
            own = target.take(np.full(len(batch), place))
            values = scores.scores(image * batch[..., np.newaxis], own)
            sums[place] += np.tensordot(np.float64(values), batch, 1)
            done += 1
            yield done, total
    return sums / (masks * visible)


def patches(size: tuple[int, int], patch: int, stride: int) -> list[tuple[slice, slice]]:
    """Squares that cover an image, evenly from edge to edge: (rows, columns) of each."""
    starts = [range(stride - patch, side, stride) for side in size]
    return [
        (slice(max(top, 0), top + patch), slice(max(left, 0), left + patch))
        for top in starts[0]
        for left in starts[1]
    ]


def _windows(squares: list[tuple[slice, slice]], size: tuple[int, int], patch: int) -> Windows:
    """Windows of one size around the squares, those at the edges among them."""
    sides = (min(patch, size[0]), min(patch, size[1]))
    starts = np.array([(rows.start, columns.start) for rows, columns in squares])
    return Windows(np.minimum(starts, np.subtract(size, sides)), sides)


def random_masks(
    generator: np.random.Generator, count: int, size: tuple[int, int], grid: int, visible: float
) -> np.ndarray:
    """Smooth random masks, a coarse grid enlarged and shifted: float32 (count, height, width).

    Args:
        generator: of the draws.
        count: how many masks.
        size: (height, width).
        grid: cells, each way.
        visible: probability that a cell is 1.
    """
    cells = -(-np.array(size) // grid)
    coarse = (generator.random((count, grid + 1, grid + 1)) < visible).astype(np.float32)
    large = tf.image.resize(coarse[..., np.newaxis], (grid + 1) * cells, "bilinear").numpy()
    shifts = generator.integers(0, cells, (count, 2))
    height, width = size
    return np.stack(
        [
            one[top : top + height, left : left + width, 0]
            for one, (top, left) in zip(large, shifts, strict=True)
        ]
    )


def _mean_of_patches(
    values: np.ndarray, squares: list[tuple[slice, slice]], size: tuple[int, int]
) -> np.ndarray:
    total, count = np.zeros(size), np.zeros(size)
    for value, (rows, columns) in zip(values, squares, strict=True):
        total[rows, columns] += value
        count[rows, columns] += 1
    return total / count
