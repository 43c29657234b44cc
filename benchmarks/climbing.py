"""Climbing pictures: images·steps a second, and seconds to a picture as good, against tf-keras-vis.

Both climb the same network from the same start with the peer's own recipe: jitter, rotation,
total variation, norm, RMSprop. Networks without their official weights here have random
ones, which changes no speed. The peer runs as its documentation says.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot
from tf_keras_vis.activation_maximization import ActivationMaximization
from tf_keras_vis.activation_maximization.callbacks import Callback
from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer
from tf_keras_vis.utils.scores import CategoricalScore

from benchmarks._measure import ROOT, Row, ratio_of_pairs, save, take_turns
from cnnkit.models import load_pretrained, pretrained_info
from cnnkit.visualize import Plan, channel, class_logit, presets
from cnnkit.visualize.engine import Engines
from cnnkit.visualize.fooling import to_8bit
from cnnkit.visualize.maximizing import Maximization

CLASS, FILTER, LAYER = 130, 30, "block3_conv1"
FLOP = 62e9  # of one VGG16 forward and input-gradient pass at 224×224
SMOOTH = 3.0  # weight of total variation: the peer's pictures are very smooth
CHART = "climbing.png"
SIDE = 2048  # of the matrices whose product says what the machine can do


def network(name: str) -> keras.Model:
    """A pretrained network, with random weights where its own are missing."""
    official = "imagenet" if pretrained_info(name).available else None
    return load_pretrained(name, weights=official)


def start(pictures: int) -> np.ndarray:
    """The noise that both begin with."""
    noise = np.random.default_rng(0).uniform(0, 255, (pictures, 224, 224, 3))
    return noise.astype(np.float32)


def ours(model: Any, plan: Plan, steps: int) -> Callable[[], float]:
    """Seconds for some steps of ours, compiled before."""
    engines, images = Engines(model), start(plan.pictures)
    Maximization(engines, plan, images=images).step()

    def seconds() -> float:
        running = Maximization(engines, plan, images=images)
        began = time.perf_counter()
        for _ in range(steps):
            running.step()
        return time.perf_counter() - began

    return seconds


def theirs(model: Any, score: Any, pictures: int, steps: int, **how: Any) -> Callable[[], float]:
    """Seconds for as many of the peer's, which has run once before."""
    climber = ActivationMaximization(model, clone=False, **how)
    climber(score, seed_input=start(pictures), steps=1)

    def seconds() -> float:
        began = time.perf_counter()
        climber(score, seed_input=start(pictures), steps=steps)
        return time.perf_counter() - began

    return seconds


def product_rate() -> float:
    """Floating-point operations a second of this machine's matrix product."""
    matrix = tf.random.normal((SIDE, SIDE))
    multiply = tf.function(lambda a: tf.linalg.matmul(a, a))
    multiply(matrix)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        np.asarray(multiply(matrix)[0, 0])
        best = max(best, 2 * SIDE**3 / (time.perf_counter() - began))
    return best


def compare(
    what: str, name: str, unit: str, pictures: int, steps: int, rounds: int, target: str
) -> tuple[Row, float]:
    """One row, and the seconds of a step of ours."""
    model = network(name)
    preset = presets.get("tf_keras_vis")
    if unit == "class":
        objective, score, how = class_logit(CLASS), CategoricalScore([CLASS] * pictures), {}
    else:
        objective, score = channel(LAYER, FILTER), CategoricalScore([FILTER] * pictures)
        how = {"model_modifier": ExtractIntermediateLayer(LAYER)}
    plan = preset.plan(objective, pictures=pictures, size=(224, 224))
    times = take_turns(
        {
            "ours": ours(model, plan, steps),
            "peer": theirs(model, score, pictures, steps, **how),
        },
        rounds,
    )
    mine, other = (statistics.median(times[key]) / steps for key in ("ours", "peer"))
    row = Row(
        what=what,
        ours=f"{pictures / mine:.2f} images·steps/s",
        peer=f"{pictures / other:.2f} images·steps/s",
        ratio="{:.2f} ({:.2f} to {:.2f})".format(*ratio_of_pairs(times["peer"], times["ours"])),
        target=target,
    )
    return row, mine


class Watch(Callback):
    """The peer's picture as it goes, and when: looking at it is not counted."""

    def __init__(self):
        """Begin the clock."""
        self.began = time.perf_counter()
        self.seen: list[tuple[float, np.ndarray]] = []

    def __call__(self, step, inputs, *rest, **more):
        """Note the picture of this step."""
        self.seen.append((time.perf_counter() - self.began, np.asarray(inputs[0])[0]))


def quality(model: Any, image: np.ndarray) -> tuple[float, float]:
    """The class's logit on the finished 8-bit picture, and the total variation of that."""
    whole = to_8bit(image).astype(np.float32)
    logit = float(np.asarray(model(whole[None], training=False))[0, CLASS])
    here = whole[:-1, :-1]
    squares = (whole[1:, :-1] - here) ** 2 + (whole[:-1, 1:] - here) ** 2
    return logit, float(squares.mean())


