"""Train the starter and write its files: `python -m cnnkit.starter`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnkit.datasets import Dataset
from cnnkit.settings import get_settings
from cnnkit.training import EpochEnded, evaluate, fit, get_recipe
from cnnkit.training.evaluation import Evaluation
from cnnkit.training.fitting import recipe_dataset
from cnnkit.training.results import write_result

FOLDER = Path(__file__).resolve().parent
RECIPE = get_recipe("lenet_tutorial", "thorough")
MISTAKES = 60  # images
RIGHT_PER_CLASS = 4  # images


def main() -> None:
    """Train, evaluate, write. A training that was stopped goes on where it was."""
    dataset = recipe_dataset(RECIPE)
    checkpoint = get_settings().home / "starter" / f"{RECIPE.fingerprint()}.npz"
    result = fit(RECIPE, _say, checkpoint=checkpoint, dataset=dataset)
    images, labels = dataset.part("test")
    evaluation = evaluate(result.model, images, labels)
    write_result(FOLDER, RECIPE, dataset, result, evaluation, logits_type=np.float16)
    indices = examples(evaluation, dataset)
    np.savez_compressed(FOLDER / "examples.npz", images=images[indices], indices=indices)
    checkpoint.unlink()
    print(f"Test error {100 * evaluation.error:.2f} %. Written to {FOLDER}.")


def examples(evaluation: Evaluation, dataset: Dataset) -> np.ndarray:
    """Places in the test part: confident mistakes first, then the first right ones of a class."""
    wrong = evaluation.predictions != evaluation.labels
    confidence = evaluation.probabilities.max(axis=1)
    mistakes = np.flatnonzero(wrong)
    mistakes = mistakes[np.argsort(-confidence[mistakes], kind="stable")][:MISTAKES]
    right = [
        np.flatnonzero(~wrong & (evaluation.labels == label))[:RIGHT_PER_CLASS]
        for label in range(len(dataset.class_names))
    ]
    return np.concatenate([mistakes, *right])


def _say(event) -> None:
    if isinstance(event, EpochEnded):
        error = 100 * event.logs["val_error"]
        print(f"Epoch {event.epoch} of {event.epochs}: validation error {error:.2f} %", flush=True)


if __name__ == "__main__":
    main()
