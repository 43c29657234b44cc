"""A whole network as people draw it, with what each stage answers to an image.

HTML and not Plotly: text keeps its size when the figure becomes narrow, and stages that
stand side by side on a wide page stand one below the other on a telephone. (Streamlit
lets no SVG pass in HTML, so the maps are small PNG files.)
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.figures import rasters
from cnnkit.figures._style import BLUE

if TYPE_CHECKING:
    from cnnkit.anatomy import Stage

SHEETS = 5  # feature maps drawn of each stage, as sheets one behind the other
STEP = 5  # pixels on the screen from a sheet to the one behind it
SMALLEST, LARGEST = 30, 86  # pixels on the screen, sides of a sheet
BLOCK = 92  # pixels on the screen, height of a row of numbers folded into a block


def network(
    stages: Sequence[Stage],
    answers: Mapping[str, np.ndarray],
    probabilities: np.ndarray,
    class_names: Sequence[str],
) -> str:
    """The figure as HTML, in the colours of the page around it.

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
    shown = maps[..., strongest(maps, SHEETS)]
    height = SMALLEST + (LARGEST - SMALLEST) * maps.shape[0] / tallest
    width = height * maps.shape[1] / maps.shape[0]
    depth = STEP * (shown.shape[-1] - 1)
    colours = "gray" if maps.shape[-1] in (1, 3) else "diverging"
    largest = np.abs(shown).max() or 1
    sheets = [
        f'<img alt="" src="{_source(shown[..., i] / largest, colours)}" style="left:'
        f'{depth - STEP * i:.0f}px;top:{STEP * i:.0f}px;width:{width:.0f}px;height:{height:.0f}px">'
        for i in reversed(range(shown.shape[-1]))
    ]
    return (
        f'<div class="sheets" style="width:{width + depth:.0f}px;height:{height + depth:.0f}px">'
        f"{''.join(sheets)}</div>"
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


def _source(image: np.ndarray, colours: str) -> str:
    data = rasters.png(rasters.coloured(image, colours))
    return "data:image/png;base64," + base64.b64encode(data).decode()


# Greys are mixtures with the text's own colour, so light and dark pages need no two versions.
_STYLE = (
    """<style>
.cnn-network { display: flex; flex-wrap: wrap; row-gap: 1.25rem; padding: .5rem 0; }
.cnn-network .stage { flex: 1 1 94px; min-width: 94px; max-width: 180px; position: relative;
  display: flex; flex-direction: column; align-items: center; gap: .6rem; }
.cnn-network .drawing { height: 124px; display: flex; align-items: center; }
.cnn-network .stage + .stage .drawing::before { content: ""; position: absolute; left: -6px;
  top: 57px; width: 8px; height: 8px; border: solid; border-width: 2px 2px 0 0;
  transform: rotate(45deg); opacity: .4; }
.cnn-network .sheets { position: relative; }
.cnn-network .sheets img { position: absolute; }
.cnn-network img { image-rendering: pixelated; border-radius: 3px; max-width: none;
  background: Canvas;
  box-shadow: 0 0 0 1px color-mix(in srgb, currentColor 35%, transparent); }
.cnn-network .words { display: flex; flex-direction: column; text-align: center;
  line-height: 1.3; font-size: .8rem; padding: 0 .3rem; }
.cnn-network .words b { font-size: .95rem; font-weight: 650; white-space: nowrap; }
.cnn-network .words small { opacity: .65; font-size: .75rem; }
.cnn-network .answer { display: grid; grid-template-columns: auto 56px; gap: 2px 6px;
  align-items: center; font-size: .68rem; line-height: 1; }
.cnn-network .answer i { font-style: normal; text-align: right; opacity: .65;
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
