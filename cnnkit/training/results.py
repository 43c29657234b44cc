"""The files of a finished training: model, card, recipe, curves, predictions before and after."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

import cnnkit
from cnnkit import assets
from cnnkit.errors import CorruptResultError
from cnnkit.models import (
    ModelCard,
    imagenet_classes,
    list_pretrained,
    load_pretrained,
    network_title,
    pretrained_info,
    save_model,
)
from cnnkit.training.predictions import Evaluator, Predictions
from cnnkit.training.recipe import Recipe

if TYPE_CHECKING:
    from cnnkit.datasets import Dataset
    from cnnkit.training import FitResult
    from cnnkit.training.pipeline import ImageArray

TOP_K = 5
MOST_IMAGES = 2000  # whose predictions before the training are kept


def figures(result: FitResult, predictions: Predictions) -> dict[str, float]:
    """The final figures of a training."""
    low, high = predictions.interval
    best = result.ended.best_epoch  # None: nothing was restored
    return {
        **predictions.metrics("test_"),
        "test_accuracy_low": low,
        "test_accuracy_high": high,
        "seconds": sum(row["seconds"] for row in result.history),
        "parameters": result.model.count_params(),
        **({} if best is None else {"best_epoch": best}),
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
    """Write model, card, recipe, curves and the predictions for the test set to a folder.

    `logits_type` is float32, or float16 for half the size.
    """
    card = _card(recipe, dataset, result.model.input_shape[1:], figures(result, predictions))
    save_model(result.model, card, folder)
    (folder / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(result.history[0]))
        writer.writeheader()
        writer.writerows(result.history)
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
        model=recipe.to_dict()["model"],
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
    title = network_title(recipe.model)
    return title if recipe.head is None else f"{title}, {dataset.title}"


@dataclass(frozen=True, kw_only=True)
class BaselinePredictions:
    """Top-k predictions of the pretrained network, one row a test image, in their order."""

    network: str  # for people
    names: tuple[tuple[str, ...], ...]  # the best first
    probabilities: tuple[tuple[float, ...], ...]

    def to_json(self) -> str:
        """As stored with a run."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, path: Path) -> BaselinePredictions:
        """The inverse of `to_json`.

        Raises:
            CorruptResultError: the file is not what it should be.
        """
        try:
            values = json.loads(path.read_text("utf-8"))
            return cls(
                network=str(values["network"]),
                names=tuple(map(tuple, values["names"])),
                probabilities=tuple(map(tuple, values["probabilities"])),
            )
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise CorruptResultError(path, f"holds no baseline predictions ({error!r})") from error


def predict_baseline(
    recipe: Recipe,
    images: ImageArray,
    open_base: Callable[[], tuple[keras.Model, Sequence[str]]] | None = None,
) -> BaselinePredictions | None:
    """Top-k predictions before fine-tuning; None where the classifier is not on this machine.

    Args:
        recipe: which network.
        images: of the test set; only the first 2,000 are predicted.
        open_base: opens the network of the recipe's run, and gives the names of its classes.
    """
    if open_base:
        model, names = open_base()
        return _predict(model, names, recipe.model, images)
    pretrained = recipe.head and recipe.weights == "imagenet" and recipe.model in list_pretrained()
    if not pretrained or not pretrained_info(recipe.model).available:
        return None
    if assets.find("imagenet_classes") is None:
        return None
    names = [one.name for one in imagenet_classes()]
    title = f"{pretrained_info(recipe.model).title}, ImageNet"
    return _predict(load_pretrained(recipe.model), names, title, images)


def _predict(
    model: keras.Model, names: Sequence[str], title: str, images: ImageArray
) -> BaselinePredictions:
    first = images[: min(MOST_IMAGES, len(images))]
    probabilities = Evaluator(model)(first, np.zeros(len(first), np.int64)).probabilities
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP_K]
    return BaselinePredictions(
        network=title,
        names=tuple(tuple(str(names[i]) for i in row) for row in top),
        probabilities=tuple(
            map(tuple, np.take_along_axis(probabilities, top, axis=1).round(6).tolist())
        ),
    )
