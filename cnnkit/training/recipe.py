"""A recipe: everything that decides how a network is trained, as plain values.

A recipe is frozen, survives JSON unchanged, and needs neither Keras nor TensorFlow.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from cnnkit.errors import InvalidDefinitionError, InvalidRecipeError
from cnnkit.models.builder import NetworkDefinition, is_code
from cnnkit.training._checks import (
    check_choice,
    check_fields,
    check_kind,
    check_range,
    check_whole,
)
from cnnkit.training._recipe_format import ADDED_TO_FINE_TUNING, ADDED_TO_TRAINING, upgraded

FILLS = ("black", "nearest")
OPTIMIZERS = ("sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad", "lion")
SCHEDULES = ("constant", "cosine", "linear", "exponential")
HEADS = ("pool", "flatten")
WEIGHTS = ("random", "imagenet")
PREPROCESSINGS = ("pretrained", "rescaling")
FEATURE_TYPES = ("float16", "float32")
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
HEAD, ALL = "head", "all"  # values of train_from that every network with a head has
SMALLEST_IMAGE = 8  # pixels, height and width
DEFINED = "built"  # the network of a stored recipe that has a definition
MOST_RECORDED = 5000  # characters of a definition; MLflow's tags hold 8,000 in all


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
    hue: float = 0.0  # fraction of the circle of colors
    pca: float = 0.0  # standard deviation of AlexNet's noise along the main colors
    cutout: float = 0.0  # side of the square that is blanked, as a fraction of the image's
    mixup: float = 0.0  # alpha of the beta distribution that two images are mixed by

    def __post_init__(self):
        for name, high in _LARGEST_CHANGES.items():
            low = 0.5 if name == "elastic_smoothness" else 0
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
        check_choice("stopping.kind", self.kind, ("keras", "tutorial"))
        check_choice("stopping.monitor", self.monitor, ("val_loss", "val_error"))
        check_range("stopping.patience", self.patience, 0, 10_000_000)
        check_range("stopping.min_delta", self.min_delta, 0, 100)
        check_range("stopping.patience_increase", self.patience_increase, 1, 100)
        check_range("stopping.improvement_threshold", self.improvement_threshold, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Head:
    """New layers on top of a network without its own classifier, ending in logits."""

    kind: str = "pool"  # "pool": global average pooling; "flatten": every value
    units: int = 0  # of a hidden dense layer with ReLU; 0: there is none
    dropout: float = 0.2  # before the logits
    normalization: bool = False  # batch normalization of its input, without scale and offset

    def __post_init__(self):
        check_choice("head.kind", self.kind, HEADS)
        check_choice("head.normalization", self.normalization, (False, True))
        check_whole("head.units", self.units, 0, 8192)
        check_range("head.dropout", self.dropout, 0, 0.9)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Some epochs in which the same layers are trainable; None: as the recipe says."""

    train_from: str = HEAD  # lowest trainable: "head", "all", a block or a layer
    epochs: int | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    momentum: float | None = None
    nesterov: bool | None = None
    schedule: str | None = None
    warmup_epochs: float | None = None
    final_learning_rate: float | None = None
    weight_decay: float | None = None

    def __post_init__(self):
        if not isinstance(self.train_from, str) or not self.train_from:
            raise InvalidRecipeError(
                f"train_from must be {HEAD!r}, {ALL!r} or the name of a block or a layer. "
                f"Received: {self.train_from!r}."
            )


