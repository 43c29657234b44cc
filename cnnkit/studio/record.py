"""Finished images in the record of runs: what was climbed, how, and what came of it."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cnnkit.runs import RunStore, Status
from cnnkit.settings import Settings
from cnnkit.studio.sources import Source
from cnnkit.visualize.plan import Plan

KIND = "visualize"
IMAGE, PLAN, CURVES = "image.png", "plan.json", "curves.csv"


@dataclass(frozen=True, kw_only=True)
class Finished:
    """One finished optimisation, as it is recorded."""

    title: str  # for people
    address: Mapping[str, str]  # of the page that made it
    source: Source
    plan: Plan
    shown: np.ndarray  # uint8 (images, height, width, channels)
    curves: Mapping[str, Sequence[float]]


def record(settings: Settings, finished: Finished) -> str:
    """Keep it as a finished run.

    Returns:
        The run's id.
    """
    store = RunStore(settings)
    spec: dict[str, Any] = {
        "source": finished.source.to_dict(),
        # The plan itself may be longer than the record's tags; it is a file beside it.
        "objective": str(finished.plan.objective)[:1000],
        "steps": finished.plan.steps,
        "seed": finished.plan.seed,
        "address": dict(finished.address),
    }
    run = store.create(KIND, spec, finished.title, status=Status.FINISHED)
    with tempfile.TemporaryDirectory() as folder:
        for path in _written(Path(folder), finished):
            store.add_artifact(run.id, path)
    last = {name: values[-1] for name, values in finished.curves.items() if values}
    store.set_metrics(run.id, {name.replace("/", "_"): value for name, value in last.items()})
    return run.id


def _written(folder: Path, finished: Finished) -> list[Path]:
    row = np.concatenate(list(finished.shown), axis=1)
    Image.fromarray(row[..., 0] if row.shape[-1] == 1 else row).save(folder / IMAGE)
    (folder / PLAN).write_text(finished.plan.to_json(), "utf-8")
    with (folder / CURVES).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(finished.curves)
        writer.writerows(zip(*finished.curves.values(), strict=True))
    return [folder / IMAGE, folder / PLAN, folder / CURVES]
