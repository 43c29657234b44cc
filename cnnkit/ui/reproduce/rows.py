"""What is known of each published figure: the project's measurements and this machine's runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnnkit.jobs.kinds import TRAINED
from cnnkit.published.measurements import (
    Measurement,
    identity,
    measurements,
    measurements_of,
    paces,
)
from cnnkit.published.reproductions import Reproduction, list_reproductions
from cnnkit.runs import Run, Status
from cnnkit.training import Recipe
from cnnkit.training.estimates import estimate, recipe_of
from cnnkit.ui.common import cache


@dataclass(frozen=True, kw_only=True)
class Row:
    """A published figure with all that is known of it."""

    published: Reproduction
    shipped: Sequence[Measurement]  # measured by the project, one a seed
    runs: Sequence[Run] = field(default_factory=tuple)  # of this machine, newest first

    @property
    def finished(self) -> list[Run]:
        """Runs of this machine that have the figure."""
        done = [run for run in self.runs if run.status is Status.FINISHED]
        return [run for run in done if self.published.measure in run.metrics]

    @property
    def unfinished(self) -> Run | None:
        """The newest run that is queued, running or can go on, if nothing came after it."""
        return self.runs[0] if self.runs and self.runs[0].status is not Status.FINISHED else None

    @property
    def ours(self) -> float | None:
        """The mean over the project's seeds and this machine's runs; None: nothing yet."""
        metric = self.published.measure
        values = [one.metrics[metric] for one in self.shipped if metric in one.metrics]
        seeds = {one.recipe.seed for one in self.shipped}
        # The same seed again is not another measurement.
        values += [
            run.metrics[metric] for run in self.finished if run.spec.get("seed") not in seeds
        ]
        return sum(values) / len(values) if values else None

    @property
    def next_seed(self) -> int:
        """The smallest seed that no run of this machine has used."""
        used = {run.spec.get("seed") for run in self.runs}
        return next(seed for seed in range(len(used) + 1) if seed not in used)


def list_rows() -> list[Row]:
    """Every published figure with what is known of it.

    Raises:
        StorageError, CorruptAssetError
    """
    runs = [run for run in cache.list_runs() if run.kind in TRAINED and not run.starter]
    # Fingerprints are slow to make: one a run, not one for each run and figure.
    identities = {run.id: identity(recipe) for run in runs if (recipe := recipe_of(run.spec))}
    return [
        Row(
            published=published,
            shipped=measurements_of(published.identity),
            runs=[run for run in runs if identities.get(run.id) == published.identity],
        )
        for published in list_reproductions()
    ]


def submit(row: Row) -> Run:
    """Queue a run of a row with a seed that this machine has not used.

    Raises:
        JobError, StorageError
    """
    recipe = row.published.seeded(row.next_seed)
    return cache.jobs().submit(kind="train", spec=recipe.to_dict(), name=row.published.title)


def expected(row: Row) -> tuple[float, str] | None:
    """Seconds that a row takes and what they rest on: runs here, else what the project measured."""
    recipe = row.published.recipe
    if recipe.head is None:
        return _estimate(recipe, row)
    complete = complete_timings(row.shipped)
    if not complete:
        return None
    middle = median_time(complete)
    return middle.seconds, f"measured on {middle.where}"


def _estimate(recipe: Recipe, row: Row) -> tuple[float, str] | None:
    history = cache.store().history
    own = [
        ("measured here", stored, history(run.id))
        for run in row.finished[:1]
        if (stored := recipe_of(run.spec))
    ]
    shipped = [*paces(row.shipped), *paces(measurements())]
    best = estimate(recipe, own) or estimate(recipe, shipped)
    return (best.seconds, best.source) if best else None


def complete_timings(measured: Sequence[Measurement]) -> list[Measurement]:
    """Measurements whose time is that of the whole training: no cached features were used."""
    return [one for one in measured if not one.shared]


def median_time(measured: Sequence[Measurement]) -> Measurement:
    """The measurement with the median time."""
    return sorted(measured, key=lambda one: one.seconds)[len(measured) // 2]