PHASE_SETTINGS = tuple(f.name for f in dataclasses.fields(Phase) if f.name != "train_from")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train one network on one data set, from scratch or by fine-tuning.

    With a `head`, the network's own classifier is replaced by a new one, and what is below
    keeps its weights: those of ImageNet, or those of a finished run. `phases` say which
    layers are trainable when, at which rate, for how many epochs. Without phases all layers
    are, for `epochs`.

    Example:
        >>> recipe = Recipe(model="lenet_tutorial", dataset="digits", epochs=2)
        >>> Recipe.from_json(recipe.to_json()) == recipe
        True
        >>> phases = (Phase(train_from="head", epochs=20), Phase(train_from="block5", epochs=5))
        >>> Recipe(model="vgg16", weights="imagenet", head=Head(), phases=phases).total_epochs
        25
    """

    name: str = "custom"  # "published", "fast" or a person's own name for it
    model: str  # registered model or a definition's code; with a head also a pretrained one; with
    # a run, what it trained
    model_options: Mapping[str, Any] = field(default_factory=dict)  # its keyword options
    weights: str = "random"  # or "imagenet"; without meaning for a run's network
    preprocessing: str = "pretrained"  # as its weights were trained; "rescaling": pixels / 255
    run: str = ""  # id of a finished run whose network is fine-tuned; empty: none
    head: Head | None = None  # None: the network's own classifier
    phases: tuple[Phase, ...] = ()  # () is one phase in which all layers are trainable
    dataset: str = "mnist"  # registered or imported data set
    size: int | None = None  # pixels, height and width of the network's images; None: as given
    split_seed: int = 0  # of the split, where a data set has no published one
    per_class: int | None = None  # of those, at most so many training images a class; None: all
    train_size: int | None = None  # training images; None: all of the split
    validation_size: int | None = None  # images held out; None: a sixth
    validation_from: str = "end"  # which end of the training set: "start" or "end"
    epochs: int = 10  # an epoch is the time between two validations
    steps_per_epoch: int | None = None  # batches; None: one pass over the images
    batch_size: int = 128  # images
    drop_remainder: bool = False  # leave out the last, smaller batch of each pass
    shuffle: bool = True  # a new order for every pass, a function of (seed, pass)
    optimizer: str = "adam"  # one of OPTIMIZERS
    learning_rate: float = 1e-3  # per step, the highest one of the schedule
    momentum: float = 0.0  # sgd and rmsprop only
    nesterov: bool = False  # sgd only
    schedule: str = "constant"  # one of SCHEDULES, over each phase
    warmup_epochs: float = 0.0  # linear rise from 0 before the schedule begins
    final_learning_rate: float = 0.0  # fraction of learning_rate left at the end
    loss_reduction: str = "mean"  # over the batch: "mean", or "sum" as in old tutorials
    balanced: bool = False  # weigh classes so that rare ones count as much as frequent ones
    loss_epsilon: float = 0.0  # smallest probability in the loss; 1e-7 in old Keras; 0: none
    l1: float = 0.0  # penalty on every kernel, added to the loss
    l2: float = 0.0  # penalty on every kernel, added to the loss
    weight_decay: float = 0.0  # decoupled, per step, as a fraction of the learning rate
    label_smoothing: float = 0.0  # fraction of probability spread over all classes
    augmentation: Augmentation = field(default_factory=Augmentation)
    cached: bool = True  # compute the outputs of frozen layers only once, into the feature cache
    variants: int = 4  # augmented copies of each image in the cache, the image itself included
    feature_type: str = "float16"  # of the feature cache, one of FEATURE_TYPES
    stopping: Stopping | None = None
    keep_best: str | None = "val_loss"  # end with the weights best in this; None: last
    keep_checkpoints: int = 0  # epochs whose weights stay with the run, spread evenly; 0: none
    precision: str = "float32"  # one of PRECISIONS; "auto": mixed where there is a GPU
    seed: int = 0  # of weights, dropout, order and augmentation

    def __post_init__(self):
        if is_code(self.model):  # equal definitions have equal names, whoever compressed them
            object.__setattr__(self, "model", NetworkDefinition.from_code(self.model).code)
        object.__setattr__(self, "model_options", dict(self.model_options))
        object.__setattr__(self, "phases", tuple(self.phases))
        for name, allowed in _CHOICES.items():
            check_choice(name, getattr(self, name), allowed)
        for name, low, high in _WHOLE:
            check_whole(name, getattr(self, name), low, high, optional=name in _MAY_BE_NONE)
        for name, low, high in _RANGES:
            check_range(name, getattr(self, name), low, high)
        check_kind("augmentation", self.augmentation, Augmentation)
        check_kind("stopping", self.stopping, Stopping, optional=True)
        check_kind("head", self.head, Head, optional=True)
        for phase in self.phases:
            check_kind("A phase", phase, Phase)
        self._check_head()
        if self.phases:
            for number in range(len(self.phases)):
                self.for_phase(number)
        else:
            self._check_phase_settings()

    @property
    def training_phases(self) -> tuple[Phase, ...]:
        """Every phase with all its settings, at least one."""
        phases = self.phases or (Phase(train_from=ALL),)
        usual = {name: getattr(self, name) for name in PHASE_SETTINGS}
        return tuple(Phase(**usual | _said(phase)) for phase in phases)

    @property
    def total_epochs(self) -> int:
        """Epochs of all phases."""
        return sum(int(phase.epochs or 0) for phase in self.training_phases)

    @property
    def unfreezing(self) -> dict[int, str]:
        """What later phases unfreeze: `train_from` by the number of epochs before the phase.

        Empty with a stopping rule, which may end a phase at any epoch.
        """
        phases = self.training_phases
        ends = accumulate(int(phase.epochs or 0) for phase in phases)
        return {
            epochs: phase.train_from
            for epochs, before, phase in zip(ends, phases, phases[1:], strict=False)
            if phase.train_from != before.train_from and self.stopping is None
        }

    @property
    def caches_features(self) -> bool:
        """Whether outputs of frozen layers are computed once and kept."""
        return self.cached and any(phase.train_from != ALL for phase in self.phases)

    def for_phase(self, number: int) -> Recipe:
        """How phase `number` (0-based) trains: a recipe without phases, with its settings."""
        phase = self.training_phases[number]
        settings = {name: getattr(phase, name) for name in PHASE_SETTINGS}
        return self.replace(phases=(), **settings)

    def input_shape(self, images: tuple[int, int, int]) -> tuple[int, int, int]:
        """(height, width, channels) of the network's input, for those of the data set."""
        return (self.size, self.size, images[2]) if self.size else images

    def on(self, dataset: str) -> Recipe:
        """The same recipe for another data set, whose sizes are its own."""
        if dataset == self.dataset:
            return self
        return self.replace(dataset=dataset, train_size=None, validation_size=None)

    def for_epochs(self, epochs: int) -> Recipe:
        """The same recipe for about so many epochs in all, shared among its phases as now."""
        factor = epochs / self.total_epochs
        phases = tuple(
            dataclasses.replace(own, epochs=max(1, round(factor * (phase.epochs or 1))))
            for own, phase in zip(self.phases, self.training_phases, strict=False)
        )
        return self.replace(epochs=max(1, round(factor * self.epochs)), phases=phases)

    def replace(self, **changes: Any) -> Recipe:
        """A copy with some fields changed, checked again.

        Raises:
            InvalidRecipeError: a field is unknown or has a value that cannot work.
        """
        check_fields(changes, _FIELDS)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, as they go into JSON; of phases only what they say themselves.

        A network that is a definition is there as people read it, under "definition".
        """
        values = dataclasses.asdict(self) | {"phases": list(map(_said, self.phases))}
        return values | _readable(self.model) if is_code(self.model) else values

    def to_json(self) -> str:
        """Sorted keys, so that equal recipes give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The inverse of `to_dict`; reads what earlier versions wrote, too.

        Raises:
            InvalidRecipeError: a field is unknown or has a value that cannot work.
        """
        try:
            values = upgraded(_with_code(dict(values)))
            check_fields(values, _FIELDS)
            return cls(**_with_parts(values))
        except TypeError as error:
            raise InvalidRecipeError(f"This is not a recipe: {error}.") from error
        except InvalidDefinitionError as error:
            raise InvalidRecipeError(str(error)) from error

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """The inverse of `to_json`."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InvalidRecipeError(f"A recipe must be JSON: {error}.") from error
        if not isinstance(values, dict):
            raise InvalidRecipeError(
                f"A recipe must be a JSON object. Received: {type(values).__name__}."
            )
        return cls.from_dict(values)

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits, equal for recipes that train alike.

        A recipe that an earlier version could express keeps the fingerprint it had there, so
        that checkpoints and measurements of that version still belong to it.
        """
        values = self.to_dict()
        del values["name"], values["keep_checkpoints"]  # nothing is trained otherwise
        if is_code(self.model):  # the data set decides the rest of the definition
            network = NetworkDefinition.from_code(self.model).to_dict()
            values["definition"] = {name: network[name] for name in ("layers", "logits")}
            values["model"] = DEFINED
        added = ADDED_TO_FINE_TUNING if self.head else ADDED_TO_TRAINING
        usual = {f.name: default_of(f) for f in dataclasses.fields(self)} | {"phases": []}
        values = {k: v for k, v in values.items() if k not in added or v != usual[k]}
        if self.head and not self.head.normalization:
            values["head"] = {k: v for k, v in values["head"].items() if k != "normalization"}
        if self.phases or self.head:
            values["phases"] = [dataclasses.asdict(phase) for phase in self.training_phases]
            values = {k: v for k, v in values.items() if k not in PHASE_SETTINGS}
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _check_head(self) -> None:
        if self.head:
            if self.model_options:
                raise InvalidRecipeError(
                    "model_options are for training from scratch; with a head the network is as "
                    f"published. Received: {dict(self.model_options)}."
                )
            return
        if self.weights != "random" or self.run:
            raise InvalidRecipeError(
                "Fine-tuning needs a head for the classes of the data set, e.g. "
                f"head=Head(). Received: weights={self.weights!r}, run={self.run!r}, head=None."
            )
        frozen = [phase.train_from for phase in self.phases if phase.train_from != ALL]
        if frozen:
            raise InvalidRecipeError(
                f"Without a head every phase must train all layers (train_from={ALL!r}). "
                f"Received: {frozen[0]!r}."
            )

    def _check_phase_settings(self) -> None:
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("nesterov", self.nesterov, (False, True))
        check_whole("epochs", self.epochs, 1, 100_000)
        for name, low, high in (
            ("learning_rate", 1e-9, 1000),
            ("momentum", 0, 0.9999),
            ("warmup_epochs", 0, self.epochs),
            ("final_learning_rate", 0, 1),
            ("weight_decay", 0, 10),
        ):
            check_range(name, getattr(self, name), low, high)


def network_name(spec: Mapping[str, Any]) -> str:
    """What `create_model` calls the network of a stored recipe; "": it is not said.

    A definition that this version cannot read is called as it was stored.
    """
    try:
        return str(_with_code(dict(spec)).get("model", ""))
    except InvalidDefinitionError:
        return str(spec.get("model", ""))


def _readable(code: str) -> dict[str, Any]:
    """The definition in place of its code, unless a run's record has no room for it."""
    definition = NetworkDefinition.from_code(code).to_dict()
    if len(json.dumps(definition)) > MOST_RECORDED:
        return {"model": code}
    return {"model": DEFINED, "definition": definition}


