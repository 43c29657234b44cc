"""A network as a row of layers, each with the feature maps or gradients of one image."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.figures import rasters
from cnnkit.figures.style import BLUE, ORANGE

if TYPE_CHECKING:
    from cnnkit.anatomy import Stage


STACKED = 5  # feature maps drawn of each stage, one behind the other
STEP = 5  # pixels on the screen from a map to the one behind it
SMALLEST, LARGEST = 30, 86  # pixels on the screen, sides of a map
BLOCK = 92  # pixels on the screen, height of a row of numbers folded into a block


def draw_network(
    stages: Sequence[Stage],
    answers: Mapping[str, np.ndarray],
    probabilities: np.ndarray,
    class_names: Sequence[str],
) -> str:
    """The figure as HTML, in the colors of the page around it.

    Args:
        stages: from `cnnkit.anatomy.stages`, the image first, the logits last.
        answers: layer name → (height, width, channels) or (units,), for one image.
        probabilities: (classes,), drawn in the place of the logits.
        class_names: (classes,).
    """
    tallest = max(stage.shape[0] for stage in stages if stage.images)
    boxes = [_stage(stage, answers[stage.name], tallest) for stage in stages[:-1]]
    boxes.append(_answer(stages[-1], probabilities, class_names))
    words = ", then ".join(stage.label for stage in stages)
    alt = html.escape(f"From the image to the answer: {words}")
    return f'{_STYLE}<div class="cnn-network" role="img" aria-label="{alt}">{"".join(boxes)}</div>'


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


def _stage(stage: Stage, answer: np.ndarray, tallest: int) -> str:
    return _box(_sheets(answer, tallest) if stage.images else _block(answer), stage)


def _box(drawing: str, stage: Stage) -> str:
    weights = f"<small>{stage.parameters:,} weights</small>" if stage.parameters else ""
    return (
        f'<div class="stage"><div class="drawing">{drawing}</div><div class="words">'
        f"<b>{stage.label}</b><span>{html.escape(stage.detail)}</span>{weights}</div></div>"
    )


def _sheets(maps: np.ndarray, tallest: int) -> str:
    shown = maps[..., strongest(maps, STACKED)]
    height = SMALLEST + (LARGEST - SMALLEST) * maps.shape[0] / tallest
    width = height * maps.shape[1] / maps.shape[0]
    depth = STEP * (shown.shape[-1] - 1)
    colors = "gray" if maps.shape[-1] in (1, 3) else "diverging"
    largest = np.abs(shown).max() or 1
    layers = [
        f'<img alt="" src="{_source(shown[..., i] / largest, colors)}" style="left:'
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
    image = _source(block / (np.abs(block).max() or 1), "diverging")
    return f'<img alt="" src="{image}" style="width:{width:.0f}px;height:{BLOCK}px">'


def _answer(stage: Stage, probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    best = int(np.argmax(probabilities))
    rows = [
        f'<i class="{"best" if i == best else ""}">{html.escape(name)}</i>'
        f'<s><u style="width:{100 * p:.1f}%"></u></s>'
        for i, (name, p) in enumerate(zip(class_names, probabilities, strict=True))
    ]
    return _box(f'<div class="answer">{"".join(rows)}</div>', stage)


def _source(image: np.ndarray, colors: str) -> str:
    data = rasters.png(rasters.colored(image, colors))
    return "data:image/png;base64," + base64.b64encode(data).decode()


# Greys are mixtures with the text's own color, so light and dark pages need no two versions.
_STYLE = (
    """<style>
.cnn-network { display: flex; flex-wrap: wrap; row-gap: 1.25rem; padding: .5rem 0; }
.cnn-network .stage { flex: 1 1 94px; min-width: 94px; max-width: 180px; position: relative;
  display: flex; flex-direction: column; align-items: center; gap: .6rem; }
.cnn-network .drawing { height: 124px; display: flex; align-items: center; }
.cnn-network .stage + .stage .drawing::before { content: ""; position: absolute; left: -6px;
  top: 57px; width: 8px; height: 8px; border: solid; border-width: 2px 2px 0 0;
  transform: rotate(45deg); opacity: .4; }
.cnn-network .stack { position: relative; }
.cnn-network .stack img { position: absolute; }
.cnn-network img { image-rendering: pixelated; border-radius: 3px; max-width: none;
  background: Canvas;
  box-shadow: 0 0 0 1px color-mix(in srgb, currentColor 35%, transparent); }
.cnn-network .words { display: flex; flex-direction: column; text-align: center;
  line-height: 1.3; font-size: .8rem; padding: 0 .3rem; }
