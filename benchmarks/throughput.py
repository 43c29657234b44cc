"""Training throughput: `cnnkit.training.fit` against plain `model.fit` of Keras.

Everybody does the same work: the same network, optimizer, loss, batch size and number of
images in a new order each epoch, without augmentation, and the same validation at the
end of each epoch. Keras's best settings are searched first, in this very run, over XLA,
steps per execution and the way the images are fed. The best then have their turns
between the epochs of ours, so that a pair of epochs is seconds apart and nobody compiles
while it is timed.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks._measure import Row, ratio_text, save, take_turns
from cnnkit.datasets import Dataset, load_dataset
from cnnkit.models import create_model
from cnnkit.training import Augmentation, EpochEnded, Recipe, fit, get_recipe
from cnnkit.training._compile import add_kernel_penalties, make_loss, make_optimizer

VALIDATION = 1000  # images
FINALISTS = 3  # ways of Keras that meet ours

Times = dict[str, list[float]]  # seconds of each epoch, by name


@dataclass(frozen=True)
class Way:
    """How Keras is told to do it."""

    jit_compile: bool | str
    steps_per_execution: int
    feed: str  # "arrays", or "cached" for a tf.data pipeline

    def __str__(self) -> str:
        """As it is written in the table."""
        return (
            f"jit_compile={self.jit_compile}, steps_per_execution={self.steps_per_execution}, "
            f"{'NumPy arrays' if self.feed == 'arrays' else 'cached, prefetched tf.data'}"
        )


DEFAULTS = Way("auto", 1, "arrays")
STEPS_PER_EXECUTION = (1, 16, 64)
FEEDS = ("arrays", "cached")
HOPELESS = 1.3  # XLA that is slower than without it by more than this is not tried further


class Peer:
    """Plain Keras, compiled once; every call trains on."""

    def __init__(self, recipe: Recipe, dataset: Dataset, way: Way):
        """Build, compile, and make the first steps, which are slow."""
        self.recipe, self.way = recipe, way
        images, labels = dataset.part("train")
        self.steps = -(-len(images) // recipe.batch_size)
        self.model = create_model(recipe.model, seed=0, **recipe.model_options)
        add_kernel_penalties(self.model, recipe)
        self.model.compile(
            make_optimizer(recipe, self.steps),
            make_loss(recipe),
            metrics=["accuracy"],
            jit_compile=way.jit_compile,
            steps_per_execution=way.steps_per_execution,
        )
        # float32 in advance: the cast is not paid again in each step.
        self.train = self._feed(images.astype("float32"), labels)
        self.validation = dataset.part("validation")
        self.seconds()

    def _feed(self, images: np.ndarray, labels: np.ndarray) -> dict:
        if self.way.feed == "arrays":
            return {"x": images, "y": labels, "batch_size": self.recipe.batch_size}
        pairs = tf.data.Dataset.from_tensor_slices((images, labels)).cache()
        batches = pairs.shuffle(len(images)).batch(self.recipe.batch_size)
        return {"x": batches.prefetch(tf.data.AUTOTUNE), "shuffle": False}

    def seconds(self) -> float:
        """Of the next epoch."""
        clock = Clock()
        self.model.fit(
            **self.train,
            validation_data=self.validation,
            validation_batch_size=None if self.way == DEFAULTS else 500,
            callbacks=[clock],
            verbose=0,
        )
        return clock.seconds


class Clock(keras.callbacks.Callback):
    """Seconds of an epoch with its validation."""

    seconds = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        """Start."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Stop; Keras has validated by now."""
        self.seconds = time.perf_counter() - self._began


