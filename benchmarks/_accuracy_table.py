"""The tables of `docs/reproduction.md`, from what `benchmarks.accuracy` measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from benchmarks._measure import ROOT
from cnnkit.published.reproductions import Reproduction, list_reproductions
from cnnkit.training import Recipe, list_recipes
from cnnkit.training.fields import differences

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
    "Processor seconds, median",
    "Epoch / plain epoch",
    "Plain epochs' worth",
)
GIVEN_UP = ("Recipe", "What was otherwise", "Validation error", "Test error", "Epochs")
BESIDE = ("What was published", "Published", "Under", "Measured here", "Of", "Seconds, median")


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
    trainings = [line for line in measured if line["kind"] == "training"]
    rows, current = [], []
    for name, recipe in _shipped().items():
        own = _newest(lines_of(recipe, trainings))
        if own:
            ratios = lines_of(recipe, [line for line in measured if line["kind"] == "ratio"])
            rows.append(_row(name, recipe, own, ratios[-1] if ratios else None))
            current += lines_of(recipe, trainings)
    machines = {note: None for line in trainings for note in line["machine"]}
    out = [*_table(COLUMNS, rows), "", *(f"- {note}" for note in machines), ""]
    beside = [_beside(row, trainings) for row in list_reproductions()]
    out += ["Beside what was published:", "", *_table(BESIDE, list(filter(None, beside))), ""]
    given_up = [_given_up(line) for line in trainings if line not in current]
    if given_up:
        out += ["Settings that were given up:", "", *_table(GIVEN_UP, given_up), ""]
    return out


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [columns, ("---",) * len(columns), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _shipped() -> dict[str, Recipe]:
    """By name: the recipes of the networks, and published ones with something changed."""
    recipes = {f"{one.model}/{one.name}": one for one in list_recipes(fine_tuning=False)}
    known = {recipe.replace(seed=0).fingerprint() for recipe in recipes.values()}
    for row in list_reproductions():
        if row.recipe.replace(seed=0).fingerprint() not in known:
            recipes[f"reproduce/{row.name}"] = row.recipe
    return recipes


def _beside(row: Reproduction, trainings: list[dict]) -> tuple[str, ...] | None:
    """A published figure of MNIST and ours of the same recipe; None: not measured here."""
    recipe = row.recipe
    digits = isinstance(recipe, Recipe) and recipe.dataset == "mnist"
    own = _newest(lines_of(recipe, trainings)) if digits else []
    if not own:
        return None
    ours = statistics.mean(line[row.measure] for line in own)
    return (
        f"{row.title}: {row.source}",
        f"{row.measure.replace('_', ' ')} {row.published}",
        row.conditions,
        f"{100 * ours:.2f} %" + (", reached" if row.reached(ours) else ", not reached"),
        f"{len(own)} seed{'s' * (len(own) > 1)}",
        f"{statistics.median(line['seconds'] for line in own):.0f}",
    )


def _given_up(line: dict) -> tuple[str, ...]:
    now = {f"{recipe.model}/{recipe.name}": recipe for recipe in list_recipes(fine_tuning=False)}
    later = now.get(line["recipe"])
    # As a recipe: a field that came later had its default then.
    then = Recipe.from_dict(line["values"]).to_dict()
    changed = differences([then, later.to_dict()]) if later else []
    return (
        f"`{line['recipe']}`, seed {line['seed']}",
        "; ".join(
            f"{change.title}: {change.texts[0]}, now {change.texts[1]}" for change in changed
        ),
        f"{100 * line['val_error']:.2f} %",
        f"{100 * line['test_error']:.2f} %",
        f"{line['epochs']}",
    )


def _newest(trainings: list[dict]) -> list[dict]:
    by_seed = {line["seed"]: line for line in trainings}
    return [by_seed[seed] for seed in sorted(by_seed)]


def _row(name: str, recipe: Recipe, trainings: list[dict], ratio: dict | None) -> tuple[str, ...]:
    error = statistics.mean(line["test_error"] for line in trainings)
    epochs = statistics.mean(line["epochs"] for line in trainings)
    unfinished = any(line["reason"] == "paused" for line in trainings)
    return (
        f"`{name}`",
        f"{100 * error:.3f} %",
        f"{100 - 100 * error:.3f} %",
        ", ".join(f"{line['seed']}: {100 * line['test_error']:.2f} %" for line in trainings),
        f"{100 * statistics.mean(line['val_error'] for line in trainings):.2f} %",
        f"{epochs:.4g}" + (f" of {recipe.epochs}, not finished" if unfinished else ""),
        f"{statistics.median(line['seconds'] for line in trainings):.0f}",
        f"{statistics.median(line['processor_seconds'] for line in trainings):.0f}",
        f"{ratio['ratio']:.2f}" if ratio else "",
        f"{ratio['ratio'] * epochs:.1f}" if ratio else "",
    )
