"""An image of a flower: a meadow, stems and leaves, blooms, and the light of the day."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cnnkit.datasets._store import VERSION, Card, Entry, ImageStore
from cnnkit.datasets._types import Progress, nothing
from cnnkit.datasets.drawn.brush import Brush, Pose, arc, shaded
from cnnkit.datasets.drawn.kinds import KINDS, Kind

FLOWERS = tuple(KINDS)
PER_CLASS = 40
OVERSAMPLING = 2  # pixels drawn for one that is kept, both ways: Pillow's edges are hard
SOURCE = "drawn by this program"

# Hue, saturation and value of the upper and the lower edge of a background.
_GROUNDS = (
    ((205, 0.35, 0.85), (100, 0.45, 0.45)),  # sky and grass
    ((95, 0.5, 0.42), (105, 0.6, 0.22)),  # deep grass
    ((130, 0.35, 0.22), (120, 0.4, 0.1)),  # shade
    ((32, 0.45, 0.4), (25, 0.5, 0.25)),  # soil
    ((70, 0.25, 0.75), (85, 0.35, 0.5)),  # a dry meadow
    ((215, 0.12, 0.75), (40, 0.15, 0.6)),  # a wall and gravel
)


def stored(
    store: ImageStore,
    *,
    per_class: int = PER_CLASS,
    side: int = 256,
    progress: Progress = nothing,
) -> Entry:
    """The images class by class, drawn the first time.

    Args:
        store: where they are kept.
        per_class: images of each class; more of them begin with the same ones.
        side: pixels, both ways.
        progress: called with the images so far and in all.

    Raises:
        LimitError: there is no room.
    """
    total = per_class * len(FLOWERS)

    def make() -> Entry:
        with store.writing(total, side) as writer:
            for name in FLOWERS:
                for number in range(per_class):
                    writer.add(draw_flower(name, number, side=side))
                    progress(len(writer.digests), total)
            return writer.keep(
                key,
                lambda fingerprint: Card(
                    title="Drawn flowers",
                    class_names=FLOWERS,
                    counts=(per_class,) * len(FLOWERS),
                    side=side,
                    source=SOURCE,
                    license=SOURCE,
                    fingerprint=fingerprint,
                    derived=True,
                ),
                labels=np.repeat(np.arange(len(FLOWERS)), per_class).tolist(),
                names=[f"{name} {n}" for name in FLOWERS for n in range(1, per_class + 1)],
            )

    key = f"drawn-{per_class}x{side}-{VERSION}"
    return store.get_or_make(key, make)


def parts(per_class: int) -> tuple[int, int]:
    """Images of each class for the test and for validation, of so many."""
    return max(1, per_class // 5), max(1, round(0.15 * per_class))


def draw_flower(name: str, number: int, *, side: int = 256, seed: int = 0) -> np.ndarray:
    """One image. The same arguments draw the same one, at any size.

    Args:
        name: of `FLOWERS`.
        number: which of them, from 0.
        side: pixels, both ways.
        seed: of all of them.

    Returns:
        uint8 (side, side, 3), RGB.
    """
    kind = KINDS[name]
    rng = np.random.default_rng([seed, FLOWERS.index(name), number])
    size = OVERSAMPLING * side
    image = _ground(rng, size)
    brush = Brush(ImageDraw.Draw(image), rng)
    for _ in range(int(rng.integers(0, 4))):
        _blade(brush, size)
    poses = _poses(rng, kind, size)
    for pose in poses:
        _greenery(brush, kind, pose, size)
    for pose in poses:
        kind.bloom(brush, pose)
    for _ in range(int(rng.integers(0, 3))):  # grass before it
        _blade(brush, size)
    return _photographed(rng, image.reduce(OVERSAMPLING))


def _ground(rng: np.random.Generator, size: int) -> Image.Image:
    """Out of focus: two colors and blobs of others, some of them like petals."""
    small = 64
    top, bottom = _GROUNDS[rng.integers(len(_GROUNDS))]
    image = Image.new("RGB", (small, small))
    brush = Brush(ImageDraw.Draw(image), rng)
    first, last = np.array(brush.color(*top, 2)), np.array(brush.color(*bottom, 2))
    rise = np.linspace(0, 1, small)[:, None, None]
    shades = np.broadcast_to((1 - rise) * first + rise * last, (small, small, 3))
    image.paste(Image.fromarray(np.uint8(shades)))
    for _ in range(int(rng.integers(8, 26))):
        x, y = rng.uniform(0, small, 2)
        wide, high = rng.uniform(2, 12, 2)
        hue = rng.choice((100, 100, 100, 50, 60, 280, 340, 30))
        color = brush.color(hue, rng.uniform(0.05, 0.7), rng.uniform(0.15, 0.9))
        brush.draw.ellipse((x - wide, y - high, x + wide, y + high), fill=color)
    blurred = image.filter(ImageFilter.GaussianBlur(rng.uniform(1.0, 4.0)))
    return blurred.resize((size, size), Image.Resampling.BILINEAR)


def _blade(brush: Brush, size: int) -> None:
    x, height = brush.rng.uniform(0, size), brush.rng.uniform(0.3, 0.95)
    pose = Pose(x, size, size * height, angle=brush.rng.normal(0, 0.25))
    color = brush.color(brush.rng.uniform(80, 120), 0.5, brush.rng.uniform(0.25, 0.6))
    brush.petal(pose, color, width=brush.rng.uniform(0.03, 0.08), belly=0.25, tip=1.2)


def _poses(rng: np.random.Generator, kind: Kind, size: int) -> list[Pose]:
    """Where the blooms are, the farthest first; one alone may fill the image."""
    count = int(rng.integers(1, kind.together + 1))
    reach = kind.size * size * rng.uniform(0.24, 0.4) / (1 + 0.32 * (count - 1))
    poses = []
    for number in range(count):
        angle = 2 * np.pi * (number / count + rng.random() / count)
        apart = 0.0 if count == 1 else 0.24 + 0.03 * count
        x = 0.5 + apart * np.cos(angle) + rng.normal(0, 0.05)
        y = (0.42 if kind.upright else 0.47) + 0.6 * apart * np.sin(angle) + rng.normal(0, 0.05)
        turn = rng.normal(0, 0.16) if kind.upright else rng.normal(0, 0.5)
        squash = rng.uniform(0.85, 1) if kind.upright else rng.uniform(0.5, 1)
        lean = 0.0 if kind.upright else rng.uniform(0, np.pi)
        scale = reach * rng.uniform(0.8, 1.1)
        poses.append(Pose(x * size, y * size, scale, turn, squash, lean))
    return sorted(poses, key=lambda pose: pose.y)


def _greenery(brush: Brush, kind: Kind, pose: Pose, size: int) -> None:
    """The stem down to the lower edge, and leaves from there."""
    green = brush.color(105, 0.55, 0.4)
    foot = (pose.x + brush.rng.normal(0, 0.06) * size, 1.05 * size)
    flat = Pose(0, 0, 1)
    if not kind.upright:
        stem = arc((pose.x, -pose.y), (foot[0], -foot[1]), brush.rng.normal(0, 0.08))
        reddish = brush.color(20, 0.4, 0.5) if kind.leaf == 0 else green
        brush.line(flat, stem, reddish, 0.09 * pose.size * (1.6 if kind.leaf == 0 else 1))
    for _ in range(int(brush.rng.integers(1, 5)) if kind.leaf else 0):
        leaf = Pose(foot[0], size * brush.rng.uniform(0.9, 1.1), 1.0, brush.rng.normal(0, 0.5))
        length = size * brush.rng.uniform(0.35, 0.75)
        tone = shaded(green, brush.rng.uniform(0.7, 1.3))
        brush.petal(leaf, tone, length=length, width=kind.leaf * length, belly=0.45, tip=1.1)


def _photographed(rng: np.random.Generator, image: Image.Image) -> np.ndarray:
    """Light, warmth, softness and grain as cameras give."""
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, image.width / 180)))
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    values = np.asarray(image, np.float32)
    warmth = np.array([1 + rng.normal(0, 0.06), 1, 1 - rng.normal(0, 0.06)], np.float32)
    contrast, light = rng.uniform(0.75, 1.15), rng.normal(0, 14)
    values = (values - 118) * np.float32(contrast) * warmth + np.float32(118 + light)
    grain = rng.standard_normal((*values.shape[:2], 1), np.float32)
    values += np.float32(rng.uniform(1, 7)) * grain
    return np.clip(values, 0, 255).astype(np.uint8)