def race(
    recipe: Recipe,
    dataset: Dataset,
    peers: Mapping[str, Any],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Seconds of each epoch of ours and of the peers, which have their turns in between.

    Ours is timed from the end of the last peer's epoch to the end of its own.
    """
    times: Times = {name: [] for name in ("ours", *peers)}
    began = 0.0

    def report(event):
        nonlocal began
        if not isinstance(event, EpochEnded):
            return
        if event.epoch > 1:  # the first one compiles
            times["ours"].append(clock() - began)
        if event.epoch <= rounds:
            turn = event.epoch % len(peers)
            for name in [*peers, *peers][turn : turn + len(peers)]:
                times[name].append(peers[name].seconds())
            print(
                f"  round {event.epoch}: { {n: t[-1:] for n, t in times.items()} }", file=sys.stderr
            )
        began = clock()

    fit(recipe.replace(epochs=rounds + 1), report, dataset=dataset)
    return times


def compare(model: str, steps: int, rounds: int) -> tuple[Row, Row, str]:
    """Two rows, against defaults and against the best, and what the best was."""
    recipe = get_recipe(model, "fast")
    images = steps * recipe.batch_size
    recipe = plain(recipe, images)
    dataset = load_dataset("mnist", validation_size=VALIDATION, train_size=images)
    peers, xla = search(recipe, dataset)
    tried = {name: peer.seconds() for name, peer in peers.items() if name != str(DEFAULTS)}
    # The best meet again with ours, in turns: one lucky epoch wins nothing.
    finalists = sorted(tried, key=tried.__getitem__)[:FINALISTS]
    times = race(recipe, dataset, {n: peers[n] for n in (str(DEFAULTS), *finalists)}, rounds)
    best = min(finalists, key=lambda name: statistics.median(times[name]))
    title = f"Training `{model}`, batches of {recipe.batch_size}, against Keras's"
    rows = (
        _row(f"{title} defaults", images, times, str(DEFAULTS), ""),
        _row(f"{title} best", images, times, best, "at least 0.95"),
    )
    note = f"Keras's best for `{model}`, of {len(tried)} ways tried: {best}. {xla}"
    return *rows, note


def _row(what: str, images: int, times: Times, name: str, target: str) -> Row:
    mine, theirs = (images / statistics.median(times[key]) for key in ("ours", name))
    return Row(
        what=what,
        ours=f"{mine:,.0f} images/s",
        peer=f"{theirs:,.0f} images/s",
        ratio=ratio_text(times[name], times["ours"]),
        target=target,
    )


def search(recipe: Recipe, dataset: Dataset) -> tuple[dict[str, Peer], str]:
    """Keras in every way that may be its best, by name, and what came of XLA."""
    pair = [Peer(recipe, dataset, Way(jit, 1, "arrays")) for jit in (True, False)]
    times = take_turns({str(peer.way): peer.seconds for peer in pair}, 2)
    with_xla, without = (min(seconds) for seconds in times.values())
    kept = [
        jit
        for jit, seconds in ((True, with_xla), (False, without))
        if seconds <= HOPELESS * min(with_xla, without)
    ]
    ways = [Way(*choice) for choice in itertools.product(kept, STEPS_PER_EXECUTION, FEEDS)]
    peers = {str(peer.way): peer for peer in pair}
    for way in (DEFAULTS, *ways):
        if str(way) not in peers:
            peers[str(way)] = Peer(recipe, dataset, way)
    note = "" if len(kept) == 2 else ", so it was tried no further"
    return peers, f"An epoch with XLA took {with_xla / without:.2f} times that without{note}."


def plain(recipe: Recipe, images: int) -> Recipe:
    """The recipe's step, with nothing around it that plain Keras would not do."""
    return recipe.replace(
        dataset="mnist",
        train_size=images,
        validation_size=VALIDATION,
        steps_per_epoch=None,
        warmup_epochs=0.0,
        augmentation=Augmentation(),
        stopping=None,
        keep_best=None,
    )


def main() -> None:
    """Measure both networks and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=48, help="batches in an epoch")
    parser.add_argument("models", nargs="*", default=["lenet_tutorial", "deep_mnist"])
    arguments = parser.parse_args()
    rows, notes = [], []
    for model in arguments.models:
        *compared, note = compare(model, arguments.steps, arguments.rounds)
        rows += compared
        notes.append(note)
    save(rows, notes)


if __name__ == "__main__":
    main()