def as_good(rounds: int) -> tuple[Row, str]:
    """Seconds to a picture as good as the peer's defaults give at their end; the chart of both."""
    model, found = network("googlenet"), []
    engines = Engines(model)
    quick = presets.get("quick").plan(class_logit(CLASS), size=(224, 224), seed=1)
    plan = quick.turned({"terms/1/weight": -SMOOTH, "transforms/0/pixels": 0})
    Maximization(engines, plan).step()
    for _ in range(rounds):
        watch = Watch()
        ActivationMaximization(model, clone=False)(CategoricalScore([CLASS]), callbacks=[watch])
        theirs = Climb([seconds for seconds, _ in watch.seen], [i for _, i in watch.seen])
        goal = quality(model, theirs.images[-1])
        mine = climbed(Maximization(engines, plan), quick.steps)
        reached = (n for n, image in enumerate(mine.images) if good(quality(model, image), goal))
        place = next(reached, None)
        found.append((theirs.seconds[-1], mine.seconds[-1 if place is None else place], place))
    draw(model, {"tf-keras-vis, its defaults": theirs, "ours": mine}, goal)
    row = Row(
        what="GoogLeNet, one picture as good as the peer's defaults",
        ours=f"{statistics.median(mine for _, mine, _ in found):.1f} s",
        peer=f"{statistics.median(other for other, _, _ in found):.1f} s",
        ratio="{:.1f} ({:.1f} to {:.1f})".format(
            *ratio_of_pairs([one[0] for one in found], [one[1] for one in found])
        ),
        target="at least 10 times sooner",
    )
    missed = sum(place is None for _, _, place in found)
    logit, variation = quality(model, mine.images[place or -1])
    note = (
        f"As good: the peer's 200 steps end at logit {goal[0]:.0f} and total variation "
        f"{goal[1]:.0f}; ours has {logit:.0f} and {variation:.0f} when it is there (preset “quick” "
        f"with total variation {SMOOTH:g} and no jitter; {missed} of {rounds} rounds never came "
        "there). Looking at the pictures in between is not counted for either. "
        f"[Logit over seconds](pictures/{CHART})."
    )
    return row, note


@dataclass(frozen=True, eq=False)
class Climb:
    """Pictures as they grew, and when."""

    seconds: list[float]  # since the first step began
    images: list[np.ndarray]


def climbed(running: Maximization, steps: int) -> Climb:
    """All pictures of a run; taking them out is not counted."""
    found, spent = Climb([], []), 0.0
    for _ in range(steps):
        began = time.perf_counter()
        step = running.step()
        spent += time.perf_counter() - began
        found.seconds.append(spent)
        found.images.append(step.images[0])
    return found


def good(now: tuple[float, float], goal: tuple[float, float]) -> bool:
    """Whether the logit is as high and total variation no higher."""
    return now[0] >= goal[0] and now[1] <= goal[1]


def draw(model: Any, climbs: dict[str, Climb], goal: tuple[float, float]) -> None:
    """Logit and total variation of the 8-bit pictures over seconds, as a picture in docs."""
    figure, axes = pyplot.subplots(2, 1, figsize=(7, 6), sharex=True, layout="constrained")
    for name, climb in climbs.items():
        told = np.array([quality(model, image) for image in climb.images])
        for axis, values in zip(axes, told.T, strict=True):
            axis.plot(climb.seconds, values, label=name)
    words = ("class logit of the 8-bit picture", "its total variation")
    for axis, title, wanted in zip(axes, words, goal, strict=True):
        axis.axhline(wanted, color="gray", linestyle=":", label="the peer's end")
        axis.set(ylabel=title, xscale="log")
        axis.grid(alpha=0.3)
    axes[1].set(xlabel="seconds", yscale="log")
    axes[0].legend()
    figure.savefig(ROOT / "docs" / "pictures" / CHART, dpi=110)


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as-good", action="store_true", help="Only seconds to a good picture.")
    given = parser.parse_args()
    rounds = given.rounds
    if given.as_good:
        print(*as_good(rounds), sep="\n")
        return
    rate = product_rate()
    many, seconds = compare(
        "VGG16, a class, 16 pictures at once", "vgg16", "class", 16, 1, rounds, "at least 1.8"
    )
    rows = [
        compare("GoogLeNet, a class", "googlenet", "class", 1, 20, rounds, "at least 2.5")[0],
        compare("VGG16, a class", "vgg16", "class", 1, 3, rounds, "at least 1.5")[0],
        compare(f"VGG16, {LAYER}", "vgg16", "filter", 1, 5, rounds, "at least 1.8")[0],
        many,
    ]
    share = 16 * FLOP / seconds / max(rate, product_rate())
    row, note = as_good(rounds)
    save(
        [*rows, row],
        [
            note,
            f"16 pictures of VGG16 reach {share:.0%} of the machine's matrix product "
            f"({rate / 1e9:.0f} GFLOP/s), reckoning {FLOP / 1e9:.0f} GFLOP a picture and step; "
            "80 % was wanted.",
        ],
    )


if __name__ == "__main__":
    main()