.cnn-network .words b { font-size: .95rem; font-weight: 650; white-space: nowrap; }
.cnn-network .words small { opacity: .75; font-size: .75rem; }
.cnn-network .answer { display: grid; grid-template-columns: auto 56px; gap: 2px 6px;
  align-items: center; font-size: .68rem; line-height: 1; }
.cnn-network .answer i { font-style: normal; text-align: right; opacity: .75;
  font-variant-numeric: tabular-nums; }
.cnn-network .answer i.best { font-weight: 800; opacity: 1; }
.cnn-network .answer s { height: 9px; border-radius: 2px; overflow: hidden;
  text-decoration: none; background: color-mix(in srgb, currentColor 12%, transparent); }
.cnn-network .answer u { display: block; height: 100%; background: """
    + BLUE
    + """; }
@media (max-width: 640px) {
  .cnn-network { flex-direction: column; row-gap: 1.6rem; }
  .cnn-network .stage { flex: none; max-width: none; flex-direction: row; gap: 1rem; }
  .cnn-network .drawing { width: 124px; height: auto; justify-content: center; }
  .cnn-network .words { text-align: left; }
  .cnn-network .stage + .stage .drawing::before { left: 57px; top: -1.2rem;
    transform: rotate(135deg); }
}
</style>"""
)


SIDE = 46  # pixels on the screen


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
    drawn = "".join(_layer_box(box, number == current) for number, box in enumerate(boxes))
    way = "backward, from the loss to the image" if backward else "forward, to the loss"
    alt = html.escape(f"{len(boxes)} layers, {way}; now at {boxes[current].name}")
    kind = "backward" if backward else "forward"
    return f'{_ROW_STYLE}<div class="cnn-row {kind}" role="img" aria-label="{alt}">{drawn}</div>'


def _layer_box(box: LayerBox, current: bool) -> str:
    shape = "×".join(map(str, box.values.shape))
    return (
        f'<div class="box{" current" if current else ""}" title="{html.escape(box.name)}">'
        f'<div class="drawing">'
        f'<img alt="" src="{_image(box.values)}"></div><b>{html.escape(box.title)}</b>'
        f"<small>{shape}</small></div>"
    )


def _image(values: np.ndarray) -> str:
    flat = folded(values) if values.ndim == 1 else values[..., strongest(values, 1)[0]]
    image = rasters.colored(flat / (np.abs(flat).max() or 1), "diverging")
    return "data:image/png;base64," + base64.b64encode(rasters.png(image)).decode()


_ROW_STYLE = (
    """<style>
.cnn-row { display: flex; gap: 10px; padding: 6px 4px 8px; }
.cnn-row .box { flex: 1 1 0; min-width: 50px; max-width: 96px; display: flex;
  flex-direction: column; align-items: center; padding: 7px 1px 5px; border-radius: 9px;
  position: relative; line-height: 1.25; text-align: center;
  border: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.cnn-row .drawing { height: """
    + f"{SIDE + 6}px"
    + """; display: flex; align-items: center; }
.cnn-row img { height: """
    + f"{SIDE}px; max-width: {SIDE + 16}px"
    + """; image-rendering: pixelated; border-radius: 3px;
  box-shadow: 0 0 0 1px color-mix(in srgb, currentColor 30%, transparent); }
.cnn-row b { font-size: .66rem; font-weight: 650; overflow-wrap: anywhere; }
.cnn-row small { font-size: .66rem; opacity: .75; }
.cnn-row .box.current { border-color: transparent; box-shadow: 0 0 0 2.5px var(--row);
  background: color-mix(in srgb, var(--row) 9%, transparent); }
.cnn-row.forward { --row: """
    + BLUE
    + """; } .cnn-row.backward { --row: """
    + ORANGE
    + """; }
.cnn-row .box + .box::before { content: ""; position: absolute; left: -9px; top: 34px;
  width: 6px; height: 6px; border: solid var(--row); border-width: 2px 2px 0 0;
  transform: rotate(45deg); }
.cnn-row.backward .box + .box::before { transform: rotate(225deg); left: -7px; }
@media (max-width: 640px) {
  .cnn-row { flex-wrap: wrap; row-gap: 6px; }
  .cnn-row .box { flex: 0 0 48px; }
  .cnn-row img { height: 34px; max-width: 40px; }
  .cnn-row .drawing { height: 38px; }
  .cnn-row small { display: none; }
  .cnn-row .box + .box::before { top: 22px; }
}
</style>"""
)
