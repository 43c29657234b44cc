"""Training throughput: `cnnkit.training.fit` against plain `model.fit` of Keras.

Everybody does the same work: the same network, optimizer, loss, batch size and number of
pictures, without augmentation, and the same validation at the end of each epoch. Keras's
best settings are searched first, in this very run, over XLA, steps per execution and the
way the pictures are fed.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from benchmarks._measure import Row, ratio_of_pairs, save, take_turns
from cnnkit.datasets import Dataset, load_dataset
from cnnkit.models import create_model
from cnnkit.training import Augmentation, EpochEnded, Recipe, fit, get_recipe
from cnnkit.training._optimizers import make_loss, make_optimizer, penalise_kernels

EPOCHS = 3  # the first one, which compiles, does not count
VALIDATION = 1000  # pictures


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
        penalise_kernels(self.model, recipe)
        self.model.compile(
            make_optimizer(recipe, self.steps),
            make_loss(recipe),
            metrics=["accuracy"],
            jit_compile=way.jit_compile,
            steps_per_execution=way.steps_per_execution,
        )
        # float32 in advance: the cast is not paid again in each step.
        self.train = self._feed(images.astype("float32"), labels)
        self.validation = tuple(array[:VALIDATION] for array in dataset.part("validation"))
        self.seconds(epochs=1)

    def _feed(self, images: np.ndarray, labels: np.ndarray) -> dict:
        if self.way.feed == "arrays":
            return {"x": images, "y": labels, "batch_size": self.recipe.batch_size}
        pairs = tf.data.Dataset.from_tensor_slices((images, labels)).cache()
        batches = pairs.shuffle(len(images)).batch(self.recipe.batch_size)
        return {"x": batches.prefetch(tf.data.AUTOTUNE), "shuffle": False}

    def seconds(self, epochs: int = 1) -> float:
        """Of one epoch, the median of some."""
        clock = Clock()
        self.model.fit(
            **self.train,
            epochs=epochs,
            validation_data=self.validation,
            validation_batch_size=None if self.way == DEFAULTS else 500,
            callbacks=[clock],
            verbose=0,
        )
        return statistics.median(clock.seconds)


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch with its validation."""

    def __init__(self):
        """Begin with none."""
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        """Start."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Stop; Keras has validated by now."""
        self.seconds.append(time.perf_counter() - self._began)


def ours(recipe: Recipe, dataset: Dataset) -> float:
    """Seconds of one epoch of `cnnkit.training.fit`, between the ends of two epochs."""
    ends: list[float] = []

    def report(event):
        if isinstance(event, EpochEnded):
            ends.append(time.perf_counter())

    fit(recipe, report, dataset=dataset)
    return statistics.median(np.diff(ends))


def compare(model: str, steps: int, rounds: int) -> tuple[Row, Row, str]:
    """Two rows, against defaults and against the best, and what the best was."""
    recipe = get_recipe(model, "fast")
    pictures = steps * recipe.batch_size
    recipe = plain(recipe, pictures)
    dataset = load_dataset("mnist", validation_size=VALIDATION, train_size=pictures)
    peers, xla = search(recipe, dataset)
    tried = {name: peer.seconds() for name, peer in peers.items() if name != str(DEFAULTS)}
    # The three best meet again with ours, in turns: one lucky epoch wins nothing.
    finalists = sorted(tried, key=tried.__getitem__)[:3]
    contenders = {name: peers[name].seconds for name in {str(DEFAULTS), *finalists}}
    times = take_turns({"ours": lambda: ours(recipe, dataset), **contenders}, rounds)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    best = min(finalists, key=medians.__getitem__)
    rate = {name: pictures / seconds for name, seconds in medians.items()}
    rows = tuple(
        Row(
            what=f"Training `{model}`, batches of {recipe.batch_size}, against Keras's {title}",
            ours=f"{rate['ours']:,.0f} pictures/s",
            peer=f"{rate[name]:,.0f} pictures/s",
            ratio="{:.2f} ({:.2f} to {:.2f})".format(*ratio_of_pairs(times[name], times["ours"])),
            target="at least 0.95" if title == "best" else "",
        )
        for title, name in (("defaults", str(DEFAULTS)), ("best", best))
    )
    note = f"Keras's best for `{model}`, of {len(tried)} ways tried: {best}. {xla}"
    return *rows, note


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
    verdict = "" if len(kept) == 2 else ", so it was tried no further"
    return peers, f"An epoch with XLA took {with_xla / without:.2f} times that without{verdict}."


def plain(recipe: Recipe, pictures: int) -> Recipe:
    """The recipe's step, with nothing around it that plain Keras would not do."""
    return recipe.replace(
        dataset="mnist",
        train_size=pictures,
        validation_size=VALIDATION,
        epochs=EPOCHS,
        steps_per_epoch=None,
        warmup_epochs=0.0,
        augmentation=Augmentation(),
        stopping=None,
        keep_best=None,
    )


def main() -> None:
    """Measure both networks and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=64, help="batches in an epoch")
    arguments = parser.parse_args()
    rows, notes = [], []
    for model in ("lenet_tutorial", "deep_mnist"):
        *compared, note = compare(model, arguments.steps, arguments.rounds)
        rows += compared
        notes.append(note)
    save(rows, notes)


if __name__ == "__main__":
    main()
