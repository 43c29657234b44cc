"""Feature maps of large networks: a strip of blocks, a filmstrip of layers, one map enlarged.

Thumbnails are PNG files of one byte a pixel with a palette: hundreds of maps are encoded in
some milliseconds.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from plotly import graph_objects as go

from cnnkit.figures import rasters
from cnnkit.figures.heatmaps import click_targets
from cnnkit.figures.network import folded
from cnnkit.figures.style import stylesheet, tight

PIXELS = 100_000  # of all thumbnails of one layer
SMALLEST, LARGEST, BLOCK = 7, 64, 40  # pixels, sides of a thumbnail
WIDTH = 560  # pixels, of a layer's thumbnails side by side
SCREEN = 820  # pixels, width of a montage on a page of 1280
LEVELS = 255  # of the palette; the last index is transparent
GAP = 1  # pixels between two thumbnails
PALE = 0.6  # contrast of an image below a map, whose colors shall be seen
FRAME = 5  # pixels between a frame and what it frames
CLIPPED = 0.998  # quantile that gets the full color, lest one value makes the rest pale


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """One layer or block in a strip.

    Args:
        title: its name.
        detail: what it does, and its shape.
        values: (height, width, maps) or (units,); uint8 of the image itself.
    """

    title: str
    detail: str
    values: np.ndarray


def draw_blocks(frames: Sequence[Frame], current: int) -> str:
    """A network's blocks in a row that wraps, each with its most varied map, as HTML.

    Args:
        frames: the image first.
        current: number of the block that is opened.
    """
    boxes = "".join(
        f'<div class="block{" current" * (number == current)}" title="{html.escape(f.title)}">'
        f"{_thumbnail(f.values)}<b>{html.escape(f.title)}</b>"
        f"<small>{html.escape(f.detail)}</small></div>"
        for number, f in enumerate(frames)
    )
    alt = html.escape(f"{len(frames)} blocks from image to output; {frames[current].title} is open")
    row = f'<div class="blocks" role="img" aria-label="{alt}">{boxes}</div>'
    return f'{stylesheet("feature_maps")}<div class="cnn-maps">{row}</div>'


def draw_filmstrip(frames: Sequence[Frame], *, together: bool = True) -> str:
    """Every map of some layers, one layer below the other, as HTML.

    Args:
        frames: of the layers in their order.
        together: one color scale for all maps of a layer, else each map its own.
    """
    content = "".join(_film(frame, together) for frame in frames)
    return f'{stylesheet("feature_maps")}<div class="cnn-maps">{content}</div>'


def montage_figure(maps: np.ndarray, chosen: int, *, together: bool = True) -> go.Figure:
    """All maps of one layer; a click on one gives its number as `customdata[0]`.

    Args:
        maps: (height, width, channels).
        chosen: number of the map in a frame.
        together: one color scale for all maps, else each map its own.
    """
    count = maps.shape[-1]
    tiles = shrunk(maps, _side(count))
    height, width = tiles.shape[0] + GAP, tiles.shape[1] + GAP
    columns = _columns(count, width, 2 * WIDTH)
    rows = -(-count // columns)
    figure = go.Figure()
    figure.add_layout_image(
        source=_source(_indices(tiles, columns, together)),
        xref="x",
        yref="y",
        x=-0.5,
        y=-0.5,
        sizex=columns - GAP / width,
        sizey=rows - GAP / height,
        sizing="stretch",
        layer="below",
    )
    numbers = np.arange(count)
    strengths = np.abs(maps).max(axis=(0, 1))
    hover = [f"map {n}, largest {s:.3g}<extra></extra>" for n, s in enumerate(strengths)]
    # No larger than a map on a wide screen: where they overlap, a neighbor would take the click.
    size = int(np.clip(SCREEN / columns - 2, 5, 18))
    figure.add_trace(
        click_targets(
            numbers // columns, numbers % columns, numbers[:, None], size=size, hover=hover
        )
    )
    row, column = divmod(chosen, columns)
    figure.add_shape(
        type="rect",
        x0=column - 0.5,
        x1=column + 0.5,
        y0=row - 0.5,
        y1=row + 0.5,
        line={"color": "#34A37D", "width": 3},
    )
    look = {"visible": False, "fixedrange": True, "constrain": "domain"}
    figure.update_xaxes(range=[-0.6, columns - 0.4], **look)
    figure.update_yaxes(range=[rows - 0.4, -0.6], **look)
    figure.update_layout(clickmode="event+select", dragmode=False, hovermode="closest")
    share = rows * height / (columns * width)
    return tight(figure, height=int(min(560, max(60, SCREEN * share))))


def overlaid(
    image: np.ndarray,
    values: np.ndarray,
    extent: tuple[float, float, float, float],
    *,
    width: int,
    opacity: float,
    box: tuple[int, int, int, int] | None = None,
) -> np.ndarray:
    """A feature map over the image that it was computed from.

    Args:
        image: uint8 (height, width, 1 or 3).
        values: (height, width) of one map.
        extent: top, left, bottom and right of the map in pixels of the image.
        width: of the result in pixels.
        opacity: 0 to 1, of the strongest colors.
        box: top, left, bottom and right in pixels of the image, to be framed.

    Returns:
        uint8 (height, width, 3).
    """
    scale = width / image.shape[1]
    size = (width, max(1, round(image.shape[0] * scale)))
    smooth = image.shape[1] >= rasters.SMOOTH
    flat = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    gray = flat.convert("L").point(lambda value: 255 - (255 - value) * PALE)
    ground = gray.convert("RGBA").resize(size, how)
    colors = rasters.colored(values / (np.abs(values).max() or 1), "diverging")
    colors[..., 3] = np.rint(colors[..., 3] * opacity)
    top, left, bottom, right = (round(edge * scale) for edge in extent)
    layer = Image.new("RGBA", size)
    shape = (max(1, right - left), max(1, bottom - top))
    layer.paste(Image.fromarray(colors).resize(shape, Image.Resampling.NEAREST), (left, top))
    result = np.array(Image.alpha_composite(ground, layer).convert("RGB"))
    if box:
        top, left, bottom, right = (round(edge * scale) for edge in box)
        _draw_frame(result, (top - FRAME, left - FRAME, bottom + FRAME, right + FRAME))
    return result


def shrunk(maps: np.ndarray, side: int) -> np.ndarray:
    """Maps averaged to at most so many pixels a side; what no longer fills a field is left out.

    Args:
        maps: (height, width, channels).
        side: pixels.
    """
    height, width = maps.shape[:2]
    times = -(-max(height, width) // side)
    if times == 1 or min(height, width) < times:
        return maps
    rows, columns = height // times, width // times
    cut = maps[: rows * times, : columns * times]
    return cut.reshape(rows, times, columns, times, -1).mean(axis=(1, 3))


def _film(frame: Frame, together: bool) -> str:
    values = frame.values
    if values.ndim == 1:
        values = folded(values)[..., np.newaxis]
    tiles = shrunk(values, _side(values.shape[-1]))
    across = _columns(values.shape[-1], tiles.shape[1] + GAP, WIDTH)
    indices = _indices(tiles, across, together)
    scale = max(1, min(4, WIDTH // indices.shape[1]))
    return (
        f'<div class="film"><div class="words"><b>{html.escape(frame.title)}</b>'
        f"<span>{html.escape(frame.detail)}</span></div>"
        f"{_image(_source(indices), scale * indices.shape[1])}</div>"
    )


def _side(count: int) -> int:
    return int(np.clip((PIXELS / count) ** 0.5, SMALLEST, LARGEST))


def _columns(count: int, width: int, most: int) -> int:
    return max(1, min(count, most // width, -(-count // 2) if count > 12 else count))


def _thumbnail(values: np.ndarray) -> str:
    """The image, the map that varies most, or a row of numbers folded into a block, as HTML."""
    if values.dtype == np.uint8:
        small = shrunk(values, BLOCK).astype(np.uint8)
        data = rasters.png(small[..., 0] if small.shape[-1] == 1 else small)
        return _image(_address(data), BLOCK)
    if values.ndim == 1:
        return _image(_source(_indices(folded(values)[..., np.newaxis], 1, True)), BLOCK // 4)
    small = shrunk(values, BLOCK)
    strongest = int(small.std(axis=(0, 1)).argmax())
    return _image(_source(_indices(small[..., strongest : strongest + 1], 1, True)), BLOCK)


def _indices(maps: np.ndarray, columns: int, together: bool) -> np.ndarray:
    """Maps side by side as indices of the palette: uint8 (height, width)."""
    height, width, count = maps.shape
    strength = np.abs(maps)
    if together:
        largest = float(np.quantile(strength, CLIPPED)) or float(strength.max())
    else:
        largest = strength.max(axis=(0, 1))
    middle = (LEVELS - 1) / 2
    scaled = maps / np.where(np.asarray(largest) > 0, largest, 1)
    levels = np.clip(scaled * middle + middle, 0, LEVELS - 1).astype(np.uint8)
    rows = -(-count // columns)
    canvas = np.full((rows * columns, height + GAP, width + GAP), LEVELS, np.uint8)
    canvas[:count, :height, :width] = levels.transpose(2, 0, 1)
    grid = canvas.reshape(rows, columns, height + GAP, width + GAP).transpose(0, 2, 1, 3)
    return grid.reshape(rows * (height + GAP), columns * (width + GAP))[:-GAP, :-GAP]


def _image(source: str, width: int) -> str:
    return f'<img alt="" src="{source}" style="width:{width}px">'


def _source(indices: np.ndarray) -> str:
    image = Image.fromarray(indices)
    image.putpalette(_PALETTE[:, :3].tobytes())
    stream = io.BytesIO()
    # The size hardly matters on the way to the browser; the time does.
    image.save(stream, "PNG", transparency=_PALETTE[:, 3].tobytes(), compress_level=1)
    return _address(stream.getvalue())


def _address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _draw_frame(image: np.ndarray, box: Sequence[int], line: int = 3) -> None:
    height, width = image.shape[:2]
    top, left, bottom, right = np.clip(box, 0, (height, width, height, width))
    frame = np.zeros((height, width), bool)
    frame[top:bottom, left:right] = True
    frame[top + line : bottom - line, left + line : right - line] = False
    image[frame] = (52, 163, 125)


# From orange over nothing to blue, and a transparent color for the gaps.
_PALETTE = np.concatenate(
    [
        rasters.colored(np.linspace(-1, 1, LEVELS)[np.newaxis], "diverging")[0],
        np.zeros((1, 4), np.uint8),
    ]
)
