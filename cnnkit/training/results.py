"""The files of a finished training: model, card, recipe, curves, predictions."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

import cnnkit
from cnnkit.models import ModelCard, list_pretrained, model_info, pretrained_info, save_model
from cnnkit.training.recipe import Recipe

if TYPE_CHECKING:
    from cnnkit.datasets import Dataset
    from cnnkit.training import FitResult, Predictions


def figures(result: FitResult, predictions: Predictions) -> dict[str, float]:
    """The final figures of a training."""
    low, high = predictions.interval
    return {
        **predictions.metrics("test_"),
        "test_accuracy_low": low,
        "test_accuracy_high": high,
        "seconds": sum(row["seconds"] for row in result.history),
        "parameters": result.model.count_params(),
        "best_epoch": result.ended.best_epoch or result.ended.epoch,
        "epochs": result.ended.epoch,
    }


def write_result(
    folder: Path,
    recipe: Recipe,
    dataset: Dataset,
    result: FitResult,
    predictions: Predictions,
    logits_type: type = np.float32,
) -> None:
    """Write model, card, recipe, curves and the predictions for the test set.

    Args:
        folder: made where it is missing.
        recipe: of the training.
        dataset: it was trained and tested on.
        result: of `fit`.
        predictions: for the test set.
        logits_type: float32, or float16 for half the size.
    """
    card = _card(recipe, dataset, result.model.input_shape[1:], figures(result, predictions))
    save_model(result.model, card, folder)
    (folder / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    _write_csv(folder / "history.csv", result.history)
    np.savez_compressed(
        folder / "predictions.npz",
        logits=predictions.logits.astype(logits_type),
        labels=predictions.labels.astype(np.min_scalar_type(len(dataset.class_names))),
    )


def _card(
    recipe: Recipe,
    dataset: Dataset,
    input_shape: tuple[int, int, int],
    metrics: Mapping[str, float],
) -> ModelCard:
    return ModelCard(
        model=recipe.model,
        title=_title(recipe, dataset),
        class_names=dataset.class_names,
        input_shape=input_shape,
        dataset=dataset.name,
        split={part: dataset.size(part) for part in dataset.splits},
        recipe=recipe.to_dict(),
        metrics=metrics,
        versions={
            "cnnkit": cnnkit.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    )


def _title(recipe: Recipe, dataset: Dataset) -> str:
    known = pretrained_info if recipe.model in list_pretrained() else model_info
    title = known(recipe.model).title
    return title if recipe.head is None else f"{title}, {dataset.title}"


def _write_csv(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
