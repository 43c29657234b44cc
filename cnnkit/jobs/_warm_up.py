"""What a warm worker does before it has a run: all that every training begins with."""

from __future__ import annotations

import contextlib

import numpy as np

from cnnkit.datasets import Dataset, dataset_info, read_ahead
from cnnkit.errors import CnnkitError
from cnnkit.runs import RunStore
from cnnkit.settings import Settings

BATCH = 16


def warm_up(settings: Settings) -> None:
    """Import Keras, TensorFlow and MLflow, open the record, and learn something tiny.

    The first training in a process translates Python functions to graphs, starts threads
    and chooses kernels; later ones find them ready. That is a second of CPU less between
    pressing Train and the first step. Reading MNIST takes another third.
    """
    import keras

    from cnnkit.training import Augmentation, Recipe, evaluate, fit

    _ = RunStore(settings).client
    recipe = Recipe(
        model="lenet_tutorial",
        epochs=1,
        batch_size=BATCH,
        optimizer="sgd",
        momentum=0.9,
        schedule="cosine",
        augmentation=Augmentation(shift=1, rotation=5, zoom=0.1, elastic=0.5),
    )
    blank = _blank()
    evaluate(fit(recipe, dataset=blank).model, *blank.part("test"))
    # Most runs learn from it. A file that is damaged is the business of the run that reads it.
    with contextlib.suppress(CnnkitError):
        read_ahead("mnist")
    # The run's network gets the names it would have had in a new process.
    keras.utils.clear_session()


def _blank() -> Dataset:
    """Empty images in the format of MNIST: reading real ones would warm nothing more."""
    spec = dataset_info("mnist")
    count = 4 * BATCH
    return Dataset(
        spec=spec,
        images=np.zeros((count, *spec.input_shape), np.uint8),
        labels=np.arange(count) % spec.classes,
        splits={
            "train": slice(0, 2 * BATCH),
            "validation": slice(2 * BATCH, 3 * BATCH),
            "test": slice(3 * BATCH, count),
        },
    )
