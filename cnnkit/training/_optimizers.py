"""From the names in a recipe to Keras's objects: schedule, optimizer, loss, penalties."""

from __future__ import annotations

import math

import keras

from cnnkit.training.recipe import Recipe


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly first and then follows a curve.

    Args:
        recipe: learning rate, schedule, warm-up and what is left at the end.
        steps_per_epoch: batches.
    """

    def __init__(self, recipe: Recipe, steps_per_epoch: int):
        """Turn epochs into steps."""
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
    """Cross-entropy of logits and integer labels, smoothed and reduced as the recipe says."""
    reduction = "sum" if recipe.loss_reduction == "sum" else "sum_over_batch_size"
    if not recipe.label_smoothing and not recipe.augmentation.mixup:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    return SmoothedCrossEntropy(recipe.label_smoothing, reduction=reduction)


class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy against labels that leave some probability to every class.

    Reference:
        Szegedy et al. 2016: Rethinking the Inception Architecture for Computer Vision.
    """

    def __init__(self, label_smoothing: float, **kwargs):
        """Keep the fraction that is spread."""
        super().__init__(**kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        """Loss of each image, (batch,); labels are classes, or probabilities of classes."""
        one_hot = y_true
        if len(y_true.shape) < 2 or y_true.shape[-1] != y_pred.shape[-1]:
            one_hot = keras.ops.one_hot(keras.ops.reshape(y_true, [-1]), y_pred.shape[-1])
        return keras.losses.categorical_crossentropy(
            one_hot, y_pred, from_logits=True, label_smoothing=self.label_smoothing
        )


def penalise_kernels(model: keras.Model, recipe: Recipe) -> None:
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
