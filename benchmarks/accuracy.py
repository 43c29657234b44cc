"""What the recipes that ship reach, over seeds: `python -m benchmarks.accuracy`.

    python -m benchmarks.accuracy lenet_tutorial/fast --seeds 0 1 2
    python -m benchmarks.accuracy mlp_tutorial/published --seeds 0 --minutes 20
    python -m benchmarks.accuracy reproduce/toy_all --seeds 0 1 2 3 4 5 6 7 8 9
    python -m benchmarks.accuracy lenet_tutorial/fast --ratio
    python -m benchmarks.accuracy --render

Every training that ends is one line of `cnnkit/published/measured/accuracy.jsonl`, which ships with
the package, and what stands there is not measured again. A training that is stopped goes
on at the next call. The tables of `docs/reproduction.md` are made from the lines of the
recipes as they are now.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._accuracy_table import lines_of, write_tables
from benchmarks._measure import ROOT, machine, take_turns
from cnnkit.published.reproductions import get_reproduction
from cnnkit.settings import get_settings
from cnnkit.training import Recipe, get_recipe, list_recipes

MEASURED = ROOT / "cnnkit" / "published" / "measured" / "accuracy.jsonl"
STEPS = 60  # batches timed at once for the ratio


def main() -> None:
    """Measure what is asked for and not yet known, then write the tables."""
    options = _arguments()
    recipes = [_recipe(name) for name in options.recipes]
    if not recipes and not options.render:
        shipped = list_recipes(fine_tuning=False)
        recipes = [recipe for recipe in shipped if recipe.name in ("fast", "thorough")]
    for recipe in recipes:
        if options.ratio:
            _store(_ratio(recipe, options.rounds))
            continue
        for seed in options.seeds:
            if not _known(recipe, seed):
                _store(_train(recipe.replace(seed=seed), options.minutes))
    write_tables(list(lines()))


def lines() -> Iterator[dict]:
    """Everything that was measured, oldest first."""
    if MEASURED.exists():
        with MEASURED.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipes", nargs="*", help="model/name; none: every fast and thorough one")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, help="pause a training after so long")
    parser.add_argument("--ratio", action="store_true", help="time against a plain model.fit")
    parser.add_argument("--rounds", type=int, default=7, help="of the ratio")
    parser.add_argument("--render", action="store_true", help="only write the tables")
    return parser.parse_args()


def _recipe(name: str) -> Recipe:
    model, _, recipe = name.partition("/")
    if model == "reproduce":
        return get_reproduction(recipe).recipe
    return get_recipe(model, recipe or "fast")


def _known(recipe: Recipe, seed: int) -> bool:
    return any(
        line["kind"] == "training" and line["seed"] == seed and line["reason"] != "paused"
        for line in lines_of(recipe, lines())
    )


def _store(line: dict) -> None:
    MEASURED.parent.mkdir(parents=True, exist_ok=True)
    with MEASURED.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")


def _train(recipe: Recipe, minutes: float | None) -> dict:
    from cnnkit.training import evaluate, fit, recipe_dataset

    checkpoint = _checkpoint(recipe)
    deadline = time.monotonic() + 60 * minutes if minutes else float("inf")
    processor = time.process_time()
    result = fit(
        recipe,
        _say,
        checkpoint=checkpoint,
        control=lambda: "pause" if time.monotonic() > deadline else None,
    )
    processor = time.process_time() - processor
    evaluation = evaluate(result.model, *recipe_dataset(recipe).part("test"))
    if result.ended.reason != "paused":
        checkpoint.unlink()
    return _line("training", recipe) | {
        "seed": recipe.seed,
        **evaluation.metrics("test_"),
        "val_error": result.history[(result.ended.best_epoch or result.ended.epoch) - 1][
            "val_error"
        ],
        "epochs": result.ended.epoch,
        "best_epoch": result.ended.best_epoch,
        "reason": result.ended.reason,
        "parameters": result.model.count_params(),
        "seconds": sum(row["seconds"] for row in result.history),
        "processor_seconds": processor,  # of the last process, where it was stopped between
    }


def _checkpoint(recipe: Recipe) -> Path:
    return get_settings().home / "accuracy" / f"{recipe.fingerprint()}.npz"


def _say(event) -> None:
    if hasattr(event, "logs"):
        row = event.logs
        print(
            f"  epoch {event.epoch}/{event.epochs}: loss {row['loss']:.4f}, validation error "
            f"{100 * row['val_error']:.2f} %, {event.seconds:.0f} s",
            flush=True,
        )


def _ratio(recipe: Recipe, rounds: int) -> dict:
    """Our epoch, augmentation and validation included, by a plain `model.fit` on arrays."""
    import keras

    from cnnkit.training import recipe_dataset
    from cnnkit.training._compile import make_loss, make_optimizer
    from cnnkit.training.fitting import PhaseTasks
    from cnnkit.training.network import build_network
    from cnnkit.training.pipeline import BatchStream
    from cnnkit.training.predictions import Evaluator

    dataset = recipe_dataset(recipe)
    images, labels = dataset.part("train")
    batches = BatchStream(images, labels, recipe.replace(steps_per_epoch=STEPS))
    ours, bare = (
        PhaseTasks(recipe, build_network(recipe, 10, image_shape=dataset.spec.input_shape), dataset)
        .task(0)
        .model
        for _ in range(2)
    )
    bare.compile(
        optimizer=make_optimizer(recipe, batches.per_pass),
        loss=make_loss(recipe),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    batches.begin(0)
    stream, evaluator = batches.dataset(), Evaluator(ours)
    few = slice(0, STEPS * recipe.batch_size)
    contenders = {
        "plain": lambda: _time(
            lambda: bare.fit(images[few], labels[few], batch_size=recipe.batch_size, verbose=0)
        ),
        "ours": lambda: _time(lambda: ours.fit(stream, shuffle=False, verbose=0)),
        "validation": lambda: _time(lambda: evaluator(*dataset.part("validation"))),
    }
    take_turns(contenders, 1)  # compiles
    seconds = take_turns(contenders, rounds)
    steps = (recipe.steps_per_epoch or batches.per_pass) / STEPS
    ratios = [
        (our * steps + validation) / (plain * steps)
        for our, validation, plain in zip(
            seconds["ours"], seconds["validation"], seconds["plain"], strict=True
        )
    ]
    return _line("ratio", recipe) | {
        "ratio": statistics.median(ratios),
        "ratios": sorted(ratios),
        "plain_epoch_seconds": statistics.median(seconds["plain"]) * steps,
    }


def _time(call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _line(kind: str, recipe: Recipe) -> dict:
    return {
        "kind": kind,
        "recipe": f"{recipe.model}/{recipe.name}",
        "values": recipe.replace(seed=0).to_dict(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
