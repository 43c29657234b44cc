"""`docs/flowers.md`, from what `benchmarks.flowers` and `benchmarks.flower_choices` measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from functools import cache

from cnnkit.training import Recipe, list_depths

# The published or intended mean test accuracy.
GOALS = {
    "mobilenet_v2": "at least 96 %",
    "googlenet": "none",
    "vgg16/fast": "at least 88 %, within 180 s",
    "vgg16/best": "at least 94 %, within 900 s",
    "vgg16/published": "published by aidiary: 86.5 % after the last epoch, 89.4 % at best",
    "vgg16/published_vgg": "published by aidiary: 82.9 % after the last epoch, also at best",
    "compact_photo_cnn": "at least 70 %",
    "photo_cnn": "published by aidiary: 62.9 % after the last epoch",
}
RECIPES = tuple(name for name in GOALS if "/" in name)  # trained as they are
ALL = "all"
# Blocks to unfreeze from in the second phase, the fewest trainable layers first.
DEPTHS = {
    "mobilenet_v2": ("block_16", "block_15", "block_14"),
    "googlenet": ("inception_5b", "inception_5a"),
}
HEAD = """# 17 flowers

Written by `python -m benchmarks.flowers`. Of the 80 images of each class, 10 are in the test set,
10 in the validation set and 60 in the training set; a seed draws the split. There is no test-time
augmentation. MACs are those of one image, at the recipe's image size. Seconds are the median over
trainings that began with an empty feature cache, features included.
"""
CHOSEN = """## A block chosen on the validation set

MobileNetV2 and GoogLeNet are fine-tuned on each split once for each block to unfreeze from in the
table. The block with the best validation accuracy on that split (of equals, the one with fewer
trainable layers) is chosen, and its test accuracy is reported. Learning rates, epochs and the
blocks to try were fixed beforehand on the validation sets of other splits, some of whose images are
in test sets here.
"""
AS_THEY_ARE = """## VGG16, with the recipes that ship

