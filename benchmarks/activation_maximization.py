"""Activation maximization: images·steps a second against tf-keras-vis.

Both optimize images for the same network from the same start with the peer's own settings:
jitter, rotation, total variation, norm, RMSprop. Networks without their official weights here
have random ones, which changes no speed. The peer runs as its documentation says.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis.activation_maximization import ActivationMaximization
from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer
from tf_keras_vis.utils.scores import CategoricalScore

from benchmarks._measure import Row, ratio_text, save, take_turns
from cnnkit.models import load_pretrained, pretrained_info
from cnnkit.visualize import Plan, channel, class_logit, presets
from cnnkit.visualize.optimize import Maximization
from cnnkit.visualize.step import CompiledSteps

CLASS, FILTER, LAYER = 130, 30, "block3_conv1"
FLOP = 62e9  # of one VGG16 forward and input-gradient pass at 224×224
SIDE = 2048  # of the matrices whose product says what the machine can do


def network(name: str) -> keras.Model:
    """A pretrained network, with random weights where its own are missing."""
    official = "imagenet" if pretrained_info(name).available else None
    return load_pretrained(name, weights=official)


def start(images: int) -> np.ndarray:
    """The noise that both begin with."""
    noise = np.random.default_rng(0).uniform(0, 255, (images, 224, 224, 3))
    return noise.astype(np.float32)


def ours(model: Any, plan: Plan, steps: int, clock=time.perf_counter) -> Callable[[], float]:
    """Seconds for some steps of ours, compiled before."""
    engines, images = CompiledSteps(model), start(plan.images)
    Maximization(engines, plan, images=images).step()

    def seconds() -> float:
        running = Maximization(engines, plan, images=images)
        began = clock()
        for _ in range(steps):
            running.step()
        return clock() - began

    return seconds


def theirs(model: Any, score: Any, images: int, steps: int, **how: Any) -> Callable[[], float]:
    """Seconds for as many of the peer's, which has run once before."""
    maximization = ActivationMaximization(model, clone=False, **how)
    maximization(score, seed_input=start(images), steps=1)

    def seconds() -> float:
        began = time.perf_counter()
        maximization(score, seed_input=start(images), steps=steps)
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
    what: str, name: str, unit: str, images: int, steps: int, rounds: int, target: str
) -> tuple[Row, float]:
    """One row, and the seconds of a step of ours."""
    model = network(name)
    preset = presets.get("tf_keras_vis")
    if unit == "class":
        objective, score, how = class_logit(CLASS), CategoricalScore([CLASS] * images), {}
    else:
        objective, score = channel(LAYER, FILTER), CategoricalScore([FILTER] * images)
        how = {"model_modifier": ExtractIntermediateLayer(LAYER)}
    plan = preset.plan(objective, images=images, size=(224, 224))
    times = take_turns(
        {
            "ours": ours(model, plan, steps),
            "peer": theirs(model, score, images, steps, **how),
        },
        rounds,
    )
    mine, other = (statistics.median(times[key]) / steps for key in ("ours", "peer"))
    row = Row(
        what=what,
        ours=f"{images / mine:.2f} images·steps/s",
        peer=f"{images / other:.2f} images·steps/s",
        ratio=ratio_text(times["peer"], times["ours"]),
        target=target,
    )
    return row, mine


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    rate = product_rate()
    many, seconds = compare(
        "VGG16, a class, 16 images at once", "vgg16", "class", 16, 1, rounds, "at least 1.8"
    )
    rows = [
        compare("GoogLeNet, a class", "googlenet", "class", 1, 20, rounds, "at least 2.5")[0],
        compare("VGG16, a class", "vgg16", "class", 1, 3, rounds, "at least 1.5")[0],
        compare(f"VGG16, {LAYER}", "vgg16", "filter", 1, 5, rounds, "at least 1.8")[0],
        many,
    ]
    share = 16 * FLOP / seconds / max(rate, product_rate())
    save(
        rows,
        [
            f"16 images of VGG16 reach {share:.0%} of the machine's matrix product "
            f"({rate / 1e9:.0f} GFLOP/s), reckoning {FLOP / 1e9:.0f} GFLOP an image and step; "
            "80 % was wanted.",
        ],
    )


if __name__ == "__main__":
    main()
