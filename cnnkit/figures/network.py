"""A network as a row of layers, each with the feature maps or gradients of one image."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.figures import rasters
from cnnkit.figures.style import stylesheet

if TYPE_CHECKING:
    from cnnkit.anatomy import Stage


STACKED = 5  # feature maps drawn of each stage, one behind the other
STEP = 5  # pixels on the screen from a map to the one behind it
SMALLEST, LARGEST = 30, 86  # pixels on the screen, sides of a map
BLOCK = 92  # pixels on the screen, height of a row of numbers folded into a block


def draw_network(
    stages: Sequence[Stage],
    activations: Mapping[str, np.ndarray],
    probabilities: np.ndarray,
    class_names: Sequence[str],
) -> str:
    """The figure as HTML, in the colors of the page around it.

    Args:
        stages: from `cnnkit.anatomy.stages`, the image first, the logits last.
        activations: layer name → (height, width, channels) or (units,), for one image.
        probabilities: (classes,), drawn in the place of the logits.
        class_names: (classes,).
    """
    tallest = max(stage.shape[0] for stage in stages if stage.images)
    boxes = [_stage(stage, activations[stage.name], tallest) for stage in stages[:-1]]
    boxes.append(_outputs(stages[-1], probabilities, class_names))
    words = ", then ".join(stage.label for stage in stages)
    alt = html.escape(f"From the image to the output: {words}")
    content = "".join(boxes)
    row = f'<div class="cnn-network" role="img" aria-label="{alt}">{content}</div>'
    return stylesheet("network") + row


def strongest(maps: np.ndarray, count: int) -> np.ndarray:
    """Indices of the feature maps that show most, the one that varies most first.

    Args:
        maps: (height, width, channels).
        count: how many at most.
    """
    return np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:count]


def folded(values: np.ndarray) -> np.ndarray:
    """A row of numbers as a block about four times as high as wide, filled up with zeros."""
    columns = max(1, round(np.sqrt(len(values)) / 2))
    rows = -(-len(values) // columns)
    return np.pad(values, (0, rows * columns - len(values))).reshape(rows, columns)


def _stage(stage: Stage, activation: np.ndarray, tallest: int) -> str:
    return _box(_map_stack(activation, tallest) if stage.images else _block(activation), stage)


def _box(drawing: str, stage: Stage) -> str:
    weights = f"<small>{stage.parameters:,} weights</small>" if stage.parameters else ""
    return (
        f'<div class="stage"><div class="drawing">{drawing}</div><div class="words">'
        f"<b>{stage.label}</b><span>{html.escape(stage.detail)}</span>{weights}</div></div>"
    )


def _map_stack(maps: np.ndarray, tallest: int) -> str:
    shown = maps[..., strongest(maps, STACKED)]
    height = SMALLEST + (LARGEST - SMALLEST) * maps.shape[0] / tallest
    width = height * maps.shape[1] / maps.shape[0]
    depth = STEP * (shown.shape[-1] - 1)
    colors = "gray" if maps.shape[-1] in (1, 3) else "diverging"
    largest = np.abs(shown).max() or 1
    layers = [
        f'<img alt="" src="{_source(shown[..., i], largest, colors)}" style="left:'
        f'{depth - STEP * i:.0f}px;top:{STEP * i:.0f}px;width:{width:.0f}px;height:{height:.0f}px">'
        for i in reversed(range(shown.shape[-1]))
    ]
    return (
        f'<div class="stack" style="width:{width + depth:.0f}px;height:{height + depth:.0f}px">'
        f"{''.join(layers)}</div>"
    )


def _block(values: np.ndarray) -> str:
    block = folded(values)
    width = BLOCK * block.shape[1] / block.shape[0]
    image = _source(block)
    return f'<img alt="" src="{image}" style="width:{width:.0f}px;height:{BLOCK}px">'


def _outputs(stage: Stage, probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    best = int(np.argmax(probabilities))
    rows = [
        f'<i class="{"best" if i == best else ""}">{html.escape(name)}</i>'
        f'<s><u style="width:{100 * p:.1f}%"></u></s>'
        for i, (name, p) in enumerate(zip(class_names, probabilities, strict=True))
    ]
    return _box(f'<div class="outputs">{"".join(rows)}</div>', stage)


def _source(values: np.ndarray, largest: float | None = None, colors: str = "diverging") -> str:
    """An image as the address of an HTML element; `largest` gets the full color."""
    image = rasters.colored(values / (largest or np.abs(values).max() or 1), colors)
    return "data:image/png;base64," + base64.b64encode(rasters.png(image)).decode()


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerBox:
    """One layer in the row."""

    title: str  # its kind
    name: str
    values: np.ndarray  # what leaves it in this direction: (height, width, maps) or (numbers,)


def layer_row(boxes: Sequence[LayerBox], current: int, *, backward: bool) -> str:
    """The row as HTML, in the colors of the page around it.

    Args:
        boxes: the image or the first layer first, the loss last.
        current: number of the box that is looked at.
        backward: which way the arrows point.
    """
    content = "".join(_layer_box(box, number == current) for number, box in enumerate(boxes))
    direction = "backward, from the loss to the image" if backward else "forward, to the loss"
    alt = html.escape(f"{len(boxes)} layers, {direction}; now at {boxes[current].name}")
    kind = "backward" if backward else "forward"
    row = f'<div class="cnn-row {kind}" role="img" aria-label="{alt}">{content}</div>'
    return stylesheet("network") + row


def _layer_box(box: LayerBox, current: bool) -> str:
    shape = "×".join(map(str, box.values.shape))
    flat = box.values.ndim == 1
    values = folded(box.values) if flat else box.values[..., strongest(box.values, 1)[0]]
    return (
        f'<div class="box{" current" if current else ""}" title="{html.escape(box.name)}">'
        f'<div class="drawing">'
        f'<img alt="" src="{_source(values)}"></div><b>{html.escape(box.title)}</b>'
        f"<small>{shape}</small></div>"
    )