def _with_code(values: dict[str, Any]) -> dict[str, Any]:
    """The inverse of `_readable`."""
    if values.get("definition") is None:
        return {name: value for name, value in values.items() if name != "definition"}
    definition = NetworkDefinition.from_dict(values.pop("definition"))
    return values | {"model": definition.code}


def _said(phase: Phase) -> dict[str, Any]:
    return {name: value for name, value in vars(phase).items() if value is not None}


def default_of(one: dataclasses.Field) -> Any:
    """The default of a dataclass's field; MISSING where it has none."""
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    return one.default


def _with_parts(values: dict[str, Any]) -> dict[str, Any]:
    """Plain values of parts that are dataclasses themselves, made into them."""
    head, stopping = values.get("head"), values.get("stopping")
    return values | {
        "augmentation": _part("augmentation", Augmentation, values.get("augmentation") or {}),
        "head": None if head is None else _part("head", Head, head),
        "phases": tuple(_part("A phase", Phase, phase) for phase in values.get("phases") or ()),
        "stopping": _part("stopping", Stopping, stopping) if stopping else None,
    }


def _part(name: str, kind: Any, values: Any) -> Any:
    if not isinstance(values, Mapping):
        raise InvalidRecipeError(f"{name} must be fields and their values. Received: {values!r}.")
    check_fields(values, [f.name for f in dataclasses.fields(kind)], of=name)
    return kind(**values)


