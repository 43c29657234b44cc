"""What do the convolutions add? The toy network, all of it trained or its dense layers alone.

The experiment of eijian's post: ten networks that differ in their initial weights and
their patterns, followed over the epochs and over the seconds.
"""

from __future__ import annotations

import io
import json
import statistics
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.backprop.toy import POST, toy_network, toy_parts, toy_recipe
from cnnkit.backprop.training import ALL, DENSE, Epoch, one_thread, set_trainable, train
from cnnkit.errors import CorruptPackageError, InvalidRecipeError

TRAINED_LAYERS = (ALL, DENSE)
MEASURED = Path(__file__).resolve().parents[1] / "published" / "measured" / "convolutions.json"
MOST_EPOCHS, MOST_SEEDS = 2_000, 50
MEASURES = ("probability", "accuracy")  # as fields of `Epoch`
_COLUMNS = ("epochs", *MEASURES, "seconds")


@dataclass(frozen=True, kw_only=True)
class PublishedProbability:
    """A figure of the post."""

    layers: str  # those trained: ALL or DENSE
    epoch: int
    probability: float  # mean softmax probability of the true class, mean of ten runs
    seconds: float | None  # of the whole run, on his machine


# eijian: DeepLearning(4), is CNN backpropagation complete?, 2017, section 3.
PUBLISHED = (
    PublishedProbability(layers=ALL, epoch=200, probability=0.975, seconds=517),
    PublishedProbability(layers=DENSE, epoch=200, probability=0.742, seconds=157),
    PublishedProbability(layers=DENSE, epoch=500, probability=0.951, seconds=None),
)
PUBLISHED_PACE = {ALL: 0.387, DENSE: 1.273}  # epochs a second


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """What to run.

    Raises:
        InvalidRecipeError: a field has a value that cannot work; names it.
        UnknownToyRecipeError
    """

    recipe: str = POST.name
    epochs: int = 500
    seeds: int = 10  # networks of each choice of trained layers

    def __post_init__(self):
        """Check."""
        toy_recipe(self.recipe)
        for name, most in (("epochs", MOST_EPOCHS), ("seeds", MOST_SEEDS)):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= most:
                raise InvalidRecipeError(
                    f"{name} must be a whole number from 1 to {most:,}. Received: {value!r}."
                )

    @property
    def units(self) -> list[tuple[str, int]]:
        """Every training as (trained layers, seed); both of a seed follow each other."""
        return [(layers, seed) for seed in range(self.seeds) for layers in TRAINED_LAYERS]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ExperimentPlan:
        """From plain values; what is not there has its default."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingCurve:
    """One training; all arrays are (points,)."""

    layers: str  # those trained: ALL or DENSE
    seed: int
    epochs: np.ndarray  # int, 1-based, rising
    probability: np.ndarray
    accuracy: np.ndarray
    seconds: np.ndarray  # of training, since it began

    @property
    def epoch_above_half(self) -> int | None:
        """First epoch (1-based) whose mean probability is above one half; None: never."""
        above = self.epochs[self.probability > 0.5]
        return int(above[0]) if len(above) else None

    def at(self, epoch: int, measure: str) -> float | None:
        """A measure after an epoch (1-based); None: it was not kept."""
        values = getattr(self, measure)[self.epochs == epoch]
        return float(values[0]) if len(values) else None

    def thinned(self, every: int) -> TrainingCurve:
        """Only the first epoch and every so many."""
        chosen = (self.epochs % every == 0) | (self.epochs == 1)
        arrays = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return TrainingCurve(layers=self.layers, seed=self.seed, **arrays)

    def to_bytes(self) -> bytes:
        """As the content of an `.npz` file."""
        file = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _COLUMNS}
        np.savez_compressed(file, way=self.layers, seed=self.seed, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> TrainingCurve:
        """From the content of an `.npz` file.

        Raises:
            ValueError: it is something else, or damaged.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {name: file[name] for name in _COLUMNS}
                return cls(layers=str(file["way"]), seed=int(file["seed"]), **arrays)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"no curve can be read from it ({error})") from error


def train_network(plan: ExperimentPlan, layers: str, seed: int) -> Iterator[Epoch]:
    """One training of the experiment, epoch by epoch."""
    recipe = toy_recipe(plan.recipe)
    network = toy_network(recipe, seed)
    set_trainable(network, layers)
    with one_thread():
        yield from train(
            network,
            *toy_parts(seed),
            epochs=plan.epochs,
            learning_rate=recipe.learning_rate,
            batch_size=recipe.batch_size,
        )


def curve(layers: str, seed: int, epochs: Sequence[Epoch]) -> TrainingCurve:
    """The curve of a training that has ended."""
    numbers = np.array([epoch.number for epoch in epochs])
    columns = {name: np.array([getattr(one, name) for one in epochs]) for name in _COLUMNS[1:]}
    return TrainingCurve(layers=layers, seed=seed, epochs=numbers, **columns)


def curves_of(curves: Sequence[TrainingCurve], layers: str) -> list[TrainingCurve]:
    """The curves of the networks with these layers trained, in order of seed."""
    return sorted((one for one in curves if one.layers == layers), key=lambda one: one.seed)


def mean_at(curves: Sequence[TrainingCurve], epoch: int, measure: str) -> float | None:
    """Mean of a measure over curves that reach an epoch (1-based); None: none does."""
    values = [value for one in curves if (value := one.at(epoch, measure)) is not None]
    return statistics.mean(values) if values else None


def measured(recipe: str = POST.name) -> list[TrainingCurve]:
    """What the project measured: ten seeds of each choice of trained layers, 500 epochs.

    Args:
        recipe: name of a `ToyRecipe`.

    Raises:
        CorruptPackageError: the file cannot be read.
    """
    return [one for name, one in _measured_curves() if name == recipe]


@dataclass(frozen=True, kw_only=True)
class SeedSpread:
    """Results of all seeds of the post's recipe with all layers trained."""

    epoch: int
    values: np.ndarray  # mean probability of every seed after that epoch
    share: float  # of random samples of ten, whose mean is at least as published

    @property
    def late(self) -> int:
        """Seeds still at or below one half by then."""
        return int((self.values <= 0.5).sum())


def seed_spread() -> SeedSpread:
    """What the project measured over all its seeds of the post's recipe.

    Raises:
        CorruptPackageError
    """
    theirs = PUBLISHED[0]
    first = [
        one.at(theirs.epoch, "probability") or 0 for one in curves_of(measured(), theirs.layers)
    ]
    values = np.array([*first, *measured_record()["further"]])
    draws = np.random.default_rng(0).choice(values, (20_000, len(first)))
    share = (draws.mean(axis=1) >= theirs.probability).mean()
    return SeedSpread(epoch=theirs.epoch, values=values, share=float(share))


def measured_record() -> dict[str, Any]:
    """The whole record of `python -m benchmarks.backprop`: machine, day, curves, further draws.

    Raises:
        CorruptPackageError
    """
    try:
        return json.loads(MEASURED.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptPackageError(MEASURED, f"cannot be read ({error})") from error


@cache
def _measured_curves() -> tuple[tuple[str, TrainingCurve], ...]:
    def read(row: Mapping[str, Any]) -> TrainingCurve:
        columns = {name: np.array(row[name]) for name in _COLUMNS}
        return TrainingCurve(layers=row["way"], seed=row["seed"], **columns)

    try:
        return tuple((row["recipe"], read(row)) for row in measured_record()["curves"])
    except (KeyError, TypeError) as error:
        raise CorruptPackageError(MEASURED, f"lacks {error}") from error
