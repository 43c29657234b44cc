"""Every hyper-parameter of a recipe as one flat table: its label, its range, its group.

Forms are drawn from it and recipes are compared with it, so that a thing has the same name
wherever it is shown. Nested fields have dotted names: "augmentation.shift"; those of the
first phase are "phase1.epochs" and so on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnkit.errors import InvalidRecipeError, UnknownModelError
from cnnkit.models import list_models, model_info
from cnnkit.models.builder import is_code
from cnnkit.training._checks import check_fields
from cnnkit.training.recipe import (
    ALL,
    FEATURE_TYPES,
    FILLS,
    HEAD,
    HEADS,
    OPTIMIZERS,
    PHASE_SETTINGS,
    PRECISIONS,
    PREPROCESSINGS,
    SCHEDULES,
    WEIGHTS,
    Recipe,
    network_name,
)

MODEL_OPTION = "model_options."
_MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Field:
    """One hyper-parameter, as people meet it."""

    name: str  # dotted, as in `flatten`
    title: str
    group: str
    help: str = ""
    choices: tuple[Any, ...] = ()  # all that is allowed, or
    range: tuple[float, float] | None = None  # the least and the largest value, or neither: yes/no
    whole: bool = False  # numbers without a fraction
    empty: str | None = None  # what None means; None: there must be a value
    needs: tuple[str, Any] | None = None  # shown only while this field has one of these values
    titles: Mapping[str, str] = dataclasses.field(default_factory=dict)  # of choices
    ordered: bool = False  # the choices form a scale
    main: bool = False  # one of the few that a beginner sets

    def text(self, value: Any) -> str:
        """A value in a few words."""
        if isinstance(value, str) and value in self.titles:
            return self.titles[value]
        if value is None:
            return self.empty or "none"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int):
            return f"{value:,}" if value >= 10_000 and self.name != "seed" else str(value)
        return f"{value:.6g}" if isinstance(value, float) else str(value)


def recipe_fields(recipe: Recipe, depths: Sequence[str] = ()) -> tuple[Field, ...]:
    """The fields that decide how a recipe trains, in the order of a form.

    Fields without effect on it are left out: the head's without a head, the feature cache's
    where nothing is frozen, a setting that every phase sets for itself.

    Args:
        recipe: which network, and how many phases.
        depths: choices of `train_from`, the head first; empty: any name.
    """
    values = flatten(recipe.to_dict())
    fields = (*model_fields(recipe.model), *phase_fields(len(recipe.phases), depths), *FIELDS)
    return tuple(
        field for field in fields if field.name in values or field.name.startswith("stopping.")
    )


def model_fields(model: str) -> tuple[Field, ...]:
    """The options of one network, in the form of the other fields."""
    if model not in list_models():
        return ()
    return tuple(
        Field(
            name=MODEL_OPTION + option.name,
            title=option.title,
            group="Network",
            choices=option.choices,
            range=option.range,
            whole=option.range is not None and isinstance(option.default, int),
        )
        for option in model_info(model).options
    )


def phase_fields(phases: int, depths: Sequence[str] = ()) -> tuple[Field, ...]:
    """The fields of each phase: its lowest trainable layer, and every setting it may have.

    Args:
        phases: how many.
        depths: choices of `train_from`, the head first; empty: any name. A later phase that
            unfreezes nothing needs no settings.
    """
    settings = {field.name: field for field in FIELDS if field.name in PHASE_SETTINGS}
    fields: list[Field] = []
    for number in range(1, phases + 1):
        group = f"Phase {number}"
        phase = f", phase {number}" if phases > 1 else ""
        start = Field(
            name=f"phase{number}.train_from",
            title=f"Unfreeze from block{phase}",
            group=group,
            help=f"The lowest trainable block or layer; {HEAD!r}: only the new head; {ALL!r}: "
            "all layers.",
            choices=tuple(depths),
            titles={HEAD: "head only", ALL: "all layers"},
            ordered=True,
            main=number > 1 or phases == 1,
        )
        deeper = tuple(depth for depth in depths if depth != HEAD)
        own = (
            dataclasses.replace(
                settings[name],
                name=f"phase{number}.{name}",
                title=f"{settings[name].title}{phase}",
                group=group,
                needs=(start.name, deeper) if number > 1 and depths else None,
            )
            for name in PHASE_SETTINGS
        )
        fields += [start, *own]
    return tuple(fields)


def flatten(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every field by its dotted name.

    Args:
        spec: `Recipe.to_dict()`, of this or an earlier version. Options of the network that
            it leaves out get their default; without a stopping rule `stopping.kind` is None.
    """
    recipe = _recorded(spec)
    spec = recipe.to_dict() if recipe else spec
    values: dict[str, Any] = {}
    if spec.get("model") in list_models() and not spec.get("head"):
        options = model_info(spec["model"]).options
        values = {MODEL_OPTION + option.name: option.default for option in options}
    for name, value in spec.items():
        if name == "definition":  # of layers, not of hyper-parameters
            continue
        if isinstance(value, Mapping):
            values |= {f"{name}.{key}": inner for key, inner in value.items()}
        elif name == "stopping":
            values["stopping.kind"] = None
        elif name == "phases":
            for number, phase in enumerate(value, start=1):
                values |= {f"phase{number}.{key}": inner for key, inner in phase.items()}
        else:
            values[name] = value
    without_effect = _without_effect(recipe) if recipe else ()
    return {name: value for name, value in values.items() if name not in without_effect}