_LARGEST_CHANGES = {
    "shift": 112, "rotation": 180, "zoom": 0.9, "shear": 60, "elastic": 10,
    "elastic_smoothness": 112, "crop": 0.9, "brightness": 1, "contrast": 1, "hue": 0.5,
    "pca": 1, "cutout": 0.9, "mixup": 2,
}  # fmt: skip
_CHOICES = {
    "weights": WEIGHTS,
    "preprocessing": PREPROCESSINGS,
    "validation_from": ("start", "end"),
    "loss_reduction": ("mean", "sum"),
    "keep_best": ("val_loss", "val_error", None),
    "feature_type": FEATURE_TYPES,
    "precision": PRECISIONS,
    "cached": (False, True),
    "balanced": (False, True),
}
_WHOLE = (
    ("size", SMALLEST_IMAGE, 1024),
    ("split_seed", 0, 2**31 - 1),
    ("per_class", 1, 10_000_000),
    ("train_size", 1, 10_000_000),
    ("validation_size", 1, 10_000_000),
    ("steps_per_epoch", 1, 10_000_000),
    ("batch_size", 1, 60_000),
    ("variants", 1, 64),
    ("keep_checkpoints", 0, 100),
    ("seed", 0, 2**31 - 1),
)
_RANGES = (("loss_epsilon", 0, 0.1), ("l1", 0, 10), ("l2", 0, 10), ("label_smoothing", 0, 0.9))
_FIELDS = tuple(f.name for f in dataclasses.fields(Recipe))
_MAY_BE_NONE = ("size", "per_class", "train_size", "validation_size", "steps_per_epoch")
