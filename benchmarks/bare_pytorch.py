"""Against PyTorch: a bare loop of activation maximization, and training.

The loop is what an engineer would write instead: the same network with the same weights, Adam on
the pixels, one logit as the objective, no regularizer and no transform. Ours runs with jitter,
rotation, total variation and norm. Training is the same work as in `throughput`. PyTorch has a
process and an environment of its own, and runs in the fastest of four ways, which are tried
first: both layouts, eager and compiled.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import tensorflow as tf

from benchmarks._measure import ROOT, Row, machine, ratio_text, save, take_turns
from benchmarks._regions import write_part
from benchmarks._torch_peer import TorchLoop
from benchmarks.activation_maximization import CLASS, network, ours, start
from benchmarks.throughput import VALIDATION, plain, race
from cnnkit.datasets import load_dataset
from cnnkit.models import create_model
from cnnkit.training import Recipe, get_recipe
from cnnkit.visualize import class_logit, presets

NAMES = {"googlenet": "GoogLeNet", "vgg16": "VGG16"}
STEPS = {"googlenet": 8, "vgg16": 2}  # in a turn
DOCUMENT = ROOT / "docs" / "pytorch.md"
TARGETS = {"googlenet": "at least 1.3", "vgg16": "at least 1.0"}


def images(name: str, how: argparse.Namespace) -> tuple[Row, str]:
    """A row for one network, one image at a time, and how PyTorch ran."""
    model, steps = network(name), STEPS[name]
    task = {"loop": "ascent", "network": name, "unit": CLASS, "steps": steps}
    task["compile"] = not how.eager
    plan = presets.get("tf_keras_vis").plan(class_logit(CLASS), images=1, size=(224, 224))
    with TorchLoop(task, model, {"images": start(1)}, how.one_thread) as peer:
        contenders = {
            "ours": ours(model, plan, steps, _clock(how)),
            "peer": lambda: peer.seconds(steps),
        }
        times = take_turns(contenders, how.rounds)
    mine, theirs = (steps / statistics.median(times[key]) for key in ("ours", "peer"))
    row = Row(
        what=f"{NAMES[name]}, a class, with jitter, rotation and regularizers",
        ours=f"{mine:.2f} steps/s",
        peer=f"{theirs:.2f} steps/s, bare",
        ratio=_ratio(times),
        target=TARGETS[name],
    )
    return row, f"{NAMES[name]}: {_ways(peer.found, 'step', steps)}"


def training(name: str, how: argparse.Namespace) -> tuple[Row, str]:
    """A row for one network trained on MNIST, and how PyTorch ran."""
    recipe = get_recipe(name, "fast")
    count = how.steps * recipe.batch_size
    recipe = plain(recipe, count)
    dataset = load_dataset("mnist", validation_size=VALIDATION, train_size=count)
    model = create_model(name, seed=0, **recipe.model_options)
    # Zeros would give the same logits whatever comes before them.
    kernel = model.layers[-1].kernel
    kernel.assign(np.random.default_rng(0).normal(0, 0.1, kernel.shape))
    task = {**_training_task(recipe), "compile": not how.eager}
    with TorchLoop(task, model, _arrays(dataset), how.one_thread) as peer:
        times = race(recipe, dataset, {"peer": _Epochs(peer)}, how.rounds, _clock(how))
    mine, theirs = (count / statistics.median(times[key]) for key in ("ours", "peer"))
    row = Row(
        what=f"Training `{name}`, batches of {recipe.batch_size}",
        ours=f"{mine:,.0f} images/s",
        peer=f"{theirs:,.0f} images/s",
        ratio=_ratio(times),
        target="at least 1.0",
    )
    return row, f"`{name}`: {_ways(peer.found, 'epoch', 1)}"


def _clock(how: argparse.Namespace) -> Callable[[], float]:
    return time.process_time if how.one_thread else time.perf_counter


class _Epochs:
    """What `race` wants of a peer."""

    def __init__(self, loop: TorchLoop):
        self.loop = loop

    def seconds(self) -> float:
        return self.loop.seconds(1)


def _training_task(recipe: Recipe) -> dict:
    settings: dict = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay or 0.0}
    if recipe.optimizer == "sgd":
        settings |= {"momentum": recipe.momentum, "nesterov": recipe.nesterov}
    return {
        "loop": "training",
        "network": recipe.model,
        "options": {k: v for k, v in recipe.model_options.items() if k == "dropout"},
        "batch_size": recipe.batch_size,
        "optimizer": recipe.optimizer,
        "settings": settings,
        "steps": 1,
    }


def _arrays(dataset) -> dict[str, np.ndarray]:
    images, labels = dataset.part("train")
    unseen, unseen_labels = dataset.part("validation")
    return {
        "images": images,
        "labels": labels,
        "validation_images": unseen,
        "validation_labels": unseen_labels,
    }


def _ratio(times: dict[str, list[float]]) -> str:
    return ratio_text(times["peer"], times["ours"])


def _ways(found: dict, unit: str, steps: int) -> str:
    """How PyTorch was run, and what the other ways took."""
    tried = ", ".join(
        f"{way} {took / steps * 1000:.0f} ms" if isinstance(took, float) else f"{way} not at all"
        for way, took in found["tried"].items()
    )
    return f"PyTorch {found['torch']} at its best with {found['way']} (ms a {unit}: {tried})."


def describe(rows: list[Row], notes: list[str]) -> str:
    """A part of `docs/pytorch.md`."""
    lines = ["| what | ours | PyTorch | ratio | goal |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {r.what} | {r.ours} | {r.peer} | {r.ratio} | {r.target} |" for r in rows]
    said = [f"- {note}" for note in (*notes, *machine(), date.today().isoformat())]
    return "\n".join([*lines, "", *said])


def main() -> None:
    """Measure and print the rows; where all networks are measured, write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--one-thread", action="store_true", help="of each, by processor time: on a busy machine"
    )
    parser.add_argument("--eager", action="store_true", help="do not try torch.compile: minutes")
    parser.add_argument("--steps", type=int, default=48, help="batches in an epoch")
    known = [*NAMES, "lenet_tutorial", "deep_mnist"]
    parser.add_argument("networks", nargs="*", default=known, metavar="network", help=str(known))
    arguments = parser.parse_args()
    if arguments.one_thread:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    rows, notes = [], ["The logits of PyTorch's networks were compared with ours before."]
    for name in arguments.networks:
        if name in NAMES:
            row, note = images(name, arguments)
        else:
            row, note = training(name, arguments)
        rows.append(row)
        notes.append(note)
    if arguments.one_thread:
        notes.append("Each in one thread, by the time of the processor: others used the machine.")
    if arguments.networks == known:
        part = "one_thread" if arguments.one_thread else "whole_machine"
        write_part(DOCUMENT, part, describe(rows, notes))
    save(rows, notes)


if __name__ == "__main__":
    main()
