"""The NumPy network beside TensorFlow, and the post's experiment: docs/backprop.md.

    python -m benchmarks.backprop            what was trained before is not trained again
    python -m benchmarks.backprop --again    it is

Times are taken in one run, ours and TensorFlow's in turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import psutil

from benchmarks._measure import ROOT, Row, machine, ratio_text, save, take_turns
from cnnkit.backprop import ALL, Convolution
from cnnkit.backprop.experiment import (
    MEASURED,
    MEASURES,
    PUBLISHED,
    PUBLISHED_PACE,
    TRAINED_LAYERS,
    ExperimentPlan,
    TrainingCurve,
    curve,
    curves_of,
    mean_at,
    measured,
    measured_record,
    seed_spread,
    train_network,
)
from cnnkit.backprop.toy import RECIPES

EARLY_WORDS = "How far the mean probability is above a third in the first epochs, in 1e-4:\n"
DOCUMENT = ROOT / "docs" / "backprop.md"
MARKS = ("<!-- measured: begin -->\n", "<!-- measured: end -->\n")
EPOCHS = (200, 500)
SEEDS = 10
FURTHER = 30  # seeds of the post's recipe, all layers trained, to 200 epochs
EVERY = 5  # epochs kept of a curve
# What the post's log says of one run: epoch → "accuracy".
LOG = {5: 0.3333526481, 10: 0.3333741834, 15: 0.3334006436, 20: 0.3334352183, 25: 0.3334818706}
BATCH = 100  # images
SHAPE, KERNEL = (12, 12, 20), (5, 5, 20, 50)  # LeNet's second convolution
EARLY = 20  # epochs after which nothing more should be needed


def main() -> None:
    """Train what lacks, time, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="train the experiment anew")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    if options.again or not MEASURED.exists():
        record()
    rows = [convolution(options.rounds), *two_hundred_epochs(), memory()]
    write_document()
    save(rows, ["LeNet's second convolution is 12×12×20 → 8×8×50, kernels 5×5, float32."])


# The experiment


def record() -> None:
    """Train all networks of the experiment and keep their curves with the package."""
    curves = []
    for recipe in RECIPES:
        plan = ExperimentPlan(recipe=recipe, epochs=max(EPOCHS), seeds=SEEDS)
        for layers, seed in plan.units:
            made = curve(layers, seed, list(train_network(plan, layers, seed)))
            print(f"  {recipe}, {layers}, seed {seed}: {made.epoch_above_half}", file=sys.stderr)
            curves.append({"recipe": recipe, **as_row(made.thinned(EVERY))})
    plan = ExperimentPlan(epochs=EPOCHS[0], seeds=SEEDS + FURTHER)
    further = [
        curve(ALL, seed, list(train_network(plan, ALL, seed))).probability[-1]
        for seed in range(SEEDS, SEEDS + FURTHER)
    ]
    found = {
        "machine": machine(),
        "when": date.today().isoformat(),
        "further": [round(float(value), 4) for value in further],
        "curves": curves,
    }
    MEASURED.write_text(json.dumps(found, separators=(",", ":")) + "\n", "utf-8")


def as_row(one: TrainingCurve) -> dict[str, Any]:
    """A curve as plain numbers, as fine as a chart shows them."""
    values = {name: getattr(one, name).round(4).tolist() for name in (*MEASURES, "seconds")}
    return {"way": one.layers, "seed": one.seed, "epochs": one.epochs.tolist(), **values}


def write_document() -> None:
    """Put the tables between the marks of the document."""
    head, _, rest = DOCUMENT.read_text("utf-8").partition(MARKS[0])
    _, _, tail = rest.partition(MARKS[1])
    DOCUMENT.write_text(head + MARKS[0] + tables() + MARKS[1] + tail, "utf-8")


def tables() -> str:
    """What was measured, as Markdown; the author's figures beside it."""
    record = measured_record()
    parts = [_table(name, measured(name)) for name in RECIPES]
    where = "\n".join(f"- {line}" for line in (*record["machine"], record["when"]))
    return "\n".join(["", *parts, _luck(), EARLY_WORDS, _early(), where, ""])


def _table(recipe: str, curves: Sequence[TrainingCurve]) -> str:
    lines = [
        f"**{RECIPES[recipe].title}** (`{recipe}`), means over {SEEDS} seeds",
        "",
        "| trained | epochs | mean probability, the author's | ours | smallest to largest "
        "| test accuracy | seconds, the author's | ours | epochs a second, the author's | ours |",
        "| --- " * 10 + "|",
    ]
    for layers in TRAINED_LAYERS:
        chosen = curves_of(curves, layers)
        lines += [_line(layers, epoch, chosen) for epoch in EPOCHS]
    return "\n".join([*lines, ""])


def _line(layers: str, epoch: int, curves: Sequence[TrainingCurve]) -> str:
    theirs = [one for one in PUBLISHED if (one.layers, one.epoch) == (layers, epoch)]
    published = f"{100 * theirs[0].probability:.1f} %" if theirs else "–"
    seconds = f"{theirs[0].seconds:g}" if theirs and theirs[0].seconds else "–"
    values = [value for one in curves if (value := one.at(epoch, "probability")) is not None]
    ours = statistics.median(one.at(epoch, "seconds") or 0 for one in curves)
    probability, accuracy = (mean_at(curves, epoch, measure) or 0 for measure in MEASURES)
    return (
        f"| {layers} | {epoch} | {published} | {100 * probability:.1f} % "
        f"| {100 * min(values):.1f} to {100 * max(values):.1f} % | {100 * accuracy:.1f} % "
        f"| {seconds} | {ours:.1f} | {PUBLISHED_PACE[layers]:g} | {epoch / ours:.0f} |"
    )


