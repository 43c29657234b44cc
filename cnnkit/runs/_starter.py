"""The run that ships with cnnkit, so that the first visitor has something to look at.

It is read from the package and is never copied into MLflow, so it cannot be lost.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

from cnnkit.errors import CorruptRunError
from cnnkit.runs._record import Run, Status

STARTER_ID = "starter"
FOLDER = Path(__file__).resolve().parent.parent / "starter"
CARD = "card.json"


def starter_run(folder: Path = FOLDER) -> Run | None:
    """The starter as an ordinary finished run, or None where none was built.

    Raises:
        CorruptRunError: its card is damaged.
    """
    card_file = folder / CARD
    if not card_file.is_file():
        return None
    try:
        card = json.loads(card_file.read_text(encoding="utf-8"))
        built = datetime.fromtimestamp(card_file.stat().st_mtime, UTC)
        return Run(
            id=STARTER_ID,
            name="Starter: LeNet",
            kind="train",
            status=Status.FINISHED,
            spec=card["recipe"],
            metrics=card["metrics"],
            created=built,
            started=built,
            ended=built,
            attempt=1,
            starter=True,
        )
    except (ValueError, KeyError) as error:
        raise CorruptRunError(STARTER_ID, card_file, f"is damaged ({error})") from error


def starter_history(folder: Path = FOLDER) -> list[dict[str, float]]:
    """The starter's curves: its rows of `history.csv`."""
    path = starter_artifact("history.csv", folder)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [row | {"epoch": int(row["epoch"])} for row in rows]


def starter_artifact(name: str, folder: Path = FOLDER) -> Path:
    """A file of the starter.

    Raises:
        CorruptRunError: there is no such file.
    """
    path = folder / name
    if not path.is_file():
        raise CorruptRunError(STARTER_ID, path, "is missing")
    return path
