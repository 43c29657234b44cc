"""What each kind of flower looks like. One function draws one bloom, the origin its middle.

Those seen from above get a stem to their middle; those seen from the side stand upright
and say themselves where their stem goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnnkit.datasets.drawn.brush import (
    Brush,
    Pose,
    arc,
    bell_outline,
    circle,
    petal_outline,
    shaded,
    spiral,
)


@dataclass(frozen=True)
class Kind:
    """A kind of flower."""

    bloom: Callable[[Brush, Pose], None]
    upright: bool = False  # seen from the side
    size: float = 1.0  # of a bloom
    together: int = 2  # blooms on an image, at most
    leaf: float = 0.16  # width of the leaves; 0: none


def _daffodil(brush: Brush, pose: Pose) -> None:
    petals = brush.color(52, 0.55 + 0.3 * brush.rng.random(), 0.97)
    brush.ring(pose, petals, 6, width=0.58, belly=0.55, tip=1.15)
    cup = brush.color(40, 0.9, 0.95)
    brush.disc(pose, shaded(cup, 0.85), 0.46, waves=13, depth=0.07)
    brush.disc(pose, cup, 0.41, waves=13, depth=0.06)
    brush.disc(pose, shaded(cup, 0.7), 0.24)
    brush.dots(pose, brush.color(52, 0.7, 1), circle(5, 0.08), 0.04)


def _snowdrop(brush: Brush, pose: Pose) -> None:
    green = brush.color(95, 0.6, 0.5)
    brush.line(pose, arc((0, 0.62), (0.55, 0.1), -0.4), green, 0.05)
    brush.line(pose, arc((0.55, 0.1), (0.5, -1.6), -0.06), green, 0.07)
    white = brush.color(80, 0.04, 0.96)
    for angle in (0.42, -0.42, 0.0):
        side = pose.moved(0, 0.45, angle=np.pi + angle + brush.rng.normal(0, 0.06))
        brush.petal(side, white, length=1.15, width=0.5, belly=0.62, tip=0.9, vein=0.86)
    brush.shape(pose.moved(0, 0.5), bell_outline(0.28, 0.3, 1.0), green)
    brush.dots(
        pose, shaded(green, 1.3), np.array([[0.0, -0.5], [0.07, -0.44], [-0.07, -0.44]]), 0.06
    )


def _lily_of_the_valley(brush: Brush, pose: Pose) -> None:
    green = brush.color(95, 0.6, 0.5)
    stem = arc((0.25, -1.6), (-0.35, 1.1), 0.16)
    brush.line(pose, stem, green, 0.06)
    white = brush.color(60, 0.05, 0.97)
    count = int(brush.rng.integers(6, 10))
    for number, place in enumerate(stem[np.linspace(6, 14, count).astype(int)]):
        side = 0.26 if number % 2 else -0.22
        hang = pose.moved(place[0] + side, place[1] - 0.1, size=1 - 0.05 * number)
        brush.line(pose, np.array([place, [place[0] + side, place[1] - 0.08]]), green, 0.03)
        bell = bell_outline(0.34, 0.36, 1.1, teeth=3)
        brush.shape(hang, bell * 1.08, shaded(white, 0.8))
        brush.shape(hang, bell, white)


def _bluebell(brush: Brush, pose: Pose) -> None:
    stalk = brush.color(100, 0.4, 0.42)
    stem = arc((0.1, -1.6), (0.35, 1.05), -0.14)
    brush.line(pose, stem, stalk, 0.07)
    blue = brush.color(238, 0.55, 0.82)
    count = int(brush.rng.integers(5, 8))
    for number, place in enumerate(stem[np.linspace(6, 14, count).astype(int)]):
        side = 0.2 + 0.12 * brush.rng.random()
        side = side if number % 3 else -side
        hang = pose.moved(place[0] + side, place[1], size=1 - 0.06 * number, angle=-0.5 * side)
        brush.line(pose, np.array([place, [place[0] + side, place[1] + 0.02]]), stalk, 0.03)
        bell = bell_outline(0.56, 0.27, 1.9, teeth=3)
        brush.shape(hang, bell * 1.06, shaded(blue, 0.72))
        brush.shape(hang, bell, shaded(blue, 1 + 0.05 * brush.rng.normal()))


def _crocus(brush: Brush, pose: Pose) -> None:
    hue, saturation = ((275, 0.5), (280, 0.2), (46, 0.8), (275, 0.07))[
        brush.rng.choice(4, p=(0.55, 0.2, 0.15, 0.1))
    ]
    color = brush.color(hue, saturation, 0.85)
    pale = brush.color(hue, 0.25 * saturation, 0.92)
    brush.line(pose, arc((0, -0.8), (0.03, -2.2), 0.02), pale, 0.2)
    foot = pose.moved(0, -0.85)
    for angle in (0.5, -0.5):
        brush.petal(
            foot.moved(0, 0, angle=angle), shaded(color, 0.84), length=1.6, width=0.62, belly=0.64
        )
    brush.line(foot, np.array([[0, 0.6], [0.04, 1.35]]), brush.color(28, 0.95, 0.95), 0.1)
    for angle in (0.26, -0.26, 0.0):
        brush.petal(
            foot.moved(0, 0, angle=angle), color, length=1.5, width=0.6, belly=0.62, tip=0.95
        )


def _iris(brush: Brush, pose: Pose) -> None:
    hue = float(brush.rng.choice((262, 245, 285), p=(0.6, 0.25, 0.15)))
    color = brush.color(hue, 0.6, 0.75)
    for angle in (0.35, -0.35, 0.0):  # standards
        brush.petal(
            pose.moved(0, 0.05, angle=angle),
            shaded(color, 1.15),
            length=1.05,
            width=0.5,
            belly=0.7,
            tip=0.8,
        )
    for angle in (2.05, -2.05, np.pi):  # falls
        fall = pose.moved(0, 0.1, angle=angle + brush.rng.normal(0, 0.08))
        brush.petal(fall, color, length=1.15, width=0.66, belly=0.72, tip=0.75)
        brush.petal(fall, brush.color(50, 0.85, 0.95), length=0.6, width=0.16, vein=1.0)
        for side in (-0.12, 0.0, 0.12):
            brush.line(fall, np.array([[side, 0.6], [1.5 * side, 0.88]]), shaded(color, 0.6), 0.02)


def _tigerlily(brush: Brush, pose: Pose) -> None:
    color = brush.color(22, 0.85, 0.95)
    start = brush.rng.random()
    brush.ring(pose, color, 6, start=start, width=0.42, belly=0.5, tip=1.5, vein=0.8)
    spots = circle(6, 1.0)
    for angle in 2 * np.pi * (np.arange(6) + start) / 6:
        places = brush.rng.normal(0, (0.06, 0.11), (6, 2)) + (0, 0.42)
        brush.dots(pose.moved(0, 0, angle=angle), brush.color(10, 0.8, 0.25), places, 0.028)
    for x, y in spots * (0.55 + 0.1 * brush.rng.random()):
        brush.line(pose, arc((0, 0), (x, y), 0.1), brush.color(60, 0.4, 0.85), 0.03)
        brush.dots(pose, brush.color(14, 0.8, 0.35), np.array([[x, y]]), 0.065)


def _tulip(brush: Brush, pose: Pose) -> None:
    hue = float(brush.rng.choice((355, 335, 50, 12, 290), p=(0.35, 0.2, 0.2, 0.15, 0.1)))
    color = brush.color(hue, 0.8, 0.88)
    brush.line(pose, arc((0, -0.7), (0.05, -1.8), 0.05), brush.color(100, 0.5, 0.5), 0.11)
    foot = pose.moved(0, -0.8)
    for angle in (0.3, -0.3):
        brush.petal(
            foot.moved(0, 0, angle=angle), shaded(color, 0.78), length=1.55, width=0.85, belly=0.42
        )
    brush.petal(foot, shaded(color, 0.9), length=1.5, width=0.9, belly=0.4, tip=0.9)
    for angle, shift in ((0.22, -0.22), (-0.22, 0.22)):
        brush.petal(
            foot.moved(shift, 0.02, angle=angle),
            color,
            length=1.5,
            width=0.72,
            belly=0.38,
            tip=0.9,
        )


def _fritillary(brush: Brush, pose: Pose) -> None:
    green = brush.color(100, 0.35, 0.45)
    brush.line(pose, arc((0, 0.75), (0.5, 0.2), -0.5), green, 0.06)
    brush.line(pose, arc((0.5, 0.2), (0.45, -1.7), 0.03), green, 0.07)
    dark = brush.rng.random() < 0.75
    color = brush.color(325, 0.55, 0.5) if dark else brush.color(60, 0.08, 0.93)
    square = brush.color(320, 0.25, 0.8) if dark else brush.color(100, 0.15, 0.8)
    bell = bell_outline(1.5, 1.25, 0.92, teeth=3)
    place = pose.moved(0, 0.75)
    brush.shape(place, bell * (1.05, 1.03), shaded(color, 0.7))
    brush.shape(place, bell, color)
    for row in range(7):
        for column in range(-3, 4):
            if (row + column) % 2:
                continue
            x, y = 0.165 * column, -0.22 - 0.17 * row
            corners = np.array([[x, y], [x + 0.14, y], [x + 0.14, y - 0.14], [x, y - 0.14]])
            if row > 0 or abs(column) < 2:
                brush.shape(place, corners, square)
    for x in (-0.2, 0.2):
        brush.line(place, arc((0, 0), (1.2 * x, -1.4), x), shaded(color, 0.75), 0.03)


def _sunflower(brush: Brush, pose: Pose) -> None:
    color = brush.color(46, 0.9, 0.96)
    count = int(brush.rng.integers(18, 26))
    brush.ring(pose, shaded(color, 0.85), count, start=0.5, width=0.24, belly=0.45, tip=1.2)
    brush.ring(pose, color, count, length=0.95, width=0.22, belly=0.45, tip=1.2)
    brown = brush.color(24, 0.7, 0.28)
    brush.disc(pose, brown, 0.5)
    brush.dots(pose, shaded(brown, 1.7), spiral(70, 0.46), 0.022)
    brush.disc(pose, shaded(brown, 0.7), 0.2)


def _daisy(brush: Brush, pose: Pose) -> None:
    white = brush.color(300 if brush.rng.random() < 0.3 else 60, 0.05, 0.97)
    count = int(brush.rng.integers(18, 30))
    brush.ring(pose, white, count, width=0.19, belly=0.65, tip=0.6, vein=0.85)
    yellow = brush.color(48, 0.85, 0.93)
    brush.disc(pose, shaded(yellow, 0.8), 0.29)
    brush.disc(pose, yellow, 0.25)
    brush.dots(pose, shaded(yellow, 0.8), spiral(24, 0.21), 0.02)


def _coltsfoot(brush: Brush, pose: Pose) -> None:
    color = brush.color(51, 0.88, 0.95)
    for length in (1.0, 0.88):
        brush.ring(pose, color, 46, length=length, width=0.07, belly=0.7, tip=0.6, wild=0.14)
    middle = brush.color(44, 0.9, 0.88)
    brush.disc(pose, middle, 0.36)
    brush.dots(pose, shaded(middle, 0.75), spiral(30, 0.32), 0.025)
    brush.dots(pose, shaded(middle, 1.2), spiral(16, 0.3), 0.03)


def _dandelion(brush: Brush, pose: Pose) -> None:
    color = brush.color(50, 0.9, 0.95)
    for length, tone in ((1.0, 0.86), (0.82, 0.93), (0.62, 1.0), (0.42, 0.95), (0.22, 0.88)):
        brush.ring(
            pose,
            shaded(color, tone),
            int(16 + 22 * length),
            length=length,
            width=0.13,
            belly=0.75,
            tip=0.5,
            wild=0.25,
            vein=0.78,
        )


def _cowslip(brush: Brush, pose: Pose) -> None:
    green = brush.color(85, 0.45, 0.62)
    brush.line(pose, arc((0, 0.35), (0.1, -1.8), 0.05), green, 0.1)
    yellow = brush.color(50, 0.75, 0.96)
    for angle in np.linspace(-2.0, 2.0, int(brush.rng.integers(6, 10))):
        angle += brush.rng.normal(0, 0.12)
        tube = pose.moved(0, 0.3, angle=angle)
        brush.petal(tube, shaded(green, 1.25), length=0.75, width=0.26, belly=0.6, tip=0.7)
        head = tube.moved(0, 0.78, size=0.34)
        brush.ring(head, yellow, 5, width=0.9, belly=0.6, tip=0.7)
        brush.dots(head, brush.color(30, 0.9, 0.9), circle(5, 0.25), 0.12)


def _buttercup(brush: Brush, pose: Pose) -> None:
    color = brush.color(52, 0.95, 0.97)
    brush.ring(pose, color, 5, width=1.05, belly=0.66, tip=0.55, vein=0.82)
    for angle in 2 * np.pi * np.arange(5) / 5:
        shine = pose.moved(-0.45 * np.sin(angle), 0.45 * np.cos(angle), angle=angle)
        brush.shape(shine, petal_outline(0.3, 0.16, 0.6, 0.7), shaded(color, 1.25))
    brush.dots(pose, shaded(color, 0.75), circle(18, 0.3), 0.045, spread=0.03)
    brush.disc(pose, brush.color(70, 0.75, 0.7), 0.17)


def _windflower(brush: Brush, pose: Pose) -> None:
    hue, saturation = ((230, 0.45), (330, 0.3), (60, 0.03))[brush.rng.integers(3)]
    color = brush.color(hue, saturation, 0.93)
    count = int(brush.rng.integers(6, 10))
    brush.ring(pose, color, count, width=0.5, belly=0.55, tip=0.75, vein=0.85)
    brush.disc(pose, shaded(color, 1.15), 0.38)
    brush.dots(pose, brush.color(55, 0.3, 0.9), circle(22, 0.28), 0.035, spread=0.03)
    brush.disc(pose, brush.color(80, 0.5, 0.45), 0.17)


def _pansy(brush: Brush, pose: Pose) -> None:
    hue = float(brush.rng.choice((270, 290, 48, 225), p=(0.4, 0.2, 0.2, 0.2)))
    back, front = brush.color(hue, 0.75, 0.5), brush.color(hue, 0.55, 0.8)
    if brush.rng.random() < 0.4:
        front = brush.color(48, 0.8, 0.95)
    shape = {"width": 0.95, "belly": 0.68, "tip": 0.5}
    for angle in (0.5, -0.5):
        brush.petal(pose.moved(0, 0, angle=angle), back, length=1.0, **shape)
    for angle in (1.75, -1.75):
        brush.petal(pose.moved(0, 0, angle=angle), front, length=0.92, **shape)
    brush.petal(
        pose.moved(0, 0.05, angle=np.pi), front, length=1.02, width=1.15, belly=0.7, tip=0.5
    )
    face = brush.color(280, 0.7, 0.2)
    for angle in (1.6, -1.6, np.pi, np.pi - 0.35, np.pi + 0.35):
        brush.petal(pose.moved(0, 0, angle=angle), face, length=0.55, width=0.2, belly=0.6)
    brush.disc(pose, brush.color(48, 0.9, 0.95), 0.1)


# By the names and in the order of the 17 flowers that were photographed.
KINDS = {
    "Daffodil": Kind(_daffodil),
    "Snowdrop": Kind(_snowdrop, upright=True, together=3, size=0.8, leaf=0.07),
    "LilyValley": Kind(_lily_of_the_valley, upright=True, leaf=0.4),
    "Bluebell": Kind(_bluebell, upright=True, together=3, leaf=0.08),
    "Crocus": Kind(_crocus, upright=True, together=4, size=0.8, leaf=0.05),
    "Iris": Kind(_iris, size=1.1, leaf=0.14),
    "Tigerlily": Kind(_tigerlily, size=1.05),
    "Tulip": Kind(_tulip, upright=True, together=4, size=0.85, leaf=0.3),
    "Fritillary": Kind(_fritillary, upright=True, size=0.9, leaf=0.05),
    "Sunflower": Kind(_sunflower, size=1.1, leaf=0.5),
    "Daisy": Kind(_daisy, together=4, size=0.9, leaf=0.08),
    "ColtsFoot": Kind(_coltsfoot, together=3, size=0.85, leaf=0),
    "Dandelion": Kind(_dandelion, together=3, size=0.9, leaf=0.14),
    "Cowslip": Kind(_cowslip, upright=True, together=3, size=0.95, leaf=0.25),
    "Buttercup": Kind(_buttercup, together=4, size=0.8, leaf=0.1),
    "Windflower": Kind(_windflower, together=3, size=0.9, leaf=0.1),
    "Pansy": Kind(_pansy, together=3, leaf=0.2),
}
