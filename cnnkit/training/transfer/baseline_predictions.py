"""What a network said to the test images before it was fine-tuned."""

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
from cnnkit.predict.answers import softmax
from cnnkit.training.evaluation import Evaluator
from cnnkit.training.memmap import Images
from cnnkit.training.transfer.recipe import TransferRecipe

BEST = 5
MOST = 2000  # images


@dataclass(frozen=True, kw_only=True)
class Before:
    """The best answers of the network as it was, one row a test image, in their order."""

    network: str  # for people
    names: tuple[tuple[str, ...], ...]  # the best first
    probabilities: tuple[tuple[float, ...], ...]

    def to_json(self) -> str:
        """As stored with a run."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, path: Path) -> Before:
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
            raise CorruptAssetError(path, f"holds no earlier answers ({error!r})") from error


def answers_before(
    recipe: TransferRecipe,
    images: Images,
    opened: Callable[[], tuple[keras.Model, Sequence[str]]] | None = None,
) -> Before | None:
    """Ask the network as it was; None where its classifier is not on this machine.

    Args:
        recipe: which network.
        images: of the test part; only the first 2,000 are asked about.
        opened: the network of the recipe's run and the names of its classes.
    """
    if opened:
        model, names = opened()
        return _asked(model, names, recipe.model, images)
    known = recipe.weights == "imagenet" and recipe.model in list_pretrained()
    if not known or not pretrained_info(recipe.model).available:
        return None
    if assets.find("imagenet_classes") is None:
        return None
    names = [one.name for one in imagenet_classes()]
    title = f"{pretrained_info(recipe.model).title}, ImageNet"
    return _asked(load_pretrained(recipe.model), names, title, images)


def _asked(model: keras.Model, names: Sequence[str], title: str, images: Images) -> Before:
    few = images[: min(MOST, len(images))]
    evaluation = Evaluator(model)(few, np.zeros(len(few), np.int64))
    probabilities = softmax(evaluation.logits)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :BEST]
    return Before(
        network=title,
        names=tuple(tuple(str(names[i]) for i in row) for row in best),
        probabilities=tuple(
            tuple(round(float(p[i]), 6) for i in row)
            for p, row in zip(probabilities, best, strict=True)
        ),
    )
