"""Making a network ready to train: devices, precision, losses, optimizer, penalties.

A network with several outputs has the logits as its first; the others are auxiliary
classifiers, which count while it trains and never after (Szegedy et al. 2015: Going Deeper
with Convolutions, section 5).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnnkit.anatomy import layer_table
from cnnkit.training.recipe import Recipe

AUXILIARY_WEIGHT = 0.3  # of the loss of each auxiliary classifier
CALL_SECONDS = 0.5  # that one call of TensorFlow should take
CPU_SPEED = 8e10  # floating-point operations a second, of two to four cores


def compile_model(model: keras.Model, recipe: Recipe, steps_per_epoch: int) -> keras.Model:
    """Compile a network for a recipe, in place, and return it."""
    add_kernel_penalties(model, recipe)
    with on_every_device():
        model.compile(
            optimizer=make_optimizer(recipe, steps_per_epoch),
            **objective(model, recipe),
            # On a CPU, XLA was measured to train these networks up to 2.5 times slower.
            jit_compile="auto" if tf.config.list_physical_devices("GPU") else False,
            steps_per_execution=steps_per_call(model, recipe.batch_size, steps_per_epoch),
        )
        # Left to the first step, its variables would make TensorFlow trace that step twice.
        model.optimizer.build(model.trainable_variables)
    return model


def steps_per_call(model: keras.Model, batch_size: int, steps_per_epoch: int) -> int:
    """Training steps that TensorFlow makes before Python sees it again.

    Each return costs about 2 ms, but only there is a run reported on or cancelled: so
    as many as a CPU makes in half a second, and no more than an eighth of an epoch.
    """
    most = min(64, max(1, steps_per_epoch // 8))
    if tf.config.list_physical_devices("GPU"):
        return most
    # Forwards once and backwards twice, each time a multiplication and an addition.
    operations = 6 * batch_size * max(1, layer_table(model).macs)
    return max(1, min(most, int(CALL_SECONDS * CPU_SPEED / operations)))


@cache
def strategy() -> tf.distribute.Strategy | None:
    """One copy of the network on each GPU where several are visible; None: on the one device.

    Several logical CPUs count like several GPUs: nobody has them who does not ask for them.
    """
    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        return None
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def on_every_device() -> Any:
    """Within this, new networks and optimizers have a copy on every device."""
    several = strategy()
    return several.scope() if several else nullcontext()


def policy(precision: str) -> str:
    """The dtype policy of a precision: "auto" is mixed on GPUs, whose matrix units gain by it."""
    if precision != "auto":
        return precision
    return "mixed_float16" if tf.config.list_physical_devices("GPU") else "float32"


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Within this, new layers compute as said; weights are float32 always. Of this thread only."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy(precision))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def objective(model: keras.Model, recipe: Recipe) -> dict[str, Any]:
    """What `compile` needs to know of losses and metrics."""
    # Labels of mixed images are probabilities of classes, others are numbers of classes.
    mixed = recipe.augmentation.mixup
    metric = keras.metrics.CategoricalAccuracy if mixed else keras.metrics.SparseCategoricalAccuracy
    accuracy = metric(name="accuracy")
    if len(model.outputs) == 1:
        return {"loss": make_loss(recipe), "metrics": [accuracy]}
    return {
        "loss": [make_loss(recipe) for _ in model.outputs],
        "loss_weights": loss_weights(model),
        "metrics": [[accuracy], *([] for _ in model.outputs[1:])],
    }


def loss_weights(model: keras.Model) -> list[float]:
    """How much the loss of each output counts: 1 for the logits, .3 for the others."""
    return [1.0, *(AUXILIARY_WEIGHT for _ in model.outputs[1:])]


def label_every_output(model: keras.Model, dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same labels for the logits and for each auxiliary classifier."""
    outputs = len(model.outputs)
    if outputs == 1:
        return dataset
    return dataset.map(
        lambda images, *others: (images, *((values,) * outputs for values in others))
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


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A recipe's learning rate, which rises linearly first and then follows a curve."""

    def __init__(self, recipe: Recipe, steps_per_epoch: int):
        self.recipe = recipe
        self.steps_per_epoch = steps_per_epoch
        self.warmup = recipe.warmup_epochs * steps_per_epoch
        self.steps = max(1.0, recipe.epochs * steps_per_epoch - self.warmup)

    def __call__(self, step):
        """The learning rate of a step (0-based), float32."""
        step = keras.ops.cast(step, "float32")
        part = keras.ops.clip((step - self.warmup) / self.steps, 0.0, 1.0)
        rate = self.recipe.learning_rate * self._curve(part)
        if self.warmup:
            # The first step learns already: it has one part of the way up, not zero.
            rate *= keras.ops.minimum(1.0, (step + 1) / self.warmup)
        return rate

    def _curve(self, part):
        end = self.recipe.final_learning_rate
        if self.recipe.schedule == "cosine":
            return end + (1 - end) * 0.5 * (1 + keras.ops.cos(math.pi * part))
        if self.recipe.schedule == "linear":
            return 1 - (1 - end) * part
        if self.recipe.schedule == "exponential":
            return keras.ops.exp(math.log(max(end, 1e-6)) * part)
        return keras.ops.ones_like(part)

    def get_config(self) -> dict:
        """What it was made of."""
        return {"recipe": self.recipe.to_dict(), "steps_per_epoch": self.steps_per_epoch}


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe."""
    rate = (
        recipe.learning_rate
        if recipe.schedule == "constant" and not recipe.warmup_epochs
        else Schedule(recipe, steps_per_epoch)
    )
    decay = recipe.weight_decay or None
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(
            rate, momentum=recipe.momentum, nesterov=recipe.nesterov, weight_decay=decay
        )
    if recipe.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, momentum=recipe.momentum, weight_decay=decay)
    if recipe.optimizer == "adamw":  # the one that does not take None for none
        return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    return _OTHERS[recipe.optimizer](rate, weight_decay=decay)


_OTHERS = {
    "adam": keras.optimizers.Adam,
    "nadam": keras.optimizers.Nadam,
    "adagrad": keras.optimizers.Adagrad,
    "lion": keras.optimizers.Lion,
}


def make_loss(recipe: Recipe) -> keras.losses.Loss:
    """Cross-entropy of logits and labels: smoothed, bounded and reduced as the recipe says."""
    reduction = "sum" if recipe.loss_reduction == "sum" else "sum_over_batch_size"
    if not (recipe.label_smoothing or recipe.loss_epsilon or recipe.augmentation.mixup):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    return CrossEntropy(recipe.label_smoothing, recipe.loss_epsilon, reduction=reduction)


class CrossEntropy(keras.losses.Loss):
    """Cross-entropy of logits, with smoothed labels or clipped probabilities.

    Args:
        label_smoothing: fraction of the probability that every class shares.
        epsilon: probabilities are clipped to (epsilon, 1 - epsilon), so that an image further
            off has no gradient; 0: they are not. Keras did so with 1e-7 when the post on
            17 flowers was written; it takes the logits of a softmax today.

    Reference:
        Szegedy et al. 2016: Rethinking the Inception Architecture for Computer Vision.
    """

    def __init__(self, label_smoothing: float = 0.0, epsilon: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.label_smoothing = label_smoothing
        self.epsilon = epsilon

    def call(self, y_true, y_pred):
        """Loss of each image, (batch,); labels are classes, or probabilities of classes."""
        classes = y_pred.shape[-1]
        labels = y_true
        if len(y_true.shape) < 2 or y_true.shape[-1] != classes:
            labels = keras.ops.one_hot(keras.ops.reshape(y_true, [-1]), classes)
        if not self.epsilon:
            return keras.losses.categorical_crossentropy(
                labels, y_pred, from_logits=True, label_smoothing=self.label_smoothing
            )
        labels = labels * (1 - self.label_smoothing) + self.label_smoothing / classes
        probabilities = keras.ops.softmax(y_pred)
        clipped = keras.ops.clip(probabilities, self.epsilon, 1 - self.epsilon)
        return -keras.ops.sum(labels * keras.ops.log(clipped), axis=-1)


def add_kernel_penalties(model: keras.Model, recipe: Recipe) -> None:
    """Add the L1 and L2 penalties of a recipe to every kernel, and to nothing else.

    They belong to the training, not to the network, and so are not saved with it.
    """
    if not (recipe.l1 or recipe.l2):
        return
    penalty = keras.regularizers.L1L2(recipe.l1, recipe.l2)
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            kernel.regularizer = penalty


def gradient_norms(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """L2 norm of the gradient of the loss with respect to each layer's kernel.

    The network is run as in training: normalization by the batch itself, dropout on,
    auxiliary classifiers weighted. Nothing of it changes.

    Args:
        model: from images, 0 to 255, to logits.
        images: uint8 or float32, (batch, height, width, channels), 0 to 255.
        labels: integers, (batch,).

    Returns:
        Layer name → norm, in the order an image meets them; the loss is the mean
        cross-entropy in nats. Layers that do not learn are left out.

    Example:
        >>> from cnnkit.models import create_model
        >>> model = create_model("softmax_regression")
        >>> images = np.full((1, 28, 28, 1), 255, np.uint8)
        >>> round(gradient_norms(model, images, np.array([3]))["logits"], 3)
        26.563
    """
    kernels = {
        layer.name: layer.kernel
        for layer in model.layers
        if getattr(getattr(layer, "kernel", None), "trainable", False) and layer.trainable
    }
    norms = _norms(model, list(kernels.values()), tf.constant(images), tf.constant(labels))
    return {name: float(norm) for name, norm in zip(kernels, norms, strict=True)}


def _norms(model: keras.Model, kernels: list, images, labels) -> list[tf.Tensor]:
    weights = [tf.identity(variable.value) for variable in model.trainable_variables]
    others = [tf.identity(variable.value) for variable in model.non_trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        # Stateless, so that the statistics of normalization stay as they are.
        outputs, _ = model.stateless_call(weights, others, images, training=True)
        loss = _loss(model, outputs, labels)
    places = {id(variable): i for i, variable in enumerate(model.trainable_variables)}
    gradients = tape.gradient(loss, [weights[places[id(kernel)]] for kernel in kernels])
    return [tf.norm(gradient) for gradient in gradients]


def _loss(model: keras.Model, outputs, labels):
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    weighed = zip(loss_weights(model), outputs, strict=True)
    return tf.add_n([weight * cross_entropy(labels, logits) for weight, logits in weighed])
