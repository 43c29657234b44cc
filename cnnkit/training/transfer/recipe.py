"""How to fine-tune a network, as plain values: which layers learn, when, and on what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnnkit.errors import InvalidRecipeError
from cnnkit.training._config import Written, check_choice, check_range, check_whole
from cnnkit.training.recipe import Augmentation, Recipe, Stopping

HEAD, ALL = "head", "all"  # depths that every network has
HEADS = ("pool", "flatten")
WEIGHTS = ("imagenet", "random")
FEATURE_TYPES = ("float16", "float32")
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
MAX_VARIANTS = 64


@dataclass(frozen=True, kw_only=True)
class Head:
    """The new layers on top: from the last maps to the logits of the new classes."""

    kind: str = "pool"  # "pool": the mean of each map; "flatten": every value
    units: int = 0  # of a hidden layer with ReLU; 0: there is none
    dropout: float = 0.2  # before the logits

    def __post_init__(self):
        """Check every field."""
        check_choice("head.kind", self.kind, HEADS)
        check_whole("head.units", self.units, 0, 8192)
        check_range("head.dropout", self.dropout, 0, 0.9)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Some epochs in which the same layers learn at the same rate."""

    train_from: str = HEAD  # lowest that learns: "head", "all", a block or a layer
    epochs: int = 10
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    schedule: str = "cosine"
    warmup_epochs: float = 0.0
    final_learning_rate: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self):
        """Check what `Recipe` does not check."""
        if not isinstance(self.train_from, str) or not self.train_from:
            raise InvalidRecipeError(
                f"train_from must be {HEAD!r}, {ALL!r} or the name of a block or a layer. "
                f"Received: {self.train_from!r}."
            )


@dataclass(frozen=True, kw_only=True)
class TransferRecipe(Written):
    """How to fine-tune one network on one data set.

    Example:
        >>> recipe = TransferRecipe(model="mobilenet_v2", dataset="drawn_flowers")
        >>> TransferRecipe.from_json(recipe.to_json()) == recipe
        True
    """

    what: ClassVar[str] = "recipe of fine-tuning"

    name: str = "custom"
    model: str  # pretrained or registered network; with `run`, what the run trained
    weights: str = "imagenet"  # or "random"; without meaning for a run's network
    run: str = ""  # a finished run whose network goes on learning; empty: none
    size: int | None = None  # pixels, height and width of the images; None: as published
    dataset: str = "flowers17"  # registered or imported data set
    split_seed: int = 0  # of the division into parts
    per_class: int | None = None  # at most so many of each class to learn from; None: all
    head: Head = field(default_factory=Head)
    phases: tuple[Phase, ...] = (Phase(),)
    batch_size: int = 32
    augmentation: Augmentation = field(default_factory=Augmentation)
    cached: bool = True  # compute what the frozen layers make of an image only once
    variants: int = 4  # of each image, itself included, where features are cached
    feature_type: str = "float16"  # of what is cached
    balanced: bool = False  # rare classes count more, so that all classes count alike
    label_smoothing: float = 0.0
    stopping: Stopping | None = None
    keep_best: str | None = "val_loss"  # end with the weights best in this; None: last
    precision: str = "auto"  # mixed where there is a GPU
    seed: int = 0  # of the head's weights, dropout, order and augmentation

    def __post_init__(self):
        """Check every field once; whoever holds a recipe may trust it."""
        object.__setattr__(self, "phases", tuple(self.phases))
        check_choice("weights", self.weights, WEIGHTS)
        check_choice("feature_type", self.feature_type, FEATURE_TYPES)
        check_choice("precision", self.precision, PRECISIONS)
        check_whole("split_seed", self.split_seed, 0, 2**31 - 1)
        check_whole("variants", self.variants, 1, MAX_VARIANTS)
        for name in ("cached", "balanced"):
            check_choice(name, getattr(self, name), (False, True))
        if self.per_class is not None:
            check_whole("per_class", self.per_class, 1, 10_000_000)
        if not self.phases:
            raise InvalidRecipeError("phases must be one or more. Received: none.")
        for number in range(len(self.phases)):
            self.learning(number)

    @property
    def epochs(self) -> int:
        """Of all phases."""
        return sum(phase.epochs for phase in self.phases)

    def learning(self, number: int) -> Recipe:
        """How a phase learns, in the terms of any training.

        Args:
            number: of the phase, 0-based.

        Raises:
            InvalidRecipeError: a value of the phase cannot work; names the field.
        """
        settings = {k: v for k, v in vars(self.phases[number]).items() if k != "train_from"}
        return Recipe(
            model=self.model,
            dataset=self.dataset,
            size=self.size,
            batch_size=self.batch_size,
            augmentation=self.augmentation,
            label_smoothing=self.label_smoothing,
            stopping=self.stopping,
            keep_best=self.keep_best,
            seed=self.seed,
            **settings,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, as they go into JSON."""
        values = super().to_dict()
        return values | {"phases": list(values["phases"])}

    @classmethod
    def _parts(cls, values: dict[str, Any]) -> dict[str, Any]:
        values["augmentation"] = Augmentation(**values.get("augmentation") or {})
        values["head"] = Head(**values.get("head") or {})
        if "phases" in values:
            values["phases"] = tuple(Phase(**phase) for phase in values["phases"])
        stopping = values.get("stopping")
        values["stopping"] = Stopping(**stopping) if stopping else None
        return values
