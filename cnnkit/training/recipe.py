"""A recipe: everything that decides how a network is trained, as plain values.

A recipe is frozen, survives JSON unchanged, and needs neither Keras nor TensorFlow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnkit.training._config import Written, check_choice, check_range, check_whole

FILLS = ("black", "nearest")
OPTIMIZERS = ("sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad", "lion")
SCHEDULES = ("constant", "cosine", "linear", "exponential")


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of each training image, drawn anew for every batch.

    Each number is the largest change; the change itself is drawn uniformly up to it, in
    both directions, if nothing else is said. All zero means no augmentation.
    """

    shift: float = 0.0  # pixels
    rotation: float = 0.0  # degrees
    zoom: float = 0.0  # fraction: .1 draws a scale of .9 to 1.1
    shear: float = 0.0  # degrees
    elastic: float = 0.0  # pixels, standard deviation of the displacement
    elastic_smoothness: float = 4.0  # pixels, Gaussian sigma of the displacement field
    flip: bool = False  # every other image, left for right
    flip_vertical: bool = False  # every other image, top for bottom
    crop: float = 0.0  # fraction of each side that is cut away at most, anywhere
    fill: str = "black"  # what comes in from outside, one of FILLS
    brightness: float = 0.0  # fraction of the range of 0 to 255 that is added
    contrast: float = 0.0  # fraction: .2 draws a factor of .8 to 1.2 around the mean
    hue: float = 0.0  # fraction of the circle of colours
    pca: float = 0.0  # standard deviation of AlexNet's noise along the main colours
    cutout: float = 0.0  # side of the square that is blanked, as a fraction of the image's
    mixup: float = 0.0  # alpha of the beta distribution that two images are mixed by

    def __post_init__(self):
        """Check every range."""
        for name, low, high in (
            ("shift", 0, 112),
            ("rotation", 0, 180),
            ("zoom", 0, 0.9),
            ("shear", 0, 60),
            ("elastic", 0, 10),
            ("elastic_smoothness", 0.5, 112),
            ("crop", 0, 0.9),
            ("brightness", 0, 1),
            ("contrast", 0, 1),
            ("hue", 0, 0.5),
            ("pca", 0, 1),
            ("cutout", 0, 0.9),
            ("mixup", 0, 2),
        ):
            check_range(f"augmentation.{name}", getattr(self, name), low, high)
        check_choice("augmentation.fill", self.fill, FILLS)
        for name in ("flip", "flip_vertical"):
            check_choice(f"augmentation.{name}", getattr(self, name), (False, True))

    def __bool__(self) -> bool:
        """Whether anything is changed at all."""
        return self != Augmentation(fill=self.fill, elastic_smoothness=self.elastic_smoothness)

    @property
    def of_images(self) -> Augmentation:
        """What changes one image by itself: all but the mixing of two."""
        return dataclasses.replace(self, mixup=0.0)


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """When training ends before its last epoch.

    `kind="keras"` stops after `patience` epochs in which `monitor` did not improve by
    `min_delta` (`keras.callbacks.EarlyStopping`; its default patience is 0).

    `kind="tutorial"` is the rule of the Theano Deep Learning Tutorials: look at
    `patience` mini-batches at least; when the validation error falls below
    `improvement_threshold` times the best one, look at `patience_increase` times the
    mini-batches seen so far.
    """

    kind: str = "keras"  # "keras" or "tutorial"
    monitor: str = "val_loss"  # "val_loss" or "val_error"
    patience: int = 0  # keras: epochs; tutorial: mini-batches
    min_delta: float = 0.0  # keras only, in units of the monitored value
    patience_increase: float = 2.0  # tutorial only, factor
    improvement_threshold: float = 0.995  # tutorial only, factor of the best error

    def __post_init__(self):
        """Check every field."""
        check_choice("stopping.kind", self.kind, ("keras", "tutorial"))
        check_choice("stopping.monitor", self.monitor, ("val_loss", "val_error"))
        check_range("stopping.patience", self.patience, 0, 10_000_000)
        check_range("stopping.min_delta", self.min_delta, 0, 100)
        check_range("stopping.patience_increase", self.patience_increase, 1, 100)
        check_range("stopping.improvement_threshold", self.improvement_threshold, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Recipe(Written):
    """How to train one network on one data set.

    Example:
        >>> recipe = Recipe(model="lenet_tutorial", dataset="digits", epochs=2)
        >>> Recipe.from_json(recipe.to_json()) == recipe
        True
    """

    name: str = "custom"  # "published", "fast" or a person's own name for it
    model: str  # registered model
    model_options: Mapping[str, Any] = field(default_factory=dict)  # its keyword options
    dataset: str = "mnist"  # registered data set
    size: int | None = None  # pixels, height and width of the network's images; None: as given
    split_seed: int = 0  # of the division, where a data set has no published one
    per_class: int | None = None  # of those, at most so many of a class to learn from; None: all
    train_size: int | None = None  # images to learn from; None: all of the split
    validation_size: int | None = None  # images held out; None: a sixth
    validation_from: str = "end"  # which end of the training part: "start" or "end"
    epochs: int = 10  # an epoch is the time between two validations
    steps_per_epoch: int | None = None  # batches; None: one pass over the images
    batch_size: int = 128  # images
    drop_remainder: bool = False  # leave out the last, smaller batch of each pass
    shuffle: bool = True  # a new order for every pass, a function of (seed, pass)
    optimizer: str = "adam"  # one of OPTIMIZERS
    learning_rate: float = 1e-3  # per step, the highest one of the schedule
    momentum: float = 0.0  # sgd and rmsprop only
    nesterov: bool = False  # sgd only
    schedule: str = "constant"  # one of SCHEDULES
    warmup_epochs: float = 0.0  # linear rise from 0 before the schedule begins
    final_learning_rate: float = 0.0  # fraction of learning_rate left at the end
    loss_reduction: str = "mean"  # over the batch: "mean", or "sum" as in old tutorials
    l1: float = 0.0  # penalty on every kernel, added to the loss
    l2: float = 0.0  # penalty on every kernel, added to the loss
    weight_decay: float = 0.0  # decoupled, per step, as a fraction of the learning rate
    label_smoothing: float = 0.0  # fraction of probability spread over all classes
    augmentation: Augmentation = field(default_factory=Augmentation)
    stopping: Stopping | None = None
    keep_best: str | None = "val_loss"  # end with the weights best in this; None: last
    seed: int = 0  # of weights, dropout, order and augmentation

    def __post_init__(self):
        """Check every field once; whoever holds a recipe may trust it."""
        object.__setattr__(self, "model_options", dict(self.model_options))
        check_choice("validation_from", self.validation_from, ("start", "end"))
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("loss_reduction", self.loss_reduction, ("mean", "sum"))
        check_choice("keep_best", self.keep_best, ("val_loss", "val_error", None))
        for name, low, high in (
            ("size", 8, 1024),
            ("split_seed", 0, 2**31 - 1),
            ("per_class", 1, 10_000_000),
            ("train_size", 1, 10_000_000),
            ("validation_size", 1, 10_000_000),
            ("epochs", 1, 100_000),
            ("steps_per_epoch", 1, 10_000_000),
            ("batch_size", 1, 60_000),
            ("seed", 0, 2**31 - 1),
        ):
            check_whole(name, getattr(self, name), low, high)
        for name, low, high in (
            ("learning_rate", 1e-9, 1000),
            ("momentum", 0, 0.9999),
            ("warmup_epochs", 0, self.epochs),
            ("final_learning_rate", 0, 1),
            ("l1", 0, 10),
            ("l2", 0, 10),
            ("weight_decay", 0, 10),
            ("label_smoothing", 0, 0.9),
        ):
            check_range(name, getattr(self, name), low, high)

    def input_shape(self, images: tuple[int, int, int]) -> tuple[int, int, int]:
        """What the network is given.

        Args:
            images: (height, width, channels) of the data set's.
        """
        return (self.size, self.size, images[2]) if self.size else images

    def on(self, dataset: str) -> Recipe:
        """The same recipe for another data set, whose sizes are its own."""
        if dataset == self.dataset:
            return self
        return self.replace(dataset=dataset, train_size=None, validation_size=None)

    @classmethod
    def _parts(cls, values: dict[str, Any]) -> dict[str, Any]:
        values["augmentation"] = Augmentation(**values.get("augmentation") or {})
        stopping = values.get("stopping")
        values["stopping"] = Stopping(**stopping) if stopping else None
        return values
