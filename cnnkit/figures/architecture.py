"""A whole network drawn: its silhouette, and below it every block, which can be opened.

HTML and not Plotly, as `figures.network` is: blocks open without asking the server, and
what stands side by side on a wide page wraps on a telephone.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnkit.figures.style import BLUE, GRAY, GREEN, ORANGE, SERIES, stylesheet

if TYPE_CHECKING:
    from cnnkit.anatomy import Architecture, Block, Fork, LayerRow, LayerTable, Resolution

COLORS = {
    "input": GRAY,
    "convolution": BLUE,
    "residual": GREEN,
    "branches": ORANGE,
    "dense connection": SERIES[3],
    "gate": SERIES[5],
    "cell": SERIES[4],
    "pooling": GRAY,
    "dense": SERIES[6],
    "other": GRAY,
}
WORDS = {
    "input": "input image",
    "convolution": "convolution",
    "residual": "residual block",
    "branches": "parallel branches",
    "dense connection": "dense connection",
    "gate": "gate (scaled maps)",
    "cell": "cell with two inputs",
    "pooling": "pooling",
    "dense": "dense layer",
    "other": "other layers",
}
STACKED = 8  # of equal blocks, drawn in the silhouette
TALLEST, SMALLEST, WIDEST = 120, 10, 640  # pixels on the screen
MOST_CHIPS = 90  # of a block that cannot be drawn as branches

_FILTERS = re.compile(r"(\d+) filters of ([\d×]+)(?:, stride (\d+))?")
_EACH = re.compile(r"one filter of ([\d×]+) per map(?:, stride (\d+))?")


def draw_architecture(network: Architecture) -> str:
    """The figure as HTML, in the colors of the page around it.

    Args:
        network: from `cnnkit.anatomy.architecture`.
    """
    table = network.table
    resolutions = "".join(
        _resolution(_size(resolution), resolution.blocks, table)
        for resolution in network.resolutions
    )
    heads = _resolution("other outputs", network.heads, table)
    body = silhouette(network) + _legend(network) + resolutions + heads * bool(network.heads)
    return f'{stylesheet("architecture")}<div class="cnn-architecture">{body}</div>'


def silhouette(network: Architecture) -> str:
    """Height is the maps' size, width their number; equal blocks stand close together."""
    blocks = [block for resolution in network.resolutions for block in resolution.blocks]
    largest = max((max(block.output_shape[:2]) for block in blocks if _maps(block)), default=1)
    alt = html.escape("From left to right: " + ", ".join(map(in_words, blocks)))
    total = sum(_width(block) * min(block.repeats, STACKED) for block in blocks)
    scale = min(3.0, WIDEST / total)
    boxes = "".join(_boxes(block, largest, scale) for block in blocks)
    return f'<div class="silhouette" role="img" aria-label="{alt}">{boxes}</div>'


def in_words(block: Block) -> str:
    """A block in some words: "3 × residual block conv2_block1, 56×56×256"."""
    times = f"{block.repeats} × " if block.repeats > 1 else ""
    return f"{times}{WORDS[block.kind]} {block.names[0]}, {_times(block.output_shape)}"


def _maps(block: Block) -> bool:
    return len(block.output_shape) == 3


def _width(block: Block) -> float:
    """Of one box, before scaling."""
    if block.kind == "pooling" or not _maps(block):
        return 3
    return 2 + 1.1 * math.log2(1 + block.output_shape[2])


def _boxes(block: Block, largest: int, scale: float) -> str:
    if _maps(block):
        share = math.log2(1 + max(block.output_shape[:2])) / math.log2(1 + largest)
        height = SMALLEST + (TALLEST - SMALLEST) * share**2
    else:
        height = SMALLEST + 3 * math.log2(1 + block.output_shape[-1])
    width = max(2, scale * _width(block))
    box = f'<i style="height:{height:.0f}px;width:{width:.0f}px"></i>'
    more = f"<small>×{block.repeats}</small>" if block.repeats > 1 else ""
    return (
        f'<span style="--kind:{COLORS[block.kind]}" title="{html.escape(in_words(block))}">'
        f"<b>{box * min(block.repeats, STACKED)}</b>{more}</span>"
    )


def _legend(network: Architecture) -> str:
    kinds = dict.fromkeys(
        block.kind for resolution in network.resolutions for block in resolution.blocks
    )
    entries = "".join(
        f'<span style="--kind:{COLORS[kind]}"><i></i>{WORDS[kind]}</span>' for kind in kinds
    )
    return f'<div class="legend">{entries}</div>'


