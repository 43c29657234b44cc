"""Fine-tuning with and without cached features, its input pipeline, and its memory.

Each round runs both ways for two epochs, of which the second is timed: the first compiles.
Images are noise and weights are random: neither changes how long anything takes. Memory is
what the process itself has allocated (RssAnon), at its highest, in processes of their own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks._measure import ROOT, Row, ratio_of_pairs, save, take_turns
from cnnkit.datasets import Dataset, DatasetSpec
from cnnkit.training import FeatureCache, Head, Phase, Recipe
from cnnkit.training.recipes import AUGMENTATION_PRESETS

TRAIN, VALIDATION, CLASSES = 32, 8, 17
STREAMED = 8  # batches
SIDE = 128  # pixels of the images of the memory test
MANY, FEW = 20_000, 2_000
# Network, size, lowest layer that learns, what the ratio should be.
CASES = (
    ("vgg16", 150, "block5", "at least 3.5"),
    ("vgg16", 150, "head", "at least 8"),
    ("mobilenet_v2", 224, "block_15", ""),
    ("mobilenet_v2", 224, "head", ""),
)


def noise(images: np.ndarray, train: int, validation: int) -> Dataset:
    """A data set of these images, labels in turn."""
    labels = np.arange(len(images)) % CLASSES
    spec = DatasetSpec(
        name="noise", title="Noise", input_shape=images.shape[1:],
        class_names=tuple(map(str, range(CLASSES))), images=(train + validation, 1),
        description="", source="", license="", embedded=True,
    )  # fmt: skip
    order = np.arange(len(images))
    splits = {
        "train": order[:train],
        "validation": order[train : train + validation],
        "test": order[-1:],
    }
    return Dataset(spec=spec, images=images, labels=labels, splits=splits, fingerprint="noise")


def recipe(model: str, size: int, train_from: str, **changes) -> Recipe:
    """Two epochs of a network with random weights."""
    head = Head(kind="flatten", units=256, dropout=0.5) if model == "vgg16" else Head()
    values = {
        "model": model, "weights": "random", "size": size, "head": head, "dataset": "noise",
        "phases": (Phase(train_from=train_from, epochs=2),), "keep_best": None,
        "batch_size": 32, "optimizer": "adamw", "schedule": "cosine",
    }  # fmt: skip
    return Recipe(**values | changes)


def epoch_seconds(wanted: Recipe, dataset: Dataset, store: FeatureCache) -> float:
    """Of the second epoch, validation included."""
    from cnnkit.training import fit

    return fit(wanted, dataset=dataset, cache=store).history[-1]["seconds"]


def compare(case: tuple[str, int, str, str], rounds: int, store: FeatureCache) -> Row:
    """An epoch with cached features, and the same without."""
    model, size, train_from, target = case
    images = np.random.default_rng(0).integers(
        0, 256, (TRAIN + VALIDATION + 1, size, size, 3), np.uint8
    )
    dataset = noise(images, TRAIN, VALIDATION)
    wanted = recipe(model, size, train_from)
    plain = wanted.replace(cached=False)
    seconds = take_turns(
        {
            "kept": lambda: epoch_seconds(wanted, dataset, store),
            "plain": lambda: epoch_seconds(plain, dataset, store),
        },
        rounds,
    )
    ratio = ratio_of_pairs(seconds["plain"], seconds["kept"])
    return Row(
        what=f"An epoch of `{model}` from `{train_from}` on, {size} pixels, {TRAIN} images",
        ours=f"{np.median(seconds['kept']):.2f} s with cached features",
        peer=f"{np.median(seconds['plain']):.2f} s without",
        ratio="{:.1f} ({:.1f} to {:.1f})".format(*ratio),
        target=target,
    )


def pipeline(model: str, size: int, store: FeatureCache, rounds: int) -> Row:
    """The stream of changed images by itself, against a network that learns from them."""
    from cnnkit.training.pipeline import BatchStream

    images = np.random.default_rng(0).integers(0, 256, (TRAIN + VALIDATION + 1, 256, 256, 3))
    dataset = noise(images.astype(np.uint8), TRAIN, VALIDATION)
    wanted = recipe(model, size, "head", cached=False, augmentation=AUGMENTATION_PRESETS["flowers"])
    training, labels = dataset.part("train")
    # Several batches are under way at once: an epoch of one would not show it.
    learning = wanted.for_phase(0).replace(steps_per_epoch=STREAMED)
    batches = BatchStream(training, labels, learning, size=(size, size))
    stream = batches.dataset()

    def read() -> float:
        batches.begin(0)
        began = time.perf_counter()
        for _ in stream:
            pass
        return (time.perf_counter() - began) / (STREAMED * learning.batch_size)

    read()  # compiles
    speeds = take_turns(
        {
            "stream": read,
            "network": lambda: epoch_seconds(wanted, dataset, store) / (TRAIN + VALIDATION),
        },
        rounds,
    )
    return Row(
        what=f"Changed images of {size} pixels, against `{model}` with all but the head frozen",
        ours=f"{1 / np.median(speeds['stream']):,.0f} images/s by the stream alone",
        peer=f"{1 / np.median(speeds['network']):,.1f} images/s by the network",
        ratio="{:.1f} ({:.1f} to {:.1f})".format(
            *ratio_of_pairs(speeds["network"], speeds["stream"])
        ),
        target="at least 5",
    )


def memory() -> Row:
    """Highest memory of fine-tuning on few and on many images."""
    few, many = (_in_child(count) for count in (FEW, MANY))
    return Row(
        what=f"RssAnon of fine-tuning on {MANY:,} images of {SIDE} pixels, by {FEW:,}",
        ours=f"{many / 2**20:,.0f} MiB",
        peer=f"{few / 2**20:,.0f} MiB",
        ratio=f"{(many - few) / 2**20:+,.0f} MiB",
        target="at most 300 MB more",
    )


def _in_child(images: int) -> int:
    command = [sys.executable, "-m", "benchmarks.transfer", "--images", str(images)]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output.splitlines()[-1])


def highest_memory(count: int) -> int:
    """RssAnon in bytes, at its highest while this process fine-tunes on so many count."""
    from cnnkit.training import fit

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        shape = (count, SIDE, SIDE, 3)
        images = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        generator = np.random.default_rng(0)
        for start in range(0, count, 500):
            images[start : start + 500] = generator.integers(0, 256, (500, *shape[1:]), np.uint8)
        del images
        dataset = noise(np.load(path, mmap_mode="r"), count * 8 // 10, count // 10)
        watch = _Watch()
        fit(
            recipe("photo_cnn", 48, "block3", feature_type="float16"),
            dataset=dataset,
            cache=FeatureCache(Path(folder) / "features", 2**33),
        )
        return watch.end()


class _Watch:
    """Looks at RssAnon ten times a second."""

    def __init__(self):
        self.highest = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> int:
        self._over.set()
        self._thread.join()
        return self.highest

    def _look(self) -> None:
        while not self._over.wait(0.1):
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    self.highest = max(self.highest, 1024 * int(line.split()[1]))


def main() -> None:
    """Measure everything and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--images", type=int, help="only print the memory that so many need")
    arguments = parser.parse_args()
    if arguments.images:
        print(highest_memory(arguments.images))
        return
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureCache(Path(folder), 2**33)
        rows = [compare(case, arguments.rounds, store) for case in CASES]
        rows += [pipeline("mobilenet_v2", 224, store, arguments.rounds)]
        rows += [pipeline("vgg16", 150, store, arguments.rounds)]
    rows.append(memory())
    save(rows, ["What is kept was computed before; computing it costs one pass forwards."])


if __name__ == "__main__":
    main()
