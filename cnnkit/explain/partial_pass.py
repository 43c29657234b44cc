"""Scores of copies of one image that differ from it in a window each, as those of occlusion.

What changes in a window of pixels changes a window of each feature map, which grows from layer to
layer. So the network is passed in stages, and each computes only crops of its feature maps: the
changed window, pasted into what the unchanged image gives there, and as much around it as the
receptive fields need. Where crops would cost more than whole maps, whole maps are computed.

The scores are those of whole passes. `cnnkit.explain.exact_crops` finds where crops are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.explain.exact_crops import VALUE, ExactCut, Windows, crops_between, exact_cuts
from cnnkit.explain.scores import ScoreModel, score_of, target_specs
from cnnkit.explain.targets import AttributionTarget
from cnnkit.visualize.network import ActivationModel

if TYPE_CHECKING:
    Tensor = Any

MOVES = 3  # times that a value of a crop is moved: taken, pasted into, taken of the result
TRIED = 12  # cuts before a cut, from which a stage may begin


class WindowScores:
    """The scores of copies of an image, each of which is changed in one window.

    Args:
        passed: the layers' activations for such copies.
        target: what is explained, but for its numbers.
    """

    def __init__(self, passed: PartialPass, target: AttributionTarget):
        """Compile nothing yet."""
        self.windows, self._pass = passed.windows, passed

        def maps(image):
            return passed.maps(image)

        def compute(changed, maps, places, weights, numbers):
            activations = passed.activations(changed, maps, places)
            return score_of(target, activations, weights, numbers)

        image, *cuts = (cut.cut.tensor for cut in passed.cuts)
        self._maps = tf.function(maps, autograph=False)
        self._scores = tf.function(
            compute,
            input_signature=[
                tf.TensorSpec((None, *passed.windows.sides, passed.network.channels), tf.float32),
                [
                    tf.TensorSpec(image.shape, tf.float32),
                    *(tf.TensorSpec(cut.shape, cut.dtype) for cut in cuts),
                ],
                tf.TensorSpec((None, len(passed.cuts), 3, 2), tf.int32),
                *target_specs(target),
            ],
            autograph=False,
        )

    @classmethod
    def of(
        cls, scores: ScoreModel, shape: Sequence[int], target: AttributionTarget, windows: Windows
    ) -> WindowScores:
        """Those for images of this shape; made once.

        Args:
            scores: of the network.
            shape: (height, width, channels).
            target: what is explained.
            windows: that may be changed.
        """
        key = ("windows", target.shape(), tuple(shape), windows.starts.tobytes(), windows.sides)

        def make():
            network = ActivationModel(scores.model, target.layers, (shape[0], shape[1]))
            return cls(plan(network, windows), target)

        return scores.cached(key, make)

    def maps(self, image: np.ndarray) -> list[Tensor]:
        """What is to be known of an image before its copies: (height, width, channels)."""
        return self._maps(tf.constant(image[np.newaxis]))

    def scores(
        self,
        maps: Sequence[Tensor],
        chosen: np.ndarray,
        changed: np.ndarray,
        target: AttributionTarget,
    ) -> np.ndarray:
        """The target's value for some of the copies: float32 (copies,).

        Args:
            maps: of the image, see `maps`.
            chosen: int (copies,): which of the windows are changed.
            changed: what they then hold: float32 (copies, height, width, channels).
            target: for these copies.
        """
        weights = tf.constant(target.objective.weights)
        places = self._pass.places(chosen)
        return self._scores(changed, maps, places, weights, target.numbers()).numpy()


@dataclass(frozen=True, eq=False)
class CropStage:
    """A part of the network that computes crops.

    Args:
        begin: where the crops are taken.
        end: where the changed windows are wanted.
        crops: of the maps at `begin`.
        windows: of the maps at `end`.
    """

    begin: ExactCut
    end: ExactCut
    crops: Windows
    windows: Windows

    @property
    def results(self) -> np.ndarray:
        """Where the windows lie in what is computed of the crops: int (windows, 2)."""
        strides = np.floor_divide(self.end.strides, self.begin.strides)
        return self.windows.starts - self.crops.starts // strides

    @property
    def cost(self) -> float:
        """For one window, in MACs: of the layers, and of moving crops and windows about."""
        share = np.prod(self.crops.sides) / np.prod(self.begin.size)
        moved = self.begin.channels * np.prod(self.crops.sides)
        return float(share * (self.end.cost - self.begin.cost) + MOVES * VALUE * moved)


@dataclass(frozen=True, eq=False)
class PartialPass:
    """A pass through a network for copies of an image that are changed in windows.

    Args:
        network: to pass.
        windows: of the image, in which it is changed.
        stages: that compute crops, each from the end of the one before.
        last: from where on whole maps are computed.
    """

    network: ActivationModel
    windows: Windows
    stages: tuple[CropStage, ...]
    last: ExactCut

    @property
    def cuts(self) -> list[ExactCut]:
        """Where stages begin, and the whole maps."""
        return [*(stage.begin for stage in self.stages), self.last]

    def maps(self, image: Tensor) -> list[Tensor]:
        """What the unchanged image, (1, height, width, channels), gives at the cuts."""
        maps = [image]
        for stage in self.stages:
            maps.append(self.network.between(stage.begin.cut, stage.end.cut, maps[-1]))
        return maps

    def places(self, chosen: np.ndarray) -> np.ndarray:
        """First rows and columns for the chosen windows: int32 (chosen, stages + 1, 3, 2).

        In each stage of a crop, of the changed window in it, and of the window in the result. In
        the last line of the changed window in whole maps.
        """
        changed, lines = self.windows.starts, []
        for stage in self.stages:
            crops = stage.crops.starts
            lines.append((crops, changed - crops, stage.results))
            changed = stage.windows.starts
        lines.append((changed, changed, changed))
        return np.array(lines, np.int32)[:, :, chosen].transpose(2, 0, 1, 3)

    def activations(self, windows: Tensor, maps: Sequence[Tensor], places: Tensor) -> dict:
        """The activations of the network's layers for changed images.

        Args:
            windows: what the images are within the windows: (images, height, width, channels).
            maps: see `maps`.
            places: see `places`.
        """
        for number, stage in enumerate(self.stages):
            crops = tf.gather_nd(maps[number][0], _indices(places[:, number, 0], stage.crops.sides))
            crops = _pasted(crops, windows, places[:, number, 1])
            results = self.network.between(stage.begin.cut, stage.end.cut, crops)
            indices = _indices(places[:, number, 2], stage.windows.sides)
            windows = tf.gather_nd(results, indices, batch_dims=1)
        whole = tf.repeat(maps[-1], tf.shape(windows)[0], 0)
        return self.network.after(self.last.cut, _pasted(whole, windows, places[:, -1, 0]))


def plan(network: ActivationModel, windows: Windows) -> PartialPass:
    """The stages that cost least.

    Args:
        network: to pass.
        windows: of the image, in which copies of it are changed.
    """
    cuts = exact_cuts(network)
    cheapest = {cuts[0]: PartialPass(network, windows, (), cuts[0])}
    costs = {cuts[0]: 0.0}  # up to a cut
    for end in cuts[1:]:
        for begin in list(cheapest)[-TRIED:]:
            crops, changed = crops_between(begin, end, _changed(cheapest[begin]))
            stage = CropStage(begin, end, crops, changed)
            cost = costs[begin] + stage.cost
            if cost < costs.get(end, np.inf):
                costs[end] = cost
                stages = (*cheapest[begin].stages, stage)
                cheapest[end] = PartialPass(network, windows, stages, end)
    last = min(cuts, key=lambda cut: costs[cut] - cut.cost)
    return cheapest[last]


def _changed(passed: PartialPass) -> Windows:
    return passed.stages[-1].windows if passed.stages else passed.windows


def _indices(starts: Tensor, sides: tuple[int, int]) -> Tensor:
    """Rows and columns of all values in windows: int32 (windows, height, width, 2)."""
    grid = np.stack(np.meshgrid(*map(np.arange, sides), indexing="ij"), -1).astype(np.int32)
    return starts[:, tf.newaxis, tf.newaxis] + grid


def _pasted(maps: Tensor, windows: Tensor, starts: Tensor) -> Tensor:
    """Maps, each with one window replaced."""
    indices = _indices(starts, (windows.shape[1], windows.shape[2]))
    numbers = tf.range(tf.shape(indices)[0])[:, tf.newaxis, tf.newaxis, tf.newaxis]
    numbers = tf.broadcast_to(numbers, tf.shape(indices[..., :1]))
    return tf.tensor_scatter_nd_update(maps, tf.concat([numbers, indices], -1), windows)
