"""`docs/flowers.md`, from what `benchmarks.flowers` measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

# The published or intended mean test accuracy.
GOALS = {
    "mobilenet_v2": "at least 96 %",
    "googlenet": "none",
    "compact_photo_cnn": "at least 70 %",
    "photo_cnn": "published by aidiary: 62.9 % after the last epoch",
}
ALL = "all"
# Blocks to unfreeze from in the second phase, the fewest trainable layers first.
DEPTHS = {
    "mobilenet_v2": ("block_16", "block_15", "block_14"),
    "googlenet": ("inception_5b", "inception_5a"),
}
HEAD = """# 17 flowers

Written by `python -m benchmarks.flowers`. Of the 80 images of each class, 10 are in the test set,
10 in the validation set and 60 in the training set; a seed draws the split. A pretrained network is
fine-tuned on each split once for each block to unfreeze from in the second table. The block with
the best validation accuracy on that split (of equals, the one with fewer trainable layers) is
chosen, and its test accuracy is reported. Learning rates, epochs and the blocks to try were fixed
beforehand on the validation sets of other splits, some of whose images are in test sets here. There
is no test-time augmentation.
"""
TIMES = """Seconds are those of a separate training from the chosen block that starts with an empty
feature cache (`--cold`): the features of all images and their augmented variants are computed, then
all epochs run. It is only timed: the accuracies are those of the trainings from which the block was
chosen. A dash means that no such training was run.
"""
Line = dict
Table = list[tuple[str, ...]]


def document(measured: list[Line]) -> str:
    """The page: a table of means, and one of every split."""
    newest, timed = _newest(measured), _timed(measured)
    means: Table = []
    each: Table = []
    for name in GOALS:
        seeds = sorted({line["seed"] for line in newest if line["network"] == name})
        if seeds:
            means.append(_mean_row(name, [chosen(name, seed, newest) for seed in seeds]))
            each += [_row(name, seed, newest, timed) for seed in seeds]
    mean_head = ("Network", "Parameters", "Splits", "Mean test accuracy", "Each split", "Target")
    each_head = (
        "Network", "Split seed", "Validation accuracy by block", "Test accuracy", "Epochs",
        "Seconds", "Of which for features",
    )  # fmt: skip
    machines = dict.fromkeys(note for line in newest for note in line["machine"])
    notes = "\n".join(f"- {note}" for note in machines)
    tables = _table(mean_head, means), _table(each_head, each)
    return f"{HEAD}\n{tables[0]}\n\n{TIMES}\n{tables[1]}\n\n{notes}\n"


def chosen(name: str, seed: int, measured: Iterable[Line]) -> Line:
    """The training whose depth had the best validation accuracy on its split.

    Trainings that were only timed are left out: they must not change the choice.
    """
    own = [line for line in _newest(measured) if (line["network"], line["seed"]) == (name, seed)]
    return max(own, key=lambda line: (line["val_accuracy"], -_place(line)))


def _place(line: Line) -> int:
    """Greater where more layers are trainable."""
    return DEPTHS.get(line["network"], (ALL,)).index(line["depth"])


def _newest(measured: Iterable[Line]) -> list[Line]:
    newest = {_what(line): line for line in measured if not line.get("cold")}
    return sorted(newest.values(), key=_place)


def _timed(measured: Iterable[Line]) -> dict[tuple, Line]:
    """By what was trained, those whose seconds include the computing of features."""
    whole = {_what(line): line for line in measured if line["network"] not in DEPTHS}
    return whole | {_what(line): line for line in measured if line.get("cold")}


def _what(line: Line) -> tuple:
    return line["network"], line["seed"], line["depth"]


def _mean_row(name: str, own: list[Line]) -> tuple[str, ...]:
    values = [line["test_accuracy"] for line in own]
    return (
        f"`{name}`",
        f"{own[0]['parameters']:,}",
        str(len(own)),
        f"{100 * statistics.mean(values):.2f} %",
        ", ".join(f"{100 * value:.1f}" for value in values),
        GOALS[name],
    )


def _row(name: str, seed: int, measured: list[Line], timed: dict[tuple, Line]) -> tuple[str, ...]:
    best = chosen(name, seed, measured)
    own = [line for line in measured if (line["network"], line["seed"]) == (name, seed)]
    time = timed.get(_what(best))
    return (
        f"`{name}`",
        str(seed),
        ", ".join(_validation(line, line is best and len(own) > 1) for line in own),
        f"{100 * best['test_accuracy']:.1f} %",
        str(best["epochs"]),
        f"{time['seconds']:.0f}" if time else "–",
        f"{time['features_seconds']:.0f}" if time else "–",
    )


def _validation(line: Line, marked: bool) -> str:
    words = f"{line['depth']} {100 * line['val_accuracy']:.1f}"
    return f"**{words}**" if marked else words


def _table(head: tuple[str, ...], rows: Table) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
