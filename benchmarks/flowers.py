"""Test accuracy on the 17 flowers over random splits: `python -m benchmarks.flowers`.

    python -m benchmarks.flowers mobilenet_v2 googlenet vgg16/fast vgg16/best
    python -m benchmarks.flowers vgg16/published vgg16/published_vgg --seeds 0 1 2
    python -m benchmarks.flowers vgg16/fast --cold --seeds 0   # timed, on an idle machine
    python -m benchmarks.flowers --render

Each split holds out 10 test images of each class, and 10 of the other 70 for validation. A
pretrained network is fine-tuned on each split once for each of several depths; the depth with the
best validation accuracy on that split is chosen, and its test accuracy is reported. A recipe,
`network/recipe`, is trained as it is. Measurements are stored in
`cnnkit/published/measured/flowers.jsonl`, which ships with cnnkit, and are not repeated;
`docs/flowers.md` is made from them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._flowers_table import DEPTHS, RECIPES, chosen, document
from benchmarks._measure import ROOT, machine
from benchmarks.flower_choices import table as choices_table
from cnnkit.settings import get_settings
from cnnkit.training import EpochEnded, FeatureCache, FeaturesCached, Recipe, get_recipe

RESULTS = ROOT / "cnnkit" / "published" / "measured" / "flowers.jsonl"
DOCUMENT = ROOT / "docs" / "flowers.md"
FROM_NOTHING = {"photo_cnn": "published", "compact_photo_cnn": "fast"}
NETWORKS = (*DEPTHS, *RECIPES, *FROM_NOTHING)


def main() -> None:
    """Measure what is asked for and not stored yet, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", help=", ".join(NETWORKS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument(
        "--cold", action="store_true", help="time the chosen depth with an empty feature cache"
    )
    parser.add_argument("--render", action="store_true", help="only write the document")
    options = parser.parse_args()
    for name in options.networks or ([] if options.render else NETWORKS):
        for seed in options.seeds:
            _cold(name, seed) if options.cold else _all_depths(name, seed)
    DOCUMENT.write_text(document(lines(), choices_table()), encoding="utf-8")


def lines() -> list[dict]:
    """All measurements, oldest first."""
    return [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]


def recipes(name: str, seed: int) -> list[Recipe]:
    """The recipes of a split: one for each depth, the fewest trainable layers first."""
    if name in FROM_NOTHING:
        return [get_recipe(name, FROM_NOTHING[name]).replace(split_seed=seed, seed=seed)]
    if name in RECIPES:
        return [get_recipe(*name.split("/")).replace(split_seed=seed, seed=seed)]
    whole = get_recipe(name, "fast").replace(split_seed=seed, seed=seed)
    *first, last = whole.phases
    return [
        whole.replace(phases=(*first, dataclasses.replace(last, train_from=depth)))
        for depth in DEPTHS[name]
    ]


def _all_depths(name: str, seed: int) -> None:
    lacking = [recipe for recipe in recipes(name, seed) if not _known(recipe)]
    if len(lacking) > 1:
        _look_once(name, seed)
    for recipe in lacking:
        _store(_measure(recipe))
        _checkpoint(recipe).unlink()


def _look_once(name: str, seed: int) -> None:
    """Compute the features for all depths in one pass over the images."""
    from cnnkit.training import build_network, recipe_dataset
    from cnnkit.training.feature_extraction import FeatureExtraction

    recipe = get_recipe(name, "fast").replace(split_seed=seed, seed=seed)
    dataset, settings = recipe_dataset(recipe), get_settings()
    network = build_network(recipe, len(dataset.class_names), None)
    cuts = [network.split(depth).cut for depth in ("head", *DEPTHS[name])]
    cache = FeatureCache(settings.features, settings.features_memory)
    layers = [cut for cut in cuts if cut]
    extraction = FeatureExtraction(recipe, network, layers, dataset, cache)
    extraction.compute(lambda event: None, lambda: None)


def _cold(name: str, seed: int) -> None:
    """Time the recipe that was chosen for a split, with an empty feature cache."""
    tried = recipes(name, seed)
    best = chosen(name, seed, lines())["values"] if len(tried) > 1 else tried[0].to_dict()
    recipe = next(one for one in tried if _same(one, best))
    if any(line.get("cold") and _same(recipe, line["values"]) for line in lines()):
        return
    with tempfile.TemporaryDirectory(prefix="cnnkit-cold-") as folder:
        cache = FeatureCache(Path(folder), get_settings().features_memory)
        _store(_measure(recipe, cache) | {"cold": True})
    _checkpoint(recipe).unlink()


def _known(recipe: Recipe) -> bool:
    return any(_same(recipe, line["values"]) for line in lines() if not line.get("cold"))


def _same(recipe: Recipe, values: dict) -> bool:
    return Recipe.from_dict(values).fingerprint() == recipe.fingerprint()


def _store(line: dict) -> None:
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")


def _measure(recipe: Recipe, cache: FeatureCache | None = None) -> dict:
    from cnnkit.training import evaluate, fit, recipe_dataset
    from cnnkit.training.pipeline import read_split

    dataset = recipe_dataset(recipe)
    watch = Watch()
    checkpoint = _checkpoint(recipe)
    result = fit(recipe, watch, dataset=dataset, checkpoint=checkpoint, cache=cache)
    # Of the epochs and not of this process: an interrupted training is resumed.
    seconds = watch.features_seconds + sum(row["seconds"] for row in result.history)
    test = evaluate(result.model, *read_split(dataset, "test"))
    line = {
        "kind": "training",
        "recipe": f"{recipe.model}/{recipe.name}",
        "network": recipe.model,
        "depth": recipe.training_phases[-1].train_from,
        "seed": recipe.seed,
        **test.metrics("test_"),
        "val_accuracy": result.history[-1]["val_accuracy"],
        "val_loss": result.history[-1]["val_loss"],
        "best_val_accuracy": max(row["val_accuracy"] for row in result.history),
        "epochs": result.ended.epoch,
        "reason": result.ended.reason,
        "seconds": seconds,
        "features": watch.features,
        "features_seconds": watch.features_seconds,
        "parameters": result.model.count_params(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    print(line, flush=True)
    return line | {"values": recipe.to_dict()}


def _checkpoint(recipe: Recipe) -> Path:
    return get_settings().home / "flowers" / f"{recipe.fingerprint()}.npz"


class Watch:
    """Prints the progress, and measures how long the features took."""

    def __init__(self):
        """Before the first event."""
        self.features = 0  # images whose features were computed
        self.features_seconds = 0.0
        self._first: tuple[int, float] | None = None

    def __call__(self, event) -> None:
        """Take one event of a training."""
        if isinstance(event, FeaturesCached):
            done, then = self._first = self._first or (event.done, time.monotonic())
            self.features, self.features_seconds = event.done - done, time.monotonic() - then
        elif isinstance(event, EpochEnded):
            row = event.logs
            print(
                f"  epoch {event.epoch}/{event.epochs}: loss {row['loss']:.3f}, validation "
                f"{100 * row['val_accuracy']:.1f} %, {event.seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
