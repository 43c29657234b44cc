"""Training throughput: `cnnkit.training.fit` against plain `model.fit` of Keras.

Everybody does the same work: the same network, optimizer, loss, batch size and number of
pictures in a new order each epoch, without augmentation, and the same validation at the
end of each epoch. Keras's best settings are searched first, in this very run, over XLA,
steps per execution and the way the pictures are fed. Every training runs on through the
whole comparison and stands still between its epochs, which are what takes turns.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from benchmarks._epochs import Ended, Training
from benchmarks._measure import Row, ratio_of_pairs, save, take_turns
from cnnkit.datasets import Dataset, load_dataset
from cnnkit.models import create_model
from cnnkit.training import Augmentation, EpochEnded, Recipe, fit, get_recipe
from cnnkit.training._optimizers import make_loss, make_optimizer, penalise_kernels

EPOCHS = 10_000  # more than anybody waits for: a training ends when it is told to
VALIDATION = 1000  # pictures
FINALISTS = 3  # ways of Keras that meet ours


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
PLAIN = Way(False, 1, "arrays")
STEPS_PER_EXECUTION = (1, 16, 64)
FEEDS = ("arrays", "cached")
HOPELESS = 1.3  # XLA that is slower than without it by more than this is not tried further


def peer(recipe: Recipe, dataset: Dataset, way: Way) -> Training:
    """Plain Keras, warmed up by the epoch that compiles."""

    def train(ended: Ended) -> None:
        images, labels = dataset.part("train")
        model = create_model(recipe.model, seed=0, **recipe.model_options)
        penalise_kernels(model, recipe)
        model.compile(
            make_optimizer(recipe, -(-len(images) // recipe.batch_size)),
            make_loss(recipe),
            metrics=["accuracy"],
            jit_compile=way.jit_compile,
            steps_per_execution=way.steps_per_execution,
        )
        model.fit(
            # float32 in advance: the cast is not paid again in each step.
            **feed(way, images.astype("float32"), labels, recipe.batch_size),
            epochs=EPOCHS,
            validation_data=dataset.part("validation"),
            validation_batch_size=None if way == DEFAULTS else 500,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ended())],
            verbose=0,
        )

    return warm(Training(train))


def feed(way: Way, images: np.ndarray, labels: np.ndarray, batch_size: int) -> dict:
    """The arguments of `fit` that say what to learn from."""
    if way.feed == "arrays":
        return {"x": images, "y": labels, "batch_size": batch_size}
    pairs = tf.data.Dataset.from_tensor_slices((images, labels)).cache()
    batches = pairs.shuffle(len(images)).batch(batch_size)
    return {"x": batches.prefetch(tf.data.AUTOTUNE), "shuffle": False}


def ours(recipe: Recipe, dataset: Dataset) -> Training:
    """`cnnkit.training.fit`, warmed up like a peer."""

    def train(ended: Ended) -> None:
        fit(
            recipe,
            lambda event: ended() if isinstance(event, EpochEnded) else None,
            dataset=dataset,
        )

    return warm(Training(train))


def warm(training: Training) -> Training:
    """The same after its first epoch."""
    training.epoch()
    return training


def compare(model: str, steps: int, rounds: int) -> tuple[Row, Row, str]:
    """Two rows, against defaults and against the best, and what the best was."""
    recipe = get_recipe(model, "fast")
    pictures = steps * recipe.batch_size
    recipe = plain(recipe, pictures)
    dataset = load_dataset("mnist", validation_size=VALIDATION, train_size=pictures)
    peers, xla = search(recipe, dataset)
    tried = {name: training.epoch() for name, training in peers.items() if name != str(DEFAULTS)}
    # The best meet again with ours, in turns: one lucky epoch wins nothing.
    finalists = sorted(tried, key=tried.__getitem__)[:FINALISTS]
    for name in peers.keys() - {str(DEFAULTS), *finalists}:
        peers.pop(name).stop()
    contenders = {"ours": ours(recipe, dataset), **peers}
    times = take_turns({name: training.epoch for name, training in contenders.items()}, rounds)
    for training in contenders.values():
        training.stop()
    best = min(finalists, key=lambda name: statistics.median(times[name]))
    title = f"Training `{model}`, batches of {recipe.batch_size}, against Keras's"
    rows = (
        _row(f"{title} defaults", pictures, times, str(DEFAULTS), ""),
        _row(f"{title} best", pictures, times, best, "at least 0.95"),
    )
    note = f"Keras's best for `{model}`, of {len(tried)} ways tried: {best}. {xla}"
    return *rows, note


def _row(what: str, pictures: int, times: Mapping[str, list[float]], name: str, target: str) -> Row:
    mine, theirs = (pictures / statistics.median(times[key]) for key in ("ours", name))
    return Row(
        what=what,
        ours=f"{mine:,.0f} pictures/s",
        peer=f"{theirs:,.0f} pictures/s",
        ratio="{:.2f} ({:.2f} to {:.2f})".format(*ratio_of_pairs(times[name], times["ours"])),
        target=target,
    )


def search(recipe: Recipe, dataset: Dataset) -> tuple[dict[str, Training], str]:
    """Keras in every way that may be its best, by name, and what came of XLA."""
    pair = {str(way): peer(recipe, dataset, way) for way in (Way(True, 1, "arrays"), PLAIN)}
    times = take_turns({name: training.epoch for name, training in pair.items()}, 2)
    with_xla, without = (min(seconds) for seconds in times.values())
    kept = [
        jit
        for jit, seconds in ((True, with_xla), (False, without))
        if seconds <= HOPELESS * min(with_xla, without)
    ]
    ways = [Way(*choice) for choice in itertools.product(kept, STEPS_PER_EXECUTION, FEEDS)]
    peers = pair | {
        str(way): peer(recipe, dataset, way) for way in (DEFAULTS, *ways) if str(way) not in pair
    }
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