def with_values(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """A recipe with some fields changed, given by their dotted names.

    Raises:
        InvalidRecipeError: a value cannot work, or would change nothing; names the field.
    """
    nested: dict[str, Any] = recipe.to_dict()
    for name, value in values.items():
        part, _, key = name.partition(".")
        if key and part.startswith("phase"):
            _phase_of(nested, name, part)[key] = value
        elif key:
            nested[part] = {**_part_of(nested, part), key: value}
        elif name in PHASE_SETTINGS and _set_by_phases(recipe, name):
            own = " or ".join(f"phase{n}.{name}" for n in range(1, len(recipe.phases) + 1))
            raise InvalidRecipeError(
                f"Each phase of this recipe has its own {name}: set {own}. "
                f"Received: {name}={value}."
            )
        else:
            nested[name] = value
    if nested["stopping"] and _part_of(nested, "stopping").get("kind") is None:
        nested["stopping"] = None
    return Recipe.from_dict(nested)


@dataclass(frozen=True)
class Difference:
    """One hyper-parameter that is not the same everywhere."""

    name: str  # dotted, as in `flatten`
    title: str
    texts: tuple[str, ...]  # one a recipe, in their order; "–" where it has no such thing


def differences(specs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """The fields in which recipes differ, in the order of a form.

    The name of a recipe changes nothing and is left out.

    Args:
        specs: each a `Recipe.to_dict()`, at least as far as it is known.
    """
    columns = [flatten(spec) | {"model": network_name(spec)} for spec in specs]
    result = []
    for field in _known_fields(specs):
        values = [column.get(field.name, _MISSING) for column in columns]
        if any(value != values[0] for value in values):
            texts = tuple("–" if value is _MISSING else _text(field, value) for value in values)
            result.append(Difference(field.name, field.title, texts))
    return result


def _text(field: Field, value: Any) -> str:
    if field.name == "model" and is_code(value):
        return model_info(value).title
    return field.text(value)


def _known_fields(specs: Sequence[Mapping[str, Any]]) -> list[Field]:
    models = dict.fromkeys(str(spec.get("model")) for spec in specs)
    options: dict[str, Field] = {}
    for model in models:
        options |= {field.name: field for field in _options(model)}
    phases = max((len(spec.get("phases") or ()) for spec in specs), default=0)
    return [*_FIRST, *options.values(), *phase_fields(phases), *FIELDS]


def _options(model: str) -> tuple[Field, ...]:
    try:
        return model_fields(model)
    except UnknownModelError:  # a run of another version of cnnkit
        return ()


def _recorded(spec: Mapping[str, Any]) -> Recipe | None:
    """The recipe of a spec; None where it is not whole or of an unknown version."""
    try:
        return Recipe.from_dict(spec) if "dataset" in spec else None
    except InvalidRecipeError:
        return None


def _without_effect(recipe: Recipe) -> set[str]:
    """Names of fields that change nothing in how a recipe trains."""
    names = {name for name in PHASE_SETTINGS if _set_by_phases(recipe, name)}
    if recipe.head is None:
        names |= {"head", "weights", "run", "preprocessing"}
    elif recipe.run:
        names |= {"weights", "preprocessing"}
    if not recipe.caches_features:
        names |= {"variants", "feature_type"}
    if all(phase.train_from == ALL for phase in recipe.training_phases):
        names.add("cached")
    return names


def _set_by_phases(recipe: Recipe, name: str) -> bool:
    return bool(recipe.phases) and all(getattr(p, name) is not None for p in recipe.phases)


def _part_of(nested: dict[str, Any], part: str) -> Mapping[str, Any]:
    """The fields of a part of a recipe, such as "augmentation"; none where there is no part."""
    check_fields([part], nested)
    fields = nested[part] or {}
    if not isinstance(fields, Mapping):
        raise InvalidRecipeError(f"{part} has no fields of its own. Received: {fields!r}.")
    return fields


def _phase_of(nested: dict[str, Any], name: str, part: str) -> dict[str, Any]:
    number = part.removeprefix("phase")
    if not number.isdigit() or not 1 <= int(number) <= len(nested["phases"]):
        raise InvalidRecipeError(
            f"This recipe has {len(nested['phases'])} phases, phase1 being the first. "
            f"Received: {name!r}."
        )
    return nested["phases"][int(number) - 1]


_FIRST = (
    Field(name="model", title="Network", group=""),
    Field(name="dataset", title="Data set", group=""),
    Field(name="weights", title="Initial weights", group="", choices=WEIGHTS),
    Field(name="run", title="Initial weights of run", group=""),
)

_LEARNING = "Optimizer"
_SCHEDULE = "Learning-rate schedule"
_STOPPING = "Early stopping and checkpoints"
_PENALTIES = "Regularization"
_AUGMENTATION = "Augmentation"
_PHOTOS = "Augmentation of photos"
_HEAD = "Head and feature cache"
_DATA = "Data and seeds"

FIELDS = (
    Field(
        name="epochs",
        title="Epochs",
        group=_LEARNING,
        help="The time between two validations: one pass over the training images, unless the "
        "number of batches in an epoch is set.",
        range=(1, 100_000),
        whole=True,
        main=True,
    ),
    Field(
        name="batch_size",
        title="Batch size",
        group=_LEARNING,
        help="Images in one gradient step.",
        range=(1, 60_000),
        whole=True,
        main=True,
    ),
    Field(
        name="optimizer",
        title="Optimizer",
        group=_LEARNING,
        help="How gradients become updates of the weights.",
        choices=OPTIMIZERS,
    ),
    Field(
        name="learning_rate",
        title="Learning rate",
        group=_LEARNING,
        help="Size of each step. Too small trains slowly; too large does not train at all.",
        range=(1e-9, 1000.0),
        main=True,
    ),
    Field(
        name="momentum",
        title="Momentum",
        group=_LEARNING,
        help="Fraction of the previous update that is added to each one. For sgd and rmsprop only.",
        range=(0.0, 0.9999),
    ),
    Field(
        name="nesterov",
        title="Nesterov momentum",
        group=_LEARNING,
        help="Take the gradient after the momentum step. For sgd only.",
    ),
    Field(
        name="loss_reduction",
        title="Loss over the batch",
        group=_LEARNING,
        help="Mean, or sum as in old tutorials: a sum multiplies the step by the batch size.",
        choices=("mean", "sum"),
    ),
    Field(
        name="loss_epsilon",
        title="Smallest probability in the loss",
        group=_LEARNING,
        help="The cross-entropy takes no probability for smaller, so an image further off has no "
        "gradient. Keras did so with 1e-7 until it kept the logits of a softmax. 0: no limit.",
        range=(0.0, 0.1),
    ),
    Field(
        name="schedule",
        title="Schedule",
        group=_SCHEDULE,
        help="How the learning rate changes from the first step to the last.",
        choices=SCHEDULES,
    ),
    Field(
        name="warmup_epochs",
        title="Warm-up epochs",
        group=_SCHEDULE,
        help="The learning rate rises linearly from 0 before the schedule begins.",
        range=(0.0, 100_000.0),
    ),
    Field(
        name="final_learning_rate",
        title="Final learning rate (fraction)",
        group=_SCHEDULE,
        help="As a fraction of the learning rate. Without effect when the schedule is constant.",
        range=(0.0, 1.0),
    ),
    Field(
        name="stopping.kind",
        title="Early stopping",
        group=_STOPPING,
        help="keras: after `patience` epochs without improvement. tutorial: the rule of the Theano "
        "tutorials, whose patience is counted in mini-batches and grows with improvements.",
        choices=(None, "keras", "tutorial"),
        empty="never",
    ),
    Field(
        name="stopping.monitor",
        title="Monitored metric",
        group=_STOPPING,
        choices=("val_loss", "val_error"),
        needs=("stopping.kind", ("keras", "tutorial")),
    ),
    Field(
        name="stopping.patience",
        title="Patience",
        group=_STOPPING,
        help="keras: epochs without improvement. tutorial: the least number of mini-batches.",
        range=(0, 10_000_000),
        whole=True,
        needs=("stopping.kind", ("keras", "tutorial")),
    ),
    Field(
        name="stopping.min_delta",
        title="Minimum improvement",
        group=_STOPPING,
        help="A smaller improvement does not count.",
        range=(0.0, 100.0),
        needs=("stopping.kind", ("keras",)),
    ),
    Field(
        name="stopping.patience_increase",
        title="Patience increase (factor)",
        group=_STOPPING,
        help="A significant improvement raises the patience to so many times the batches so far.",
        range=(1.0, 100.0),
        needs=("stopping.kind", ("tutorial",)),
    ),
    Field(
        name="stopping.improvement_threshold",
        title="Improvement threshold",
        group=_STOPPING,
        help="An error below this fraction of the best one is a significant improvement.",
        range=(0.0, 1.0),
        needs=("stopping.kind", ("tutorial",)),
    ),
    Field(
        name="keep_best",
        title="Restore best weights",
        group=_STOPPING,
        help="End with the weights of the epoch that was best on the validation set.",
        choices=("val_loss", "val_error", None),
        empty="no, those of the last epoch",
    ),
    Field(
        name="keep_checkpoints",
        title="Epochs kept for Inside",
        group=_STOPPING,
        help="The weights of so many epochs, spread over the training, stay with the run: Inside "
        "shows the filters forming. At most 256 MB; 0: none.",
        range=(0, 100),
        whole=True,
    ),
    Field(
        name="l1",
        title="L1 penalty",
        group=_PENALTIES,
        help="Times the sum of the absolute values of all kernel weights, added to the loss.",
        range=(0.0, 10.0),
    ),
    Field(
        name="l2",
        title="L2 penalty",
        group=_PENALTIES,
        help="Times the sum of all squared kernel weights, added to the loss.",
        range=(0.0, 10.0),
    ),
    Field(
        name="weight_decay",
        title="Weight decay",
        group=_PENALTIES,
        help="Each step shrinks the weights by this fraction of the learning rate.",
        range=(0.0, 10.0),
    ),
    Field(
        name="label_smoothing",
        title="Label smoothing",
        group=_PENALTIES,
        help="Fraction of the target probability that is spread over all classes.",
        range=(0.0, 0.9),
    ),
    Field(
        name="balanced",
        title="Balance classes",
        group=_PENALTIES,
        help="Weigh images by class, so that rare classes count as much as frequent ones.",
    ),
    Field(
        name="augmentation.shift",
        title="Shift (pixels)",
        group=_AUGMENTATION,
        help="Largest shift in each direction.",
        range=(0.0, 112.0),
    ),
    Field(
        name="augmentation.rotation",
        title="Rotation (degrees)",
        group=_AUGMENTATION,
        help="Largest rotation in each direction.",
        range=(0.0, 180.0),
    ),
    Field(
        name="augmentation.zoom",
        title="Zoom (fraction)",
        group=_AUGMENTATION,
        help=".1 draws a scale between .9 and 1.1.",
        range=(0.0, 0.9),
    ),
    Field(
        name="augmentation.shear",
        title="Shear (degrees)",
        group=_AUGMENTATION,
        help="Largest shear in each direction.",
        range=(0.0, 60.0),
    ),
    Field(
        name="augmentation.elastic",
        title="Elastic (pixels)",
        group=_AUGMENTATION,
        help="Elastic deformation: standard deviation of a pixel's displacement.",
        range=(0.0, 10.0),
    ),
    Field(
        name="augmentation.elastic_smoothness",
        title="Elastic smoothness (pixels)",
        group=_AUGMENTATION,
        help="Standard deviation of the Gaussian that smooths the displacements.",
        range=(0.5, 112.0),
    ),
    Field(
        name="augmentation.fill",
        title="Fill mode",
        group=_AUGMENTATION,
        help="Pixels from outside the image: black suits digits, the nearest pixel photos.",
        choices=FILLS,
    ),
    Field(
        name="augmentation.flip",
        title="Horizontal flip",
        group=_PHOTOS,
        help="Mirrors half of the images. A flower stays a flower; a 3 does not stay a 3.",
    ),
    Field(
        name="augmentation.flip_vertical",
        title="Vertical flip",
        group=_PHOTOS,
        help="Turns half of the images upside down.",
    ),
    Field(
        name="augmentation.crop",
        title="Crop (fraction)",
        group=_PHOTOS,
        help=".2 crops away up to a fifth of each side, at a random place, and resizes the rest.",
        range=(0.0, 0.9),
    ),
    Field(
        name="augmentation.brightness",
        title="Brightness (fraction)",
        group=_PHOTOS,
        help=".1 makes each image up to a tenth of the range lighter or darker.",
        range=(0.0, 1.0),
    ),
    Field(
        name="augmentation.contrast",
        title="Contrast (fraction)",
        group=_PHOTOS,
        help=".2 stretches each image's values around their mean by .8 to 1.2.",
        range=(0.0, 1.0),
    ),
    Field(
        name="augmentation.hue",
        title="Hue (fraction of the color wheel)",
        group=_PHOTOS,
        help="Largest change of hue: .5 makes red cyan. Flowers are recognized by their color.",
        range=(0.0, 0.5),
    ),
    Field(
        name="augmentation.pca",
        title="PCA color noise (deviation)",
        group=_PHOTOS,
        help="AlexNet's noise along the principal components of the colors; theirs was .1.",
        range=(0.0, 1.0),
    ),
    Field(
        name="augmentation.cutout",
        title="Cutout (fraction)",
        group=_PHOTOS,
        help="Blanks a square of this fraction of each side, at a random place.",
        range=(0.0, 0.9),
    ),
    Field(
        name="augmentation.mixup",
        title="Mixup (alpha)",
        group=_PHOTOS,
        help="Mixes two images and their labels: with .2 mostly one is visible, with 1 every "
        "mixture is equally likely.",
        range=(0.0, 2.0),
    ),
    Field(
        name="head.kind",
        title="Head",
        group=_HEAD,
        help="What the dense layer of the head gets: the mean of each of the last feature maps, or "
        "all their values.",
        choices=HEADS,
        titles={"pool": "global average pooling", "flatten": "flatten"},
    ),
    Field(
        name="head.units",
        title="Hidden units of the head",
        group=_HEAD,
        help="Of a dense layer with ReLU before the logits; 0: there is none.",
        range=(0, 8192),
        whole=True,
    ),
    Field(
        name="head.normalization",
        title="Batch normalization of the head",
        group=_HEAD,
        help="Each of the features that the head gets has mean 0 and standard deviation 1 over a "
        "batch. Features of VGG are large and uneven, and train far sooner with it.",
    ),
    Field(
        name="head.dropout",
        title="Dropout of the head",
        group=_HEAD,
        help="Fraction of the values before the logits that each step sets to 0.",
        range=(0.0, 0.9),
    ),
    Field(
        name="preprocessing",
        title="Preprocessing",
        group=_HEAD,
        help="pretrained: as the images were on which the weights were trained. rescaling: pixels "
        "divided by 255, as in many tutorials.",
        choices=PREPROCESSINGS,
    ),
    Field(
        name="cached",
        title="Feature cache",
        group=_HEAD,
        help="Compute the outputs of frozen layers once and keep them on disk.",
    ),
    Field(
        name="variants",
        title="Variants",
        group=_HEAD,
        help="Augmented copies of each image in the feature cache, the image itself included.",
        range=(1, 64),
        whole=True,
    ),
    Field(
        name="feature_type",
        title="Data type of the feature cache",
        group=_HEAD,
        choices=FEATURE_TYPES,
    ),
    Field(
        name="precision",
        title="Precision",
        group=_LEARNING,
        help="auto: mixed precision where there is a GPU.",
        choices=PRECISIONS,
    ),
    Field(
        name="size",
        title="Image size (pixels)",
        group=_DATA,
        help="Height and width that images are resized to. The cost grows with the square.",
        range=(8, 1024),
        whole=True,
        empty="as they are",
    ),
    Field(
        name="split_seed",
        title="Split seed",
        group=_DATA,
        help="Decides the three splits of a data set that has no published ones.",
        range=(0, 2**31 - 1),
        whole=True,
    ),
    Field(
        name="per_class",
        title="Training images per class",
        group=_DATA,
        help="At most this many, where a data set has no published split.",
        range=(1, 10_000_000),
        whole=True,
        empty="all",
    ),
    Field(
        name="train_size",
        title="Training images",
        group=_DATA,
        help="At most; larger numbers mean all that are left.",
        range=(1, 10_000_000),
        whole=True,
        empty="all that are left",
    ),
    Field(
        name="validation_size",
        title="Validation images",
        group=_DATA,
        help="Held out of the training images to measure the network after each epoch. "
        "A number that is too large becomes the data set's usual share.",
        range=(1, 10_000_000),
        whole=True,
        empty="a sixth",
    ),
    Field(
        name="validation_from",
        title="Validation images from the",
        group=_DATA,
        help="Which end of the training images they are taken from.",
        choices=("end", "start"),
    ),
    Field(
        name="steps_per_epoch",
        title="Steps per epoch",
        group=_DATA,
        range=(1, 10_000_000),
        whole=True,
        empty="one pass",
    ),
    Field(
        name="drop_remainder",
        title="Drop the last, smaller batch",
        group=_DATA,
    ),
    Field(
        name="shuffle",
        title="Shuffle",
        group=_DATA,
    ),
    Field(
        name="seed",
        title="Random seed",
        group=_DATA,
        help="Of weights, dropout, order and augmentation: the same seed gives the same network.",
        range=(0, 2**31 - 1),
        whole=True,
    ),
)
GROUPS = tuple(dict.fromkeys(field.group for field in FIELDS))
