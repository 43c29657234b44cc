"""Where a network computes of a crop exactly what it computes of the whole image.

Away from the edges of a crop a layer computes what it computes in the whole image, if the crop
begins at a multiple of the strides and its side differs from the image's by such a multiple: then
"same" padding and what a stride leaves over at the end are alike. At the crop's edges padding is
seen instead of pixels, so a crop holds all that the receptive fields of the wanted values reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any, NamedTuple

import numpy as np

from cnnkit._lazy import keras
from cnnkit.anatomy.costs import macs
from cnnkit.anatomy.graph import Call, GraphTrace, resized
from cnnkit.anatomy.receptive_field import Axis, receptive_fields
from cnnkit.visualize.network import ActivationModel, Cut

VALUE = 50  # MACs that take as long as writing one value of a feature map
Pair = tuple[int, int]  # along the height and the width
Axes = tuple[Axis, ...]  # likewise


class Windows(NamedTuple):
    """Windows of one size in maps of one size."""

    starts: np.ndarray  # int (windows, 2): first row and column of each
    sides: Pair

    def of(self, images: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """What images hold there, one of the windows chosen for each."""
        height, width = self.sides
        return np.stack(
            [
                image[top : top + height, left : left + width]
                for image, (top, left) in zip(images, self.starts[chosen], strict=True)
            ]
        )


@dataclass(frozen=True, eq=False)
class ExactCut:
    """A cut up to which crops are exact.

    Args:
        cut: of the network.
        size: of the maps there.
        channels: likewise.
        cost: of all calls up to it, for whole maps; in MACs.
        first: pixel that value 0 sees first; negative in the padding.
        last: pixel that value 0 sees last.
        strides: pixels from one value to the next.
        steps: a crop begins at a multiple of so many pixels.
    """

    cut: Cut
    size: Pair
    channels: int
    cost: float
    first: Pair = (0, 0)
    last: Pair = (0, 0)
    strides: Pair = (1, 1)
    steps: Pair = (1, 1)


def exact_cuts(network: ActivationModel) -> list[ExactCut]:
    """The cuts up to which crops are exact, in their order; the first is the image."""
    image, *cuts = network.cuts()
    seen = _seen_alike(network)
    steps, costs = _steps(seen), list(accumulate(map(cost_of, network.calls)))
    places = {id(call.outputs[0]): place for place, call in enumerate(network.calls)}
    exact = [ExactCut(image, network.size, network.channels, 0)]
    for cut in cuts:
        place = places[id(cut.tensor)]
        if place >= len(seen) or not _evenly(seen[place]):
            continue
        *size, channels = cut.tensor.shape[1:]
        lines = [(axis.first(0), axis.last(0), axis.first.shift) for axis in seen[place]]
        first, last, strides = zip(*lines, strict=True)
        exact.append(
            ExactCut(cut, tuple(size), channels, costs[place], first, last, strides, steps[place])
        )
    return exact


def _evenly(axes: Axes) -> bool:
    """Whether each value sees as many pixels, at even distances."""
    return all(len(axis.first.values) == len(axis.last.values) == 1 for axis in axes)


def cost_of(call: Call) -> float:
    """Multiply-accumulates, and values written in the time of `VALUE` of them."""
    return (macs(call) or 0) + VALUE * math.prod(call.outputs[0].shape)


def crops_between(begin: ExactCut, end: ExactCut, changed: Windows) -> tuple[Windows, Windows]:
    """What has to be computed when windows of the maps at a cut have changed.

    Args:
        begin: where they have.
        end: a later cut.
        changed: the windows.

    Returns:
        The crops of the maps at `begin`, and the windows of those at `end` that change.
    """
    crops, windows = zip(
        *(_along(n, begin, end, changed.starts[:, n], changed.sides[n]) for n in range(2)),
        strict=True,
    )
    return _windows(crops), _windows(windows)


def _windows(axes: Sequence[tuple[np.ndarray, int]]) -> Windows:
    starts, sides = zip(*axes, strict=True)
    return Windows(np.stack(starts, 1), sides)


def _along(
    n: int, begin: ExactCut, end: ExactCut, starts: np.ndarray, side: int
) -> tuple[tuple[np.ndarray, int], tuple[np.ndarray, int]]:
    """`crops_between` along one axis: starts and side of the crops, and of the windows."""
    unit, before, after = begin.strides[n], begin.size[n], end.size[n]
    first, last = (end.first[n] - begin.first[n]) // unit, (end.last[n] - begin.last[n]) // unit
    stride, step = end.strides[n] // unit, end.steps[n] // unit
    # Value i sees from first + stride·i to last + stride·i.
    lowest = np.clip(-((last - starts) // stride), 0, after - 1)
    highest = np.clip((starts + side - 1 - first) // stride, 0, after - 1)
    window = max(1, int((highest - lowest).max()) + 1)
    windows = np.minimum(lowest, after - window)
    # A crop holds what these see, and the whole changed window, which is pasted into it.
    lowest = np.clip(first + stride * windows, 0, starts)
    beyond = np.clip(last + stride * (windows + window - 1) + 1, starts + side, before)
    crops = lowest // step * step
    crop = int((beyond - crops).max())
    crop = min(crop + (before - crop) % step, before)
    return (np.minimum(crops, before - crop), crop), (windows, window)


def _seen_alike(network: ActivationModel) -> list[Axes]:
    """What the values of each call see, up to the first that sees crops in another way."""
    seen = _local_axes(network.source, network.calls)
    steps = [step for step in _steps(seen) if np.less(step, network.size).all()]
    if not steps:
        return []
    size = _pair(side - step for side, step in zip(network.size, steps[-1], strict=True))
    crop = keras.KerasTensor((1, *size, network.channels), network.source.dtype)
    cropped = resized(network.calls[: len(steps)], network.source, crop)
    alike = (
        one == two
        and _same_everywhere(call)
        and _up_to_the_edges(one, network.size, call)
        and _up_to_the_edges(two, size, other)
        for one, two, call, other in zip(
            seen, _local_axes(crop, cropped), network.calls, cropped, strict=False
        )
    )
    return seen[: sum(takewhile(bool, alike))]


def _local_axes(source: Any, calls: Sequence[Call]) -> list[Axes]:
    """What the values of each call see, up to the first that may see the whole image."""
    seen = []
    for field in receptive_fields(GraphTrace((source,), tuple(calls), ())):
        if field.whole or not field.axes:
            break
        seen.append(field.axes)
    return seen


def _steps(seen: Sequence[Axes]) -> list[Pair]:
    """After each call, how many pixels an image must be moved by so that all values move too."""
    shifts = (_pair(math.lcm(axis.first.shift, axis.last.shift) for axis in axes) for axes in seen)
    return list(accumulate(shifts, lambda one, two: _pair(map(math.lcm, one, two))))


def _pair(values: Iterable[int]) -> Pair:
    height, width = values
    return height, width


def _same_everywhere(call: Call) -> bool:
    """Whether a layer computes the same at each place."""
    axis = getattr(call.operation, "axis", -1) if call.kind == "Normalization" else -1
    return axis in (-1, (-1,), 3, (3,))


def _up_to_the_edges(axes: Axes, size: Sequence[int], call: Call) -> bool:
    """Whether one value more, on each side, would see past the image."""
    return all(
        axis.first(-1) < 0 and axis.last(values) >= side
        for axis, side, values in zip(axes, size, call.outputs[0].shape[1:3], strict=True)
    )
