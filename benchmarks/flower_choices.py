"""What each choice in VGG16's recipes is worth: `python -m benchmarks.flower_choices`.

Every choice is trained on the same three splits of the 17 flowers and compared by its mean
validation accuracy; no test image is looked at. Measurements are stored in
`cnnkit/published/measured/flower_choices.jsonl`, and are not repeated;
`python -m benchmarks.flowers --render` writes them into `docs/flowers.md`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks._measure import ROOT, machine
from cnnkit.training import EpochEnded, Head, Phase, Recipe, get_recipe
from cnnkit.training.recipes import AUGMENTATION_PRESETS

RESULTS = ROOT / "cnnkit" / "published" / "measured" / "flower_choices.jsonl"
TRAININGS = RESULTS.with_name("flowers.jsonl")
SPLITS = (0, 1, 2)
HEAD = Head(dropout=0.5, normalization=True)
ONLY_HEAD = (Phase(train_from="head", epochs=20, learning_rate=3e-3),)
INTRODUCTION = """## What each choice is worth

Mean accuracy on the validation sets of splits 0, 1 and 2, written by
`python -m benchmarks.flower_choices`. Time goes into the features of 1,020 images times the
variants, 2.2 times as long at 224 pixels as at 150, and into the epochs of block 5. On 510
validation images one percentage point is five images: smaller differences mean little.
"""


def choices() -> Iterator[tuple[str, Recipe]]:
    """What is compared, in the order of the table."""
    start = get_recipe("vgg16", "fast").replace(
        size=150,
        head=HEAD,
        phases=ONLY_HEAD,
        augmentation=AUGMENTATION_PRESETS["flowers"],
        variants=4,
    )
    yield (
        "Head alone, not normalized: dropout .5, rate 1e-3, 10 epochs",
        start.replace(
            head=Head(dropout=0.5),
            phases=(Phase(train_from="head", epochs=10, learning_rate=1e-3),),
        ),
    )
    yield "… with batch normalization, rate 3e-3, 20 epochs", start
    for rate in (1e-3, 1e-2):
        phases = (Phase(train_from="head", epochs=20, learning_rate=rate),)
        yield f"… rate {rate:g}", start.replace(phases=phases)
    yield "… dropout .2", start.replace(head=Head(dropout=0.2, normalization=True))
    hidden = Head(dropout=0.5, units=256, normalization=True)
    yield "… 256 hidden units", start.replace(head=hidden)
    for variants in (1, 2):
        yield f"… {variants} of 4 variants", start.replace(variants=variants)
    yield "… 224 pixels, 1 variant", start.replace(size=224, variants=1)
    yield "… 224 pixels, 3 variants", start.replace(size=224, variants=3)
    yield from _deeper(start)


def _deeper(start: Recipe) -> Iterator[tuple[str, Recipe]]:
    for size, variants, block, epochs, rate in (
        (150, 1, "block5", 3, 1e-4),
        (150, 1, "block5", 3, 3e-4),
        (150, 1, "block5", 3, 1e-3),
        (150, 4, "block5", 6, 3e-4),
        (150, 1, "block4", 3, 3e-4),
        (224, 1, "block5", 3, 3e-4),
    ):
        yield (
            f"Head, then `{block}`: {size} pixels, {_variants(variants)}, {epochs} epochs, "
            f"rate {rate:g}",
            start.replace(
                size=size,
                variants=variants,
                phases=(
                    Phase(train_from="head", epochs=10, learning_rate=3e-3),
                    Phase(train_from=block, epochs=epochs, learning_rate=rate),
                ),
            ),
        )

    yield "Head, then `block5`: 224 pixels, 3 variants, 5 epochs, rate 0.0003 (`best`)", _best()


def _variants(count: int) -> str:
    return f"{count} variant" if count == 1 else f"{count} variants"


def table() -> str:
    """The section of the document; empty where nothing was measured."""
    measured = lines()
    rows = []
    for title, recipe in choices():
        own = [line for line in measured if line["choice"] == recipe.fingerprint()]
        if own:
            rows.append(_row(title, own))
    if not rows:
        return ""
    head = ("Choice", "Validation accuracy", "Each split")
    text = "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))
    return f"{INTRODUCTION}\n{text}"


def lines() -> list[dict]:
    """All measurements, oldest first, and the recipe `best`, which `benchmarks.flowers` trains."""
    own = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]
    return own + [
        {"choice": _best().fingerprint(), **{name: line[name] for name in ("seed", "val_accuracy")}}
        for line in map(json.loads, TRAININGS.read_text("utf-8").splitlines())
        if line["recipe"] == "vgg16/best" and line["seed"] in SPLITS and not line.get("cold")
    ]


def _best() -> Recipe:
    return get_recipe("vgg16", "best")


def _row(title: str, own: list[dict]) -> tuple[str, ...]:
    values = [line["val_accuracy"] for line in sorted(own, key=lambda line: line["seed"])]
    return (
        title,
        f"{100 * statistics.mean(values):.1f} %",
        ", ".join(f"{100 * value:.1f}" for value in values),
    )


def main() -> None:
    """Train what is not stored yet."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="choices whose title has this in it")
    only = parser.parse_args().only
    for title, recipe in choices():
        for seed in SPLITS:
            known = {(line["choice"], line["seed"]) for line in lines()}
            if only in title and (recipe.fingerprint(), seed) not in known:
                _measure(title, recipe, seed)


def _measure(title: str, recipe: Recipe, seed: int) -> None:
    from cnnkit.training import fit

    def report(event: object) -> None:
        if isinstance(event, EpochEnded):
            print(f"  epoch {event.epoch}: {event.logs['val_accuracy']:.3f}", flush=True)

    result = fit(recipe.replace(seed=seed, split_seed=seed), report)
    line = {
        "kind": "choice",
        "title": title,
        "choice": recipe.fingerprint(),
        "seed": seed,
        "val_accuracy": result.history[-1]["val_accuracy"],
        "val_loss": result.history[-1]["val_loss"],
        "accuracy": result.history[-1]["accuracy"],
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "values": recipe.to_dict(),
    }
    print(f"{title}, split {seed}: {line['val_accuracy']:.3f}", flush=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
