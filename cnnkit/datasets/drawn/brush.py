"""Petals, discs and stems, drawn in a pose."""

from __future__ import annotations

import colorsys
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

Color = tuple[int, int, int]
_STEPS = np.linspace(0, 1, 15)


@dataclass(frozen=True)
class Pose:
    """Where something stands on the image.

    Args:
        x: of its origin, in pixels.
        y: of its origin, in pixels, downwards.
        size: pixels of one unit.
        angle: turned by, in radians, clockwise.
        squash: 0 to 1, how wide it looks across the direction it is seen from.
        lean: direction of the squashing, in radians.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0
    squash: float = 1.0
    lean: float = 0.0

    def at(self, points: np.ndarray) -> np.ndarray:
        """Pixels (n, 2) of points (n, 2) that are given in units, y upwards."""
        return points @ self._matrix() + (self.x, self.y)

    def moved(self, x: float, y: float, *, size: float = 1.0, angle: float = 0.0) -> Pose:
        """The pose of a part whose origin is at (x, y) of this one."""
        place = self.at(np.array([x, y]))
        return Pose(
            float(place[0]),
            float(place[1]),
            self.size * size,
            self.angle + angle,
            self.squash,
            self.lean,
        )

    def _matrix(self) -> np.ndarray:
        """Turned, squashed along `lean`, enlarged, and y downwards as on images."""
        cos, sin = math.cos(self.angle - self.lean), math.sin(self.angle - self.lean)
        along, across = math.cos(self.lean), math.sin(self.lean)
        flat = self.squash
        return self.size * np.array(
            [
                [along * cos - flat * across * sin, -(across * cos + flat * along * sin)],
                [-along * sin - flat * across * cos, across * sin - flat * along * cos],
            ]
        )


class Brush:
    """Draws on an image, with chance from one generator.

    Args:
        draw: of the image.
        rng: for small irregularities.
    """

    def __init__(self, draw: ImageDraw.ImageDraw, rng: np.random.Generator):
        """Hold them."""
        self.draw = draw
        self.rng = rng

    def color(self, hue: float, saturation: float, value: float, spread: float = 1.0) -> Color:
        """A color near the given one; hue in degrees, the others 0 to 1."""
        hue += spread * self.rng.normal(0, 5)
        saturation += spread * self.rng.normal(0, 0.05)
        value += spread * self.rng.normal(0, 0.04)
        red, green, blue = colorsys.hsv_to_rgb(
            (hue % 360) / 360, min(1, max(0, saturation)), min(1, max(0, value))
        )
        return round(255 * red), round(255 * green), round(255 * blue)

    def shape(self, pose: Pose, points: np.ndarray, color: Color) -> None:
        """A filled outline."""
        self.draw.polygon(pose.at(points).ravel().tolist(), fill=color)

    def petal(
        self,
        pose: Pose,
        color: Color,
        *,
        length: float = 1.0,
        width: float = 0.4,
        belly: float = 0.5,
        tip: float = 1.0,
        vein: float = 0.88,
    ) -> None:
        """A petal from the origin upwards, lighter in its middle.

        Args:
            pose: of its foot.
            color: of its rim.
            length: in units.
            width: in units.
            belly: 0 to 1, how far up it is widest.
            tip: below 1 blunt, above 1 pointed.
            vein: of the rim's brightness that the inner part differs by; 1: plain.
        """
        outline = petal_outline(length, width, belly, tip)
        self.shape(pose, outline, shaded(color, vein))
        inner = petal_outline(0.94 * length, 0.72 * width, belly, tip)
        self.shape(pose, inner, color)

    def ring(
        self,
        pose: Pose,
        color: Color,
        count: int,
        *,
        start: float = 0.0,
        foot: float = 0.0,
        wild: float = 0.06,
        length: float = 1.0,
        **petal: float,
    ) -> None:
        """Petals all around.

        Args:
            pose: of the middle.
            color: of the petals; each differs a little.
            count: of petals.
            start: angle of the first, in petals.
            foot: where they begin, in units from the middle.
            wild: how irregular.
            length: of a petal, in units.
            **petal: see `petal`.
        """
        for number in self.rng.permutation(count):
            angle = 2 * np.pi * (number + start + self.rng.normal(0, wild)) / count
            place = pose.moved(-foot * math.sin(angle), foot * math.cos(angle), angle=angle)
            tone = shaded(color, 1 + self.rng.normal(0, 0.5 * wild + 0.02))
            self.petal(place, tone, length=length * (1 + self.rng.normal(0, wild)), **petal)

    def disc(
        self, pose: Pose, color: Color, radius: float, *, waves: int = 0, depth: float = 0.0
    ) -> None:
        """A disc in the plane of the flower, with a wavy rim where asked for."""
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        radii = radius * (1 + depth * np.cos(waves * angle))
        points = np.stack([radii * np.cos(angle), radii * np.sin(angle)], 1)
        self.shape(pose, points, color)

    def dots(
        self, pose: Pose, color: Color, places: np.ndarray, radius: float, spread: float = 0.0
    ) -> None:
        """Round dots at places (n, 2) in units."""
        for x, y in pose.at(places + spread * self.rng.normal(0, 1, places.shape)):
            r = max(0.5, radius * pose.size)
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=color)

    def line(self, pose: Pose, points: np.ndarray, color: Color, width: float) -> None:
        """A line through points (n, 2), `width` in units."""
        pixels = max(1, round(width * pose.size))
        self.draw.line(pose.at(points).ravel().tolist(), fill=color, width=pixels, joint="curve")


def petal_outline(length: float, width: float, belly: float, tip: float) -> np.ndarray:
    """Outline (n, 2) of a petal from (0, 0) to (0, length)."""
    return _unit_outline(belly, tip) * (width, length)


@functools.lru_cache(maxsize=256)
def _unit_outline(belly: float, tip: float) -> np.ndarray:
    bent = _STEPS ** (math.log(0.5) / math.log(belly))
    right = np.stack([np.sin(np.pi * bent) ** tip / 2, _STEPS], 1)
    return np.concatenate([right, right[::-1] * (-1, 1)])


def bell_outline(length: float, width: float, flare: float, teeth: int = 0) -> np.ndarray:
    """Outline (n, 2) of a bell that hangs from (0, 0) to (0, -length).

    Args:
        length: in units.
        width: of its body.
        flare: of its mouth, in widths of the body.
        teeth: of the rim.
    """
    body = width / 2 * np.sqrt(np.sin(np.pi / 2 * np.minimum(1, 1.6 * _STEPS)))
    half = body * (1 + (flare - 1) * _STEPS**4)
    left = np.stack([-half, -length * _STEPS], 1)
    rim = np.linspace(-half[-1], half[-1], 2 * teeth + 1)[1:-1]
    drops = length * (1 + 0.12 * (np.arange(1, 2 * teeth) % 2 * 2 - 1))
    mouth = np.stack([rim, -drops * np.ones_like(rim)], 1) if teeth else np.empty((0, 2))
    return np.concatenate([left, mouth, left[::-1] * (-1, 1)])


def arc(start: Sequence[float], end: Sequence[float], bend: float) -> np.ndarray:
    """A curve (n, 2) between two points, bent sideways by `bend` of their distance."""
    begin, stop = np.asarray(start, float), np.asarray(end, float)
    chord = stop - begin
    aside = np.array([-chord[1], chord[0]]) * bend
    t = _STEPS[:, None]
    return begin + t * chord + 4 * t * (1 - t) * aside


def spiral(count: int, radius: float) -> np.ndarray:
    """Places (count, 2) as of the seeds of a sunflower."""
    number = np.arange(count)
    angle, distance = 2.39996 * number, radius * np.sqrt((number + 0.5) / count)
    return np.stack([distance * np.cos(angle), distance * np.sin(angle)], 1)


def circle(count: int, radius: float) -> np.ndarray:
    """Places (count, 2) on a circle."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1)


def shaded(color: Color, factor: float) -> Color:
    """A darker (below 1) or lighter color."""
    red, green, blue = (min(255, max(0, round(value * factor))) for value in color)
    return red, green, blue
