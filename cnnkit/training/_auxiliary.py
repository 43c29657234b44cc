"""Training with auxiliary classifiers: they count while a network learns, and never after.

A network with several outputs has the logits as its first; the others are auxiliary.

Reference:
    Szegedy et al. 2015: Going Deeper with Convolutions, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from cnnkit.training._optimizers import make_loss
from cnnkit.training.recipe import Recipe

WEIGHT = 0.3  # of the loss of each auxiliary classifier


def objective(model: keras.Model, recipe: Recipe) -> dict[str, Any]:
    """What `compile` needs to know of losses and metrics."""
    # Labels of mixed images are probabilities of classes, others are numbers of classes.
    mixed = recipe.augmentation.mixup
    metric = keras.metrics.CategoricalAccuracy if mixed else keras.metrics.SparseCategoricalAccuracy
    accuracy = metric(name="accuracy")
    auxiliary = len(model.outputs) - 1
    if not auxiliary:
        return {"loss": make_loss(recipe), "metrics": [accuracy]}
    return {
        "loss": [make_loss(recipe) for _ in model.outputs],
        "loss_weights": loss_weights(model),
        "metrics": [[accuracy], *([] for _ in range(auxiliary))],
    }


def loss_weights(model: keras.Model) -> list[float]:
    """How much the loss of each output counts: 1 for the logits, .3 for the others."""
    return [1.0, *(WEIGHT for _ in model.outputs[1:])]


def label_every_output(model: keras.Model, dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same labels for the logits and for each auxiliary classifier."""
    outputs = len(model.outputs)
    if outputs == 1:
        return dataset
    return dataset.map(
        lambda images, labels, *weights: (
            images,
            (labels,) * outputs,
            *((w,) * outputs for w in weights),
        )
    )


def without_auxiliary(model: keras.Model) -> keras.Model:
    """The network from the image to the logits: the same layers, not compiled."""
    if len(model.outputs) == 1:
        return model
    return keras.Model(model.input, model.outputs[0], name=model.name)


def main_figures(logs: Mapping[str, float]) -> tuple[float, float]:
    """Loss and accuracy of the logits alone, from the logs of Keras's `fit`."""
    loss = logs.get("logits_loss", logs["loss"])
    accuracy = logs["logits_accuracy"] if "logits_accuracy" in logs else logs["accuracy"]
    return float(loss), float(accuracy)
