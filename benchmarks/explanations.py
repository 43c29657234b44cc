"""How far explanations can be trusted, for docs/explain.md: `python -m benchmarks.explanations`.

    python -m benchmarks.explanations mobilenet_v2 googlenet vgg16_flowers
    python -m benchmarks.explanations --grid     # draw the maps of one photo
    python -m benchmarks.explanations --render   # only write the document

On photos with real weights: deletion and insertion areas of each method, the weight-randomization
test, sensitivity to noise, agreement between methods, and the completeness gap of integrated
gradients. Measurements are stored in `cnnkit/published/measured/explanations.jsonl` and are not
repeated; `docs/explain.md` is made from them. VGG16 for flowers is trained once with its fast
recipe and kept in `CNNKIT_HOME`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import keras
import numpy as np
from PIL import Image

from benchmarks._explanations_table import COPIES, RANDOM, RESULTS, document, lines
from benchmarks._measure import ROOT, machine
from cnnkit import explain
from cnnkit.figures import attribution
from cnnkit.image_io import decode_image
from cnnkit.models import open_pretrained
from cnnkit.predict import example_photos, prepare
from cnnkit.settings import get_settings

DOCUMENT = ROOT / "docs" / "explain.md"
GRID = ROOT / "docs" / "images" / "explanations.jpg"
COLUMNS, SIDE, STRENGTH, QUALITY = 5, 176, 0.7, 85  # of the grid
IN_THE_GRID = {"score_cam": {"channels": 128}}
NETWORKS = ("mobilenet_v2", "googlenet", "vgg16_flowers")
FLOWERS = 4  # test images that VGG16 explains
TESTED = 2  # images of the randomization test, and of sensitivity
STAGES = 4  # of the randomization test
STEPS = 12  # of deletion and insertion
IG_STEPS = (16, 64, 128)
CHEAP = {  # fewer samples than the defaults
    "smoothgrad": {"samples": 16},
    "vargrad": {"samples": 16},
    "integrated_gradients": {"steps": 64},
    "score_cam": {"channels": 32},
    "rise": {"masks": 128},
}


@dataclass(frozen=True, eq=False)
class Asked:
    """A network, and images whose predicted classes are explained."""

    name: str
    model: Any
    images: np.ndarray  # float32 (images, height, width, 3), 0 to 255

    def options(self, method: str) -> dict[str, Any]:
        """Of a method, with squares of a fifth of the side."""
        patch = self.images.shape[1] // 5
        squares = {"occlusion": {"patch": patch, "stride": patch // 2}}
        return (CHEAP | squares).get(method, {})

    def maps(self, method: str) -> tuple[np.ndarray, float]:
        """The maps of a method and the seconds they took, computed once."""
        path = get_settings().home / "explanations" / f"{self.name}-{method}.npz"
        if not path.exists():
            began = time.perf_counter()
            maps = (
                explain.random_maps(self.images)
                if method == RANDOM
                else explain.get_method(method)(self.model, self.images, **self.options(method))
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, maps=maps, seconds=time.perf_counter() - began)
        with np.load(path) as found:
            return found["maps"], float(found["seconds"])


def main() -> None:
    """Measure what is asked for and not stored yet, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", help=", ".join(NETWORKS))
    parser.add_argument("--grid", action="store_true", help="only draw the maps of one photo")
    parser.add_argument("--render", action="store_true", help="only write the document")
    options = parser.parse_args()
    if options.grid:
        draw_grid()
    for name in options.networks or ([] if options.render or options.grid else NETWORKS):
        measure(asked(name))
    DOCUMENT.write_text(document(lines()), encoding="utf-8")


def asked(name: str) -> Asked:
    """A network and its images: photos, or test images of flowers."""
    if name == "vgg16_flowers":
        return Asked(name, *flowers())
    opened = open_pretrained(name)
    folder = get_settings().data_dir / "photos"
    paths = [p for p in example_photos(get_settings().data_dir).values() if p.parent == folder]
    photos = [prepare(decode_image(p.read_bytes()), opened.card.input_shape) for p in sorted(paths)]
    return Asked(name, opened.model, np.float32(photos))


def flowers() -> tuple[keras.Model, np.ndarray]:
    """VGG16 trained with its fast recipe, and test images of its split."""
    from cnnkit.training import FeatureCache, fit, get_recipe, recipe_dataset
    from cnnkit.training.pipeline import read_split

    recipe, settings = get_recipe("vgg16", "fast"), get_settings()
    dataset = recipe_dataset(recipe)
    path = settings.home / "explanations" / f"{recipe.fingerprint()}.keras"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        cache = FeatureCache(settings.features, settings.features_memory)
        checkpoint = path.with_suffix(".npz")
        fit(recipe, print, dataset=dataset, checkpoint=checkpoint, cache=cache).model.save(path)
    images, _ = read_split(dataset, "test")
    places = np.linspace(0, len(images) - 1, FLOWERS).astype(int)
    shape = (recipe.size, recipe.size, 3)
    chosen = [prepare(np.asarray(images[place]), shape) for place in places]
    return keras.models.load_model(path), np.float32(chosen)


