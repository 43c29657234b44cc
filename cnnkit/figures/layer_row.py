"""A network as a row of layers, with the numbers that run through it, in either direction."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit.figures import rasters
from cnnkit.figures._style import BLUE, ORANGE
from cnnkit.figures.network import folded, strongest

SIDE = 46  # pixels on the screen


@dataclass(frozen=True, kw_only=True, eq=False)
class Box:
    """One layer in the row."""

    title: str  # its kind
    name: str
    values: np.ndarray  # what leaves it in this direction: (height, width, maps) or (numbers,)


def layer_row(boxes: Sequence[Box], current: int, *, backward: bool) -> str:
    """The row as HTML, in the colours of the page around it.

    Args:
        boxes: the image or the first layer first, the loss last.
        current: number of the box that is looked at.
        backward: which way the arrows point.
    """
    drawn = "".join(_box(box, number == current) for number, box in enumerate(boxes))
    way = "backward, from the loss to the image" if backward else "forward, to the loss"
    alt = html.escape(f"{len(boxes)} layers, {way}; now at {boxes[current].name}")
    kind = "backward" if backward else "forward"
    return f'{_STYLE}<div class="cnn-row {kind}" role="img" aria-label="{alt}">{drawn}</div>'


def _box(box: Box, current: bool) -> str:
    shape = "×".join(map(str, box.values.shape))
    return (
        f'<div class="box{" current" if current else ""}" title="{html.escape(box.name)}">'
        f'<div class="drawing">'
        f'<img alt="" src="{_image(box.values)}"></div><b>{html.escape(box.title)}</b>'
        f"<small>{shape}</small></div>"
    )


def _image(values: np.ndarray) -> str:
    flat = folded(values) if values.ndim == 1 else values[..., strongest(values, 1)[0]]
    image = rasters.coloured(flat / (np.abs(flat).max() or 1), "diverging")
    return "data:image/png;base64," + base64.b64encode(rasters.png(image)).decode()


_STYLE = (
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
.cnn-row small { font-size: .6rem; opacity: .68; }
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
