"""Predictions of a network for the test images before it was fine-tuned."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from cnnkit import assets
from cnnkit.errors import CorruptAssetError
from cnnkit.models import (
    imagenet_classes,
    list_pretrained,
    load_pretrained,
    pretrained_info,
)
from cnnkit.training.evaluation import Evaluator
from cnnkit.training.pipeline import ImageArray
from cnnkit.training.recipe import Recipe

TOP_K = 5
MOST = 2000  # images


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
            CorruptAssetError: the file is not what it should be.
        """
        try:
            values = json.loads(path.read_text("utf-8"))
            return cls(
                network=str(values["network"]),
                names=tuple(map(tuple, values["names"])),
                probabilities=tuple(map(tuple, values["probabilities"])),
            )
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise CorruptAssetError(path, f"holds no baseline predictions ({error!r})") from error


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
    known = recipe.head and recipe.weights == "imagenet" and recipe.model in list_pretrained()
    if not known or not pretrained_info(recipe.model).available:
        return None
    if assets.find("imagenet_classes") is None:
        return None
    names = [one.name for one in imagenet_classes()]
    title = f"{pretrained_info(recipe.model).title}, ImageNet"
    return _predict(load_pretrained(recipe.model), names, title, images)


def _predict(
    model: keras.Model, names: Sequence[str], title: str, images: ImageArray
) -> BaselinePredictions:
    first = images[: min(MOST, len(images))]
    predictions = Evaluator(model)(first, np.zeros(len(first), np.int64))
    probabilities = predictions.probabilities
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP_K]
    return BaselinePredictions(
        network=title,
        names=tuple(tuple(str(names[i]) for i in row) for row in top),
        probabilities=tuple(
            tuple(round(float(p[i]), 6) for i in row)
            for p, row in zip(probabilities, top, strict=True)
        ),
    )