def _resolution(title: str, blocks: Sequence[Block], table: LayerTable) -> str:
    boxes = "".join(_box(block, table) for block in blocks)
    return f'<section><h6>{title}</h6><div class="blocks">{boxes}</div></section>'


def _size(resolution: Resolution) -> str:
    return _times(resolution.size) if resolution.size else "vector"


def _box(block: Block, table: LayerTable) -> str:
    first, last = html.escape(block.names[0]), html.escape(block.names[-1])
    name = first if block.repeats == 1 else f"{first} … {last}"
    times = f'<em title="equal blocks in a row">×{block.repeats}</em>' if block.repeats > 1 else ""
    summary = (
        f"<summary><b>{name}</b>{times}<span class=words>{_summary(block.parts, table.rows)}</span>"
        f"<span class=shape>{_times(block.output_shape)}</span>"
        f"{_share(block.macs, table.macs, 'MACs')}"
        f"{_share(block.parameters, table.parameters, 'weights')}"
        "</summary>"
    )
    inside = _chain(block.parts, table.rows)
    return (
        f'<details style="--kind:{COLORS[block.kind]}">{summary}'
        f'<div class="inside">{inside}</div></details>'
    )


def _share(value: int, total: int, unit: str) -> str:
    if not value:
        return '<span class="share"></span>'
    share = value / total
    return (
        f'<span class="share" title="{value:,} {unit}, {share:.1%} of all">'
        f"<u style='width:{100 * share:.1f}%'></u>{short_number(value)} {unit}</span>"
    )


def short_number(value: float) -> str:
    """Three digits: "3.86 G", "25.6 M", "960"."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= 0.9995 * size:  # below, three digits would read "1e+03" of the smaller unit
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def _summary(parts: Sequence[int | Fork], rows: Sequence[LayerRow]) -> str:
    """What a block does, on one line: "1×1·64 → 3×3·64 → 1×1·256 + unchanged"."""
    steps = []
    for part in parts:
        if isinstance(part, int):
            steps += [_step(rows[part])] if rows[part].macs else []
            continue
        joint = " + " if part.merge is not None and rows[part.merge].kind == "Add" else " | "
        branches = [_summary(branch, rows) or "unchanged" for branch in part.branches]
        steps.append(joint.join(branches))
    if len(steps) > 8:
        steps = [*steps[:3], f"… {len(steps) - 4} more …", steps[-1]]
    return " → ".join(filter(None, steps))


def _step(row: LayerRow) -> str:
    if match := _FILTERS.match(row.detail):
        text = f"{match[2]}·{match[1]}"
        return f"{text}/{match[3]}" if match[3] else text
    if match := _EACH.match(row.detail):
        return f"{match[1]} each" + (f"/{match[2]}" if match[2] else "")
    return str(row.output_shape[-1]) if row.kind == "Dense" else html.escape(row.kind)


def _chain(parts: Sequence[int | Fork], rows: Sequence[LayerRow]) -> str:
    if len(parts) > MOST_CHIPS:
        chips = [_chip(rows[n]) for n in parts if isinstance(n, int) and rows[n].macs]
        left_out = len(parts) - len(chips)
        return "".join(chips) + f"<p>and {left_out} layers without multiplications between them</p>"
    return "".join(
        _fork(part, rows) if not isinstance(part, int) else _chip(rows[part]) for part in parts
    )


def _fork(fork: Fork, rows: Sequence[LayerRow]) -> str:
    branches = "".join(
        f'<div class="way">{_chain(branch, rows) or "<p>unchanged</p>"}</div>'
        for branch in fork.branches
    )
    merge = _chip(rows[fork.merge]) if fork.merge is not None else ""
    return f'<div class="fork">{branches}</div>{merge}'


def _chip(row: LayerRow) -> str:
    weights = f" · {short_number(row.parameters)} weights" if row.parameters else ""
    name = row.name.rpartition("/")[2]
    return (
        f'<div class="chip{"" if row.macs or row.kind in _JOINTS else " light"}" '
        f'title="{html.escape(row.name)}"><b>{html.escape(name)}</b>'
        f"<span>{html.escape(row.detail)}</span>"
        f"<small>{_times(row.output_shape)}{weights}</small></div>"
    )


_JOINTS = ("Add", "Concatenate", "Multiply")


def _times(sides: Sequence[int]) -> str:
    return "×".join(map(str, sides))
