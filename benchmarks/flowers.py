"""Accuracy on the 17 flowers over divisions at random: `python -m benchmarks.flowers`.

    python -m benchmarks.flowers mobilenet_v2 googlenet
    python -m benchmarks.flowers compact_photo_cnn photo_cnn --seeds 0 1
    python -m benchmarks.flowers --render

Each division holds out 10 test pictures of each class, which nothing looks at before the end,
and 10 of the other 70 for validation, on which all choices were made. What was measured
stands in `docs/flowers.json` and is not measured again; `docs/flowers.md` is made from it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._measure import ROOT, machine
from cnnkit.settings import get_settings
from cnnkit.training import EpochEnded, Recipe, get_recipe
from cnnkit.training.events import FeaturesKept
from cnnkit.training.transfer import TransferRecipe, get_transfer

RESULTS = ROOT / "docs" / "flowers.json"
DOCUMENT = ROOT / "docs" / "flowers.md"
FROM_NOTHING = {"photo_cnn": "published", "compact_photo_cnn": "fast"}
# What somebody else got, or what should be reached: mean accuracy on the test parts.
GOALS = {
    "mobilenet_v2": "at least 96 %",
    "googlenet": "none: reported beside it",
    "compact_photo_cnn": "at least 70 %",
    "photo_cnn": "aidiary: 62.9 % at the end",
}
HEAD = """# 17 flowers

Written by `python -m benchmarks.flowers`. Of the 80 pictures of each class 10 are for the test,
10 for validation and 60 to learn from, divided at random by a seed. The test parts were looked at
once, when a training had ended. How deep to learn (one of three depths) was chosen on validation
parts of three divisions drawn before these, so that some of those pictures are in test parts here.
Pictures are seen once and as they are, without averages over mirrored ones. Divisions share what
the frozen layers of a network make of a picture: the last column tells how many had to go through
them. Seconds are from a machine that others used too, so that they are more than it takes.
"""


def main() -> None:
    """Measure what is asked for and not yet known, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", help=", ".join(GOALS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--render", action="store_true", help="only write the page")
    options = parser.parse_args()
    names = options.networks or ([] if options.render else list(GOALS))
    for name in names:
        for seed in options.seeds:
            recipe = _recipe(name, seed)
            if not any(_same(line, name, recipe) for line in lines()):
                _store(_measure(name, recipe))
                _checkpoint(recipe).unlink()
    DOCUMENT.write_text(document(lines()), encoding="utf-8")


def lines() -> list[dict]:
    """Everything that was measured, oldest first."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []


def _recipe(name: str, seed: int) -> Recipe | TransferRecipe:
    if name in FROM_NOTHING:
        return get_recipe(name, FROM_NOTHING[name]).replace(split_seed=seed, seed=seed)
    return get_transfer(name).replace(split_seed=seed, seed=seed)


def _same(line: dict, name: str, recipe: Recipe | TransferRecipe) -> bool:
    return line["network"] == name and line["recipe"] == recipe.to_dict()


def _store(line: dict) -> None:
    RESULTS.write_text(json.dumps([*lines(), line], indent=1) + "\n", encoding="utf-8")


def _measure(name: str, recipe: Recipe | TransferRecipe) -> dict:
    from cnnkit.training import evaluate, fit, recipe_dataset
    from cnnkit.training.stored import part_of
    from cnnkit.training.transfer import fine_tune, transfer_dataset

    transfer = isinstance(recipe, TransferRecipe)
    dataset = transfer_dataset(recipe) if transfer else recipe_dataset(recipe)
    watch = Watch()
    checkpoint = _checkpoint(recipe)
    train: Callable = fine_tune if transfer else fit
    result = train(recipe, watch, dataset=dataset, checkpoint=checkpoint)
    # Of the epochs and not of this process: a training that was stopped goes on.
    seconds = watch.features_seconds + sum(row["seconds"] for row in result.history)
    test = evaluate(result.model, *part_of(dataset, "test"))
    line = {
        "network": name,
        "seed": recipe.split_seed,
        "recipe": recipe.to_dict(),
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        "test_pictures": len(test.labels),
        "val_accuracy": result.history[-1]["val_accuracy"],
        "epochs": result.ended.epoch,
        "seconds": seconds,
        "features": watch.features,
        "features_seconds": watch.features_seconds,
        "parameters": result.model.count_params(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    print({k: v for k, v in line.items() if k != "recipe"}, flush=True)
    return line


def _checkpoint(recipe: Recipe | TransferRecipe) -> Path:
    return get_settings().home / "flowers" / f"{recipe.fingerprint()}.npz"


class Watch:
    """Says what happens, and how long features took."""

    def __init__(self):
        """Nothing has happened."""
        self.features = 0  # pictures that went through the frozen layers
        self.features_seconds = 0.0
        self._first: tuple[int, float] | None = None

    def __call__(self, event) -> None:
        """Take one event of a training."""
        if isinstance(event, FeaturesKept):
            done, then = self._first = self._first or (event.done, time.monotonic())
            self.features, self.features_seconds = event.done - done, time.monotonic() - then
        elif isinstance(event, EpochEnded):
            row = event.logs
            print(
                f"  epoch {event.epoch}/{event.epochs}: loss {row['loss']:.3f}, validation "
                f"{100 * row['val_accuracy']:.1f} %, {event.seconds:.0f} s",
                flush=True,
            )


def document(measured: list[dict]) -> str:
    """The page: a table of means, and one of every training."""
    newest = {}
    for line in measured:
        newest[line["network"], line["seed"]] = line
    means, each = [], []
    for name in GOALS:
        own = [newest[key] for key in sorted(newest) if key[0] == name]
        if own:
            means.append(_mean_row(name, own))
            each += [_row(line) for line in own]
    machines = dict.fromkeys(note for line in newest.values() for note in line["machine"])
    mean_head = ("Network", "Parameters", "Divisions", "Test accuracy, mean", "Each", "Goal")
    each_head = (
        "Network", "Seed", "Test", "Validation", "Epochs", "Seconds in all", "of these features",
        "pictures through frozen layers",
    )  # fmt: skip
    notes = "\n".join(f"- {note}" for note in machines)
    return f"{HEAD}\n{_table(mean_head, means)}\n\n{_table(each_head, each)}\n\n{notes}\n"


def _mean_row(name: str, own: list[dict]) -> tuple[str, ...]:
    values = [line["test_accuracy"] for line in own]
    return (
        f"`{name}`",
        f"{own[0]['parameters']:,}",
        str(len(own)),
        f"{100 * statistics.mean(values):.2f} %",
        ", ".join(f"{100 * value:.1f}" for value in values),
        GOALS[name],
    )


def _row(line: dict) -> tuple[str, ...]:
    return (
        f"`{line['network']}`",
        str(line["seed"]),
        f"{100 * line['test_accuracy']:.1f} %",
        f"{100 * line['val_accuracy']:.1f} %",
        str(line["epochs"]),
        f"{line['seconds']:.0f}",
        f"{line['features_seconds']:.0f}",
        f"{line['features']:,}",
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
