"""Runs and their files: those that nobody works on, and those that lack each other."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from cnnkit.errors import CorruptAssetError
from cnnkit.jobs import CHECKPOINT, checkpoint_problem, forsaken, mark_interrupted
from cnnkit.jobs.kinds import TRAINED
from cnnkit.maintenance.findings import Finding
from cnnkit.maintenance.record import adopt, rows_of_files
from cnnkit.maintenance.rows import opened, run_ids
from cnnkit.models import load_card
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings

UNCLAIMED = "unclaimed"  # folder of the home for files that no run names
NETWORK = ("model.keras", "card.json")


def examine_runs(settings: Settings, store: RunStore) -> Iterator[Finding]:
    """Runs whose process is gone, without files, and files without a run."""
    for run in store.list(statuses=[Status.RUNNING], limit=10_000):
        if forsaken(run):
            yield Finding(
                what=f"Run {run.id} ({run.name}) calls itself running, but nobody works on it.",
                advice="Resume it; `--repair` marks it as interrupted.",
                repair=lambda run=run: mark_interrupted(store, run),
            )
    if settings.tracking_is_local:
        yield from _finished(settings, store)
        yield from _folders(settings)
    yield from _checkpoints(settings)


def _finished(settings: Settings, store: RunStore) -> Iterator[Finding]:
    for run in store.list(statuses=[Status.FINISHED], limit=10_000):
        problem = "" if run.starter or run.kind not in TRAINED else _problem(settings, run)
        if problem:
            yield Finding(
                what=f"Run {run.id} ({run.name}) is finished, but {problem}.",
                advice="Restore it from a backup, train it again, or delete it with "
                f"`cnnkit runs delete {run.id}`.",
            )


def _problem(settings: Settings, run: Run) -> str:
    folder = settings.artifacts / run.id / "artifacts"
    for name in NETWORK:
        if not (folder / name).is_file():
            return f"its file {name} is missing"
    try:
        load_card(folder / "card.json")
    except CorruptAssetError:
        return "its file card.json is damaged"
    return "" if _is_zip(folder / "model.keras") else "its file model.keras is damaged"


def _is_zip(path: Path) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _folders(settings: Settings) -> Iterator[Finding]:
    database = settings.home / "runs.db"
    if not database.exists():
        return
    with opened(database) as connection:
        stages = run_ids(connection)
    for folder in sorted(settings.artifacts.glob("*")):
        stage = stages.get(folder.name)
        if stage == "deleted":
            yield Finding(
                what=f"The files in {folder} are of a run that was deleted.",
                advice="`--repair` removes them.",
                repair=lambda folder=folder: shutil.rmtree(folder),
            )
        elif stage is None:
            yield _unclaimed(settings, folder)
    for folder in sorted(settings.jobs.glob("*/")):
        if stages.get(folder.name) != "active" and _is_run_id(folder.name):
            yield Finding(
                what=f"The checkpoint and log in {folder} are of a run that is not there.",
                advice=f"`--repair` moves them to {settings.home / UNCLAIMED}.",
                repair=lambda folder=folder: _set_aside(settings, folder),
            )


def _unclaimed(settings: Settings, folder: Path) -> Finding:
    what = f"The files in {folder} are of no run in the record."
    if rows_of_files(folder / "artifacts"):
        advice = "`--repair` makes a run of the trained network in it."
        return Finding(what=what, advice=advice, repair=lambda: adopt(settings, folder))
    return Finding(
        what=what,
        advice=f"`--repair` moves them to {settings.home / UNCLAIMED}.",
        repair=lambda: _set_aside(settings, folder),
    )


def _set_aside(settings: Settings, folder: Path) -> None:
    place = settings.home / UNCLAIMED / f"{folder.parent.name}-{folder.name}"
    place.parent.mkdir(exist_ok=True)
    shutil.move(folder, place if not place.exists() else f"{place}-{time.time_ns()}")


def _checkpoints(settings: Settings) -> Iterator[Finding]:
    for path in sorted(settings.jobs.glob(f"*/{CHECKPOINT}")):
        problem = checkpoint_problem(path)
        if problem:
            yield Finding(
                what=f"The checkpoint {path} {problem}.",
                advice="`--repair` removes it; its run, resumed, begins again and says so.",
                repair=lambda path=path: path.unlink(missing_ok=True),
            )


def _is_run_id(name: str) -> bool:
    return len(name) == 32 and all(sign in "0123456789abcdef" for sign in name)