def measure(asked: Asked) -> None:
    """Measure what is not stored yet; each finding is stored at once."""
    for method in (RANDOM, *explain.list_methods()):
        _once(asked, "areas", method, lambda m=method: _areas(asked, m))
    for steps in IG_STEPS:
        _once(asked, "completeness", str(steps), lambda n=steps: _completeness(asked, n))
    for method in explain.list_methods():
        _once(asked, "randomization", method, lambda m=method: _randomization(asked, m))
        _once(asked, "sensitivity", method, lambda m=method: _sensitivity(asked, m))
    _once(asked, "agreement", "all", lambda: _agreement(asked))


def draw_grid() -> None:
    """The maps of all methods for one photo that scikit-learn ships."""
    opened = open_pretrained("mobilenet_v2")
    photo = decode_image(example_photos(None)["china"].read_bytes())
    image = np.asarray(prepare(photo, opened.card.input_shape))
    batch = np.float32(image)[np.newaxis]
    answer = opened.card.class_names[int(opened.logits(batch)[0].argmax())]
    tiles = [(f"{answer}\nMobileNetV2", np.uint8(image))]
    for name in explain.list_methods():
        method = explain.get_method(name)
        options = IN_THE_GRID.get(name, {})
        map_ = method(opened.model, batch, **options)[0]
        over = attribution.overlay(image, map_, signed=method.signed, strength=STRENGTH)
        tiles.append((f"{method.title}\n{method.reference}", over))
    rows = [tiles[start : start + COLUMNS] for start in range(0, len(tiles), COLUMNS)]
    grid = attribution.labeled_grid(rows, side=SIDE)
    Image.fromarray(grid).save(GRID, quality=QUALITY)


def _areas(asked: Asked, method: str) -> dict[str, Any]:
    maps, seconds = asked.maps(method)
    curves = (
        one(asked.model, asked.images, maps, steps=STEPS)
        for one in (explain.deletion, explain.insertion)
    )
    deleted, inserted = (_rounded(curve.areas) for curve in curves)
    return {"deletion": deleted, "insertion": inserted, "seconds": round(seconds, 1)}


def _completeness(asked: Asked, steps: int) -> dict[str, Any]:
    maps = (
        asked.maps("integrated_gradients")[0]
        if steps == CHEAP["integrated_gradients"]["steps"]
        else explain.integrated_gradients(asked.model, asked.images, steps=steps)
    )
    return {"gaps": _rounded(explain.completeness_gap(asked.model, asked.images, maps))}


def _randomization(asked: Asked, method: str) -> dict[str, Any]:
    maps, _ = asked.maps(method)
    test = explain.weight_randomization(
        method,
        asked.model,
        asked.images[:TESTED],
        maps=maps[:TESTED],
        stages=STAGES,
        options=asked.options(method),
    )
    return {
        "layers": [len(stage) for stage in test.layers],
        "correlations": [_rounded(one) for one in test.correlations],
        "similarities": [_rounded(one) for one in test.similarities],
        "upper": _rounded(explain.upper_correlation(test)),
        "depends": explain.depends_on_weights(test).tolist(),
    }


def _sensitivity(asked: Asked, method: str) -> dict[str, Any]:
    changes = explain.max_sensitivity(
        method,
        asked.model,
        asked.images[:TESTED],
        maps=asked.maps(method)[0][:TESTED],
        samples=COPIES,
        options=asked.options(method),
    )
    return {"changes": _rounded(changes)}


def _agreement(asked: Asked) -> dict[str, Any]:
    maps = {method: asked.maps(method)[0] for method in (*explain.list_methods(), RANDOM)}
    found = explain.agreement(maps)
    return {
        "names": found.names,
        "correlations": [_rounded(row) for row in found.correlations],
        "overlaps": [_rounded(row) for row in found.overlaps],
    }


def _once(asked: Asked, kind: str, what: str, compute: Callable[[], dict[str, Any]]) -> None:
    """Compute and store a finding that is not there yet."""
    known = {(one["network"], one["kind"], one["what"]) for one in lines()}
    if (asked.name, kind, what) in known:
        return
    line = {
        "kind": kind,
        "network": asked.name,
        "what": what,
        "images": len(asked.images),
        "options": asked.options(what),
        **compute(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
    print(asked.name, kind, what, flush=True)


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


if __name__ == "__main__":
    main()
