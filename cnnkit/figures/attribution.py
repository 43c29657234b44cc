"""Attribution maps in color, over the image that they explain. NumPy and Pillow only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cnnkit.figures.rasters import NEGATIVE, POSITIVE

FULL = 99.0  # percentile of a map's magnitudes that has the full color
# Matplotlib's inferno, by N. Smith and S. van der Walt: its lightness grows evenly.
SEQUENTIAL = (
    *((0, 0, 4), (27, 12, 65), (74, 12, 107), (120, 28, 109), (165, 44, 96)),
    *((207, 68, 70), (237, 105, 37), (251, 155, 6), (247, 209, 61), (252, 255, 164)),
)
# Zero is dark in both, and either sign grows to light.
DIVERGING = ((255, 216, 160), NEGATIVE[:3], (4, 4, 8), POSITIVE[:3], (170, 206, 255))
BAR = (256, 14)  # pixels of the color scale, width and height
TEXT, GAP = 34, 8  # pixels above a tile for its two lines, and between two tiles


def scaled(map_: np.ndarray, *, signed: bool) -> np.ndarray:
    """A map as shares of its full color.

    Args:
        map_: (height, width).
        signed: whether it has both signs.

    Returns:
        float32 (height, width), -1 to 1 if signed, else 0 to 1.
    """
    full = float(np.percentile(np.abs(map_), FULL)) or float(np.abs(map_).max()) or 1.0
    return np.clip(np.asarray(map_, np.float32) / full, -1.0 if signed else 0.0, 1.0)


def colored(values: np.ndarray, *, signed: bool) -> np.ndarray:
    """Shares of the full color in color: uint8 (height, width, 3).

    Args:
        values: as `scaled` returns them.
        signed: orange for -1, black for 0 and blue for 1; else from black over red to yellow.
    """
    colors = np.array(DIVERGING if signed else SEQUENTIAL, np.float32)
    place = ((values + 1) / 2 if signed else values) * (len(colors) - 1)
    points = np.arange(len(colors))
    channels = [np.interp(place, points, colors[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, -1)).astype(np.uint8)


def overlay(image: np.ndarray, map_: np.ndarray, *, signed: bool, strength: float) -> np.ndarray:
    """A map in color over its image: uint8 (height, width, 3).

    The more of the map there is, the less color the image keeps, so that colors are the map's.

    Args:
        image: uint8 (height, width, 1 or 3).
        map_: (height, width).
        signed: whether it has both signs.
        strength: 0: the image alone; 1: the map alone.
    """
    color = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.float32)
    gray = color.mean(-1, keepdims=True)
    base = (1 - strength) * color + strength * gray
    over = colored(scaled(map_, signed=signed), signed=signed)
    return np.rint((1 - strength) * base + strength * over).astype(np.uint8)


def color_bar(*, signed: bool) -> np.ndarray:
    """The color scale from left to right: uint8 (height, width, 3)."""
    width, height = BAR
    values = np.linspace(-1 if signed else 0, 1, width)
    return np.broadcast_to(colored(values, signed=signed), (height, width, 3)).copy()


def labeled_grid(rows: Sequence[Sequence[tuple[str, np.ndarray]]], *, side: int) -> np.ndarray:
    """Images in rows, each with its words above: uint8 (height, width, 3), on white.

    Args:
        rows: words, in at most two lines, and uint8 (height, width, 3) of each image.
        side: pixels of an image, in width.
    """
    # Pillow's own font lacks the sign.
    tiles = [
        [(words.replace("×", "x"), _resized(image, side)) for words, image in row] for row in rows
    ]
    heights = [TEXT + max(tile.height for _, tile in row) + GAP for row in tiles]
    width = max(map(len, tiles)) * (side + GAP) + GAP
    canvas = Image.new("RGB", (width, sum(heights) + GAP), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    top = GAP
    for row, height in zip(tiles, heights, strict=True):
        for place, (words, tile) in enumerate(row):
            left = GAP + place * (side + GAP)
            lines = "\n".join(_cut(line, side, font) for line in words.split("\n")[:2])
            draw.multiline_text((left, top), lines, fill="black", font=font, spacing=2)
            canvas.paste(tile, (left, top + TEXT))
        top += height
    return np.asarray(canvas)


def _resized(image: np.ndarray, side: int) -> Image.Image:
    height, width = image.shape[:2]
    smooth = Image.Resampling.BICUBIC if width >= 64 else Image.Resampling.NEAREST
    return Image.fromarray(image).resize((side, max(1, round(side * height / width))), smooth)


def _cut(text: str, width: int, font) -> str:
    """As much of a line as fits."""
    while text and font.getlength(text) > width:
        text = text[:-2].rstrip() + "…"
    return text
