"""Train the starter and write its files: `python -m cnnkit.starter`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnkit.datasets import Dataset
from cnnkit.settings import get_settings
from cnnkit.training import EpochEnded, Predictions, evaluate, fit, get_recipe, recipe_dataset
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
    predictions = evaluate(result.model, images, labels)
    write_result(FOLDER, RECIPE, dataset, result, predictions, logits_type=np.float16)
    indices = examples(predictions, dataset)
    np.savez_compressed(FOLDER / "examples.npz", images=images[indices], indices=indices)
    checkpoint.unlink()
    print(f"Test error {100 * predictions.error:.2f} %. Written to {FOLDER}.")


def examples(predictions: Predictions, dataset: Dataset) -> np.ndarray:
    """Indices into the test set: most confident errors, then the first correct ones per class."""
    wrong = predictions.predicted != predictions.labels
    right = [
        np.flatnonzero(~wrong & (predictions.labels == label))[:RIGHT_PER_CLASS]
        for label in range(len(dataset.class_names))
    ]
    return np.concatenate([predictions.misclassified()[:MISTAKES], *right])


def _say(event) -> None:
    if isinstance(event, EpochEnded):
        error = 100 * event.logs["val_error"]
        print(f"Epoch {event.epoch} of {event.epochs}: validation error {error:.2f} %", flush=True)


if __name__ == "__main__":
    main()