def _luck() -> str:
    """How often ten seeds of the post's recipe come out as well as the author's ten did."""
    found = seed_spread()
    return (
        f"The post's recipe with all layers trained over {len(found.values)} seeds, after "
        f"{found.epoch} epochs: mean {100 * found.values.mean():.1f} %, median "
        f"{100 * np.median(found.values):.1f} %; {found.late} of {len(found.values)} have not "
        f"taken off. Of all draws of ten of them, {100 * found.share:.0f} % have a mean of "
        f"{100 * PUBLISHED[0].probability:.1f} % or more.\n"
    )


def _early() -> str:
    """The first epochs of the author's log beside ours: how far above a third, in 1e-4."""
    lines = ["| epoch | " + " | ".join(map(str, LOG)) + " |", "| --- " * (len(LOG) + 1) + "|"]
    lines.append(_above("the author's log", [[value] for value in LOG.values()]))
    for recipe in RECIPES:
        plan = ExperimentPlan(recipe=recipe, epochs=max(LOG), seeds=SEEDS)
        runs = [
            [one.probability for one in train_network(plan, ALL, seed)] for seed in range(SEEDS)
        ]
        values = [[run[epoch - 1] for run in runs] for epoch in LOG]
        lines.append(_above(f"`{recipe}`, smallest to largest of {SEEDS} seeds", values))
    return "\n".join([*lines, ""])


def _above(name: str, values: Sequence[Sequence[float]]) -> str:
    cells = [sorted({f"{1e4 * (value - 1 / 3):.2f}" for value in at}, key=float) for at in values]
    spans = [cell[0] if len(cell) == 1 else f"{cell[0]} to {cell[-1]}" for cell in cells]
    return f"| {name} | {' | '.join(spans)} |"


# Times and memory


def convolution(rounds: int) -> Row:
    """Forward and backward of one convolution, against TensorFlow's."""
    import tensorflow as tf

    generator = np.random.default_rng(0)
    x, kernel, delta = (
        generator.normal(size=shape).astype(np.float32)
        for shape in ((BATCH, *SHAPE), KERNEL, (BATCH, 8, 8, KERNEL[-1]))
    )
    layer = Convolution("conv", kernel, np.zeros(KERNEL[-1], np.float32))
    constants = [tf.constant(a) for a in (x, kernel, np.zeros(KERNEL[-1], np.float32), delta)]

    @tf.function
    def theirs(x, kernel, bias, delta):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel, bias))
            y = tf.nn.conv2d(x, kernel, 1, "VALID") + bias
        return y, tape.gradient(y, (x, kernel, bias), output_gradients=delta)

    def of_ours() -> float:
        began = time.perf_counter()
        layer.forward(x)
        layer.backward(delta)
        return time.perf_counter() - began

    def of_tensorflow() -> float:
        began = time.perf_counter()
        _, gradients = theirs(*constants)
        for gradient in gradients:
            gradient.numpy()
        return time.perf_counter() - began

    contenders = {"ours": lambda: best_of(of_ours), "TensorFlow": lambda: best_of(of_tensorflow)}
    for contender in contenders.values():
        contender()  # the first call is slow
    times = take_turns(contenders, rounds)
    return Row(
        what=f"One convolution (LeNet's second), {BATCH} images, forward and backward",
        ours=f"{1e3 * statistics.median(times['ours']):.1f} ms",
        peer=f"{1e3 * statistics.median(times['TensorFlow']):.1f} ms (TensorFlow)",
        ratio=ratio_text(times["ours"], times["TensorFlow"]),
        target="at most 5",
    )


def best_of(measure, times: int = 5) -> float:
    """The shortest of some seconds: what a neighbor takes away is not ours."""
    return min(measure() for _ in range(times))


def two_hundred_epochs() -> list[Row]:
    """The post's 200 epochs, measuring after each included, beside its author's seconds."""
    rows = []
    for layers in TRAINED_LAYERS:
        began = time.perf_counter()
        learning = list(train_network(ExperimentPlan(epochs=EPOCHS[0], seeds=1), layers, 0))[
            -1
        ].seconds
        seconds = time.perf_counter() - began
        theirs = next(
            one.seconds for one in PUBLISHED if (one.layers, one.epoch) == (layers, EPOCHS[0])
        )
        rows.append(
            Row(
                what=f"Toy network, {EPOCHS[0]} epochs, {layers} trained",
                ours=f"{seconds:.2f} s ({learning:.2f} s of training)",
                peer=f"{theirs:g} s (the author, 2017)",
                ratio=f"1/{(theirs or 0) / seconds:.0f}",
                target="within 3 s" if layers == ALL else "",
            )
        )
    return rows


def memory() -> Row:
    """Of this process, from the first epochs to the end of 500."""
    process = psutil.Process()
    taken = []
    for epoch in train_network(ExperimentPlan(epochs=EPOCHS[1], seeds=1), ALL, 1):
        if epoch.number in (EARLY, EPOCHS[1]):
            taken.append(process.memory_info().rss)
    return Row(
        what=f"Memory growth of the toy network from epoch {EARLY} to {EPOCHS[1]}",
        ours=f"{100 * (taken[1] / taken[0] - 1):+.1f} %",
        peer="5 GB at epoch 180 (the author, 2017)",
        ratio="",
        target="flat",
    )


if __name__ == "__main__":
    main()
