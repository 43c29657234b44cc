"""The tables of `docs/reproduction.md`, from what `benchmarks.accuracy` measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from benchmarks._measure import ROOT
from cnnkit.training import Recipe, list_recipes

PAGE = ROOT / "docs" / "reproduction.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
COLUMNS = (
    "Network and recipe",
    "Test error, mean",
    "Accuracy",
    "Each seed",
    "Validation error",
    "Epochs",
    "Seconds, median",
    "Epoch / plain epoch",
    "Plain epochs' worth",
)


def lines_of(recipe: Recipe, measured: Iterable[dict]) -> list[dict]:
    """What was measured with this recipe, whatever the seed.

    The values are compared as recipes, so that a field added later, with its default,
    makes no measurement void.
    """
    wanted = recipe.replace(seed=0).fingerprint()
    return [line for line in measured if Recipe.from_dict(line["values"]).fingerprint() == wanted]


def write_tables(measured: list[dict]) -> None:
    """Put the tables between the two marks of the page, and leave the rest alone."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n".join(_tables(measured))
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}", encoding="utf-8")


def _tables(measured: list[dict]) -> list[str]:
    out = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    used: list[dict] = []
    for recipe in list_recipes():
        own = lines_of(recipe, measured)
        trainings = _newest([line for line in own if line["kind"] == "training"])
        if trainings:
            ratios = [line for line in own if line["kind"] == "ratio"]
            out.append(_row(recipe, trainings, ratios[-1] if ratios else None))
            used += trainings
    machines = {note: None for line in used for note in line["machine"]}
    return [*out, "", *(f"- {note}" for note in machines), ""]


def _newest(trainings: list[dict]) -> list[dict]:
    by_seed = {line["seed"]: line for line in trainings}
    return [by_seed[seed] for seed in sorted(by_seed)]


def _row(recipe: Recipe, trainings: list[dict], ratio: dict | None) -> str:
    error = statistics.mean(line["test_error"] for line in trainings)
    epochs = statistics.mean(line["epochs"] for line in trainings)
    unfinished = any(line["reason"] == "paused" for line in trainings)
    cells = (
        f"`{recipe.model}/{recipe.name}`",
        f"{100 * error:.3f} %",
        f"{100 - 100 * error:.3f} %",
        ", ".join(f"{line['seed']}: {100 * line['test_error']:.2f} %" for line in trainings),
        f"{100 * statistics.mean(line['val_error'] for line in trainings):.2f} %",
        f"{epochs:.4g}" + (f" of {recipe.epochs}, not finished" if unfinished else ""),
        f"{statistics.median(line['seconds'] for line in trainings):.0f}",
        f"{ratio['ratio']:.2f}" if ratio else "",
        f"{ratio['ratio'] * epochs:.1f}" if ratio else "",
    )
    return "| " + " | ".join(cells) + " |"