Each recipe is trained as it is, with its last weights. `fast` and `best` were chosen on the
validation sets of splits 0, 1 and 2 (see below); some of those images are in the test sets of other
splits. `published` is the post's: images of 150 pixels divided by 255, block 5 and a new head of
256 units, SGD, 50 epochs; `published_vgg` has the preprocessing that VGG16 was trained with. Its
first logits lie tens apart, and the ReLUs of the head die in the first epoch, unless probabilities
are clipped in the loss, as Keras did then (`loss_epsilon`). Many die even so, and the rest is luck:
the author's history stays at a guess between all classes for ten epochs, and so does ours on
split 0; on split 1 it hardly leaves it, and on split 2 it learns at once. The post trained on 1,190
images, and its 170 "test" images were also its validation images; ours are 1,020 and two sets.
Augmentation is not drawn anew in each epoch: eight variants of each image are in the feature cache.
"""
TIMES = """Seconds are those of a separate training that starts with an empty feature cache
(`--cold`): the features of all images and their augmented variants are computed, then all epochs
run. It is only timed: the accuracies are those of the other trainings. A dash means that no such
training was run.
"""
EACH = ("Test accuracy", "Epochs", "Seconds", "Of which for features")
Line = dict
Table = list[tuple[str, ...]]


def document(measured: list[Line], choices: str = "") -> str:
    """The page: a table of means, those of every split, and what each choice is worth."""
    newest, timed = _newest(measured), _timed(measured)
    means: Table = []
    each: dict[bool, Table] = {True: [], False: []}
    for name in GOALS:
        seeds = sorted({line["seed"] for line in newest if row_name(line) == name})
        if seeds:
            means.append(_mean_row(name, [chosen(name, s, newest) for s in seeds], timed))
            each[name in RECIPES] += [_row(name, seed, newest, timed) for seed in seeds]
    mean_head = (
        "Network", "Parameters", "MACs", "Splits", "Mean test accuracy", "Each split",
        "Seconds", "Target",
    )  # fmt: skip
    chosen_head = ("Network", "Split seed", "Validation accuracy by block", *EACH)
    recipe_head = (
        "Recipe", "Split seed", "Validation accuracy, last epoch", "best epoch", *EACH
    )  # fmt: skip
    machines = dict.fromkeys(note for line in newest for note in line["machine"])
    parts = [
        HEAD,
        _table(mean_head, means),
        AS_THEY_ARE,
        _table(recipe_head, each[True]),
        _not_measured(newest),
        choices,
        CHOSEN,
        _table(chosen_head, each[False]),
        TIMES,
        "\n".join(f"- {note}" for note in machines),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _not_measured(measured: list[Line]) -> str:
    """Which recipes the table lacks; empty: none."""
    lacking = [name for name in RECIPES if name not in {row_name(line) for line in measured}]
    names = ", ".join(f"`{name}`" for name in lacking)
    return f"Not measured yet: {names}." if lacking else ""


def row_name(line: Line) -> str:
    """A key of `GOALS`: the network where a block is chosen, else the recipe."""
    return line["recipe"] if line["recipe"] in RECIPES else line["network"]


def chosen(name: str, seed: int, measured: Iterable[Line]) -> Line:
    """The training whose depth had the best validation accuracy on its split.

    Trainings that were only timed are left out: they must not change the choice.
    """
    own = [line for line in _newest(measured) if (row_name(line), line["seed"]) == (name, seed)]
    return max(own, key=lambda line: (line["val_accuracy"], -_place(line)))


def _place(line: Line) -> int:
    """Greater where more layers are trainable."""
    return DEPTHS.get(row_name(line), (line["depth"],)).index(line["depth"])


def _newest(measured: Iterable[Line]) -> list[Line]:
    newest = {_what(line): line for line in measured if not line.get("cold")}
    return sorted(newest.values(), key=_place)


def _timed(measured: Iterable[Line]) -> dict[tuple, Line]:
    """By what was trained, those whose seconds include the computing of features."""
    whole = {_what(line): line for line in measured if line["values"].get("head") is None}
    return whole | {_what(line): line for line in measured if line.get("cold")}


def _what(line: Line) -> tuple:
    return row_name(line), line["seed"], line["depth"]


def _mean_row(name: str, own: list[Line], timed: dict[tuple, Line]) -> tuple[str, ...]:
    values = [line["test_accuracy"] for line in own]
    seconds = [line["seconds"] for what, line in timed.items() if what[0] == name]
    return (
        f"`{name}`",
        f"{own[0]['parameters']:,}",
        f"{macs(Recipe.from_dict(own[0]['values'])) / 1e6:,.0f} M",
        str(len(own)),
        f"{100 * statistics.mean(values):.2f} %",
        ", ".join(f"{100 * value:.1f}" for value in values),
        f"{statistics.median(seconds):.0f}" if seconds else "–",
        GOALS[name],
    )


def _row(name: str, seed: int, measured: list[Line], timed: dict[tuple, Line]) -> tuple[str, ...]:
    best = chosen(name, seed, measured)
    own = [line for line in measured if (row_name(line), line["seed"]) == (name, seed)]
    time = timed.get(_what(best))
    validation = (
        (f"{100 * best['val_accuracy']:.1f} %", f"{100 * best['best_val_accuracy']:.1f} %")
        if name in RECIPES
        else (", ".join(_validation(line, line is best and len(own) > 1) for line in own),)
    )
    return (
        f"`{name}`",
        str(seed),
        *validation,
        f"{100 * best['test_accuracy']:.1f} %",
        str(best["epochs"]),
        f"{time['seconds']:.0f}" if time else "–",
        f"{time['features_seconds']:.0f}" if time else "–",
    )


def _validation(line: Line, marked: bool) -> str:
    words = f"{line['depth']} {100 * line['val_accuracy']:.1f}"
    return f"**{words}**" if marked else words


def macs(recipe: Recipe) -> int:
    """Multiply-accumulates of the whole network for one image of the recipe's size."""
    return _macs(recipe.model, recipe.size, recipe.head)


@cache
def _macs(model: str, size: int | None, head) -> int:
    if head is None:
        from cnnkit.anatomy import layer_table
        from cnnkit.models import create_model, without_weights

        return layer_table(without_weights(lambda: create_model(model))).macs
    return list_depths(model, size=size, head=head)[0].macs


def _table(head: tuple[str, ...], rows: Table) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
