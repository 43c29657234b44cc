"""DeepDream on VGG16 with its published weights, for docs/dreams.md.

    python -m benchmarks.dreams

From a landscape that is drawn here and from noise. Dreams that are there already are kept;
`--again` makes them anew.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks._measure import ROOT, machine
from cnnkit.networks import WITHOUT_TOP, NetworkRef
from cnnkit.visualize.deepdream import dream
from cnnkit.visualize.deepdream_presets import PRESETS
from cnnkit.visualize.fooling import to_8bit
from cnnkit.visualize.optimize import last_of

HEIGHT, WIDTH = 288, 384  # pixels
NAMES = ("dreamy", "bad_trip", "vgg16")  # presets
STARTS = {"drawing": "a drawn landscape", "noise": "noise"}
RESULTS = ROOT / "docs" / "dreams.json"
DOCUMENT = ROOT / "docs" / "dreams.md"
QUALITY = 85  # of JPEG
FINER = 4  # times, at which the landscape is drawn


def drawn_landscape(height: int, width: int) -> np.ndarray:
    """Sky with a sun and clouds, hills, a meadow and trees; the same each time.

    Returns:
        uint8 (height, width, 3).
    """
    tall, wide = FINER * height, FINER * width
    draw = np.random.default_rng(0)
    down = np.linspace(0, 1, tall)[:, None, None]
    sky = (1 - down) * np.array([70.0, 130.0, 210.0]) + down * np.array([250.0, 215.0, 170.0])
    image = Image.fromarray(np.broadcast_to(sky, (tall, wide, 3)).round().astype(np.uint8))
    pen = ImageDraw.Draw(image)
    _disk(pen, 0.78 * wide, 0.2 * tall, 0.08 * tall, (255, 240, 180))
    for _ in range(4):
        x, y = draw.uniform(0, 0.7) * wide, draw.uniform(0.08, 0.35) * tall
        for _ in range(9):
            place = x + draw.normal() * 0.06 * wide, y + draw.normal() * 0.015 * tall
            _disk(pen, *place, draw.uniform(0.02, 0.045) * tall, (244, 246, 250))
    hills = (((70, 95, 130), 0.5), ((60, 110, 90), 0.62), ((90, 140, 60), 0.75))
    for color, level in hills:
        pen.polygon([(0, tall), *_ridge(draw, level * tall, tall, wide), (wide, tall)], color)
    for _ in range(16):
        x, foot = draw.uniform(0, 1) * wide, draw.uniform(0.8, 0.97) * tall
        size = 0.1 * foot * foot / tall
        pen.rectangle((x - size / 12, foot - size / 2, x + size / 12, foot), (90, 60, 40))
        _disk(pen, x, foot - size, 0.55 * size, (40, int(draw.uniform(80, 120)), 45))
    smooth = image.filter(ImageFilter.GaussianBlur(FINER))
    return np.asarray(smooth.resize((width, height), Image.Resampling.LANCZOS))


def noise_image(height: int, width: int) -> np.ndarray:
    """Noise around gray as the post begins its filters with: uint8 (height, width, 3)."""
    values = np.random.default_rng(0).uniform(118, 138, (height, width, 3))
    return values.round().astype(np.uint8)


def _disk(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, color: tuple) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), color)


def _ridge(
    draw: np.random.Generator, level: float, tall: int, wide: int
) -> list[tuple[float, float]]:
    """The line of a hill: a few waves of chance phases."""
    x = np.linspace(0, 1, 60)
    waves = sum(np.sin(2 * np.pi * (n * x + draw.uniform())) / n for n in (1, 2, 3, 5))
    return [*zip(x * wide, level + 0.05 * tall * waves, strict=True)]


def make(again: bool) -> None:
    """Dream what lacks; the document is written after each dream."""
    found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() and not again else {}
    rows: dict[str, Any] = found.get("rows", {})
    model = NetworkRef(WITHOUT_TOP, "vgg16").open().model
    images = {"drawing": drawn_landscape(HEIGHT, WIDTH), "noise": noise_image(HEIGHT, WIDTH)}
    for start, image in images.items():
        save_image(image, f"dream-{start}.jpg")
        for name in NAMES:
            key = f"{name}-{start}"
            if key in rows:
                continue
            began = time.perf_counter()
            last = last_of(dream(model, image.astype(np.float32), PRESETS[name].dream))
            seconds = round(time.perf_counter() - began, 1)
            save_image(to_8bit(last.image), f"dream-{key}.jpg")
            terms = {term: float(f"{value:.4g}") for term, value in last.terms.items()}
            rows[key] = {"seconds": seconds, "value": float(f"{last.value:.4g}"), "terms": terms}
            print(key, rows[key], flush=True)
            values = {"machine": "; ".join(machine()), "rows": rows}
            RESULTS.write_text(json.dumps(values, indent=1) + "\n", "utf-8")
            DOCUMENT.write_text(document(values), "utf-8")


def save_image(image: np.ndarray, name: str) -> None:
    """Write an image of the document: uint8 (height, width, 3)."""
    Image.fromarray(image).save(ROOT / "docs" / "images" / name, quality=QUALITY)


def document(results: Mapping[str, Any]) -> str:
    """The file as it is committed."""
    lines = [
        "# DeepDream on VGG16",
        "",
        "Written by `python -m benchmarks.dreams`. VGG16 without top, with its published weights.",
        f"Images are {WIDTH}×{HEIGHT} pixels; the post's are 600×600.",
        "",
        "| preset | layers and weights | optimizer | octaves | rounds | TV | L2 | jitter |",
        f"|{' --- |' * 8}",
    ]
    for name in NAMES:
        plan = PRESETS[name].dream
        layers = ", ".join(f"{layer} {weight:g}" for layer, weight in plan.layers.items())
        cells = (PRESETS[name].title, layers, plan.optimizer, plan.octaves, plan.steps)
        cells += (plan.continuity, plan.l2, plan.jitter)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    for start, title in STARTS.items():
        lines += ["", f"## From {title}", "", f"![{title}](images/dream-{start}.jpg)"]
        for name in NAMES:
            row = results["rows"].get(f"{name}-{start}")
            if row is None:
                continue
            terms = ", ".join(f"{term} {value:,g}" for term, value in row["terms"].items())
            preset = PRESETS[name].title
            lines += [
                "",
                f"**{preset}**, {row['seconds']:.0f} s: {terms}",
                "",
                f"![DeepDream with {preset} from {title}](images/dream-{name}-{start}.jpg)",
            ]
    return "\n".join([*lines, "", f"{results['machine']}."]) + "\n"


def main() -> None:
    """Dream."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true")
    make(parser.parse_args().again)


if __name__ == "__main__":
    main()
