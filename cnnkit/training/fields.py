"""Every hyper-parameter of a recipe as one flat table: its words, its range, its group.

A form is drawn from it and two recipes are compared with it, so that a thing has the
same name wherever it is shown. Nested fields have dotted names: "augmentation.shift".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnkit.models import list_models, model_info
from cnnkit.training.recipe import FILLS, OPTIMIZERS, SCHEDULES, Recipe

MODEL_OPTION = "model_options."


@dataclass(frozen=True, kw_only=True)
class Field:
    """One hyper-parameter, as people meet it."""

    name: str  # path into `Recipe.to_dict()`
    title: str
    group: str
    help: str = ""
    choices: tuple[Any, ...] = ()  # all that is allowed, or
    range: tuple[float, float] | None = None  # the least and the largest value, or neither: yes/no
    whole: bool = False  # numbers without a fraction
    empty: str | None = None  # what None means; None: there must be a value
    needs: tuple[str, Any] | None = None  # shown only while this field has this value

    def text(self, value: Any) -> str:
        """A value in a few words."""
        if value is None:
            return self.empty or "none"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int):
            return f"{value:,}" if value >= 10_000 and self.name != "seed" else str(value)
        return f"{value:.6g}" if isinstance(value, float) else str(value)


def model_fields(model: str) -> tuple[Field, ...]:
    """The options of one network, in the form of the other fields."""
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


def flatten(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every field by its dotted name.

    Args:
        spec: `Recipe.to_dict()`. Options of the network that it leaves out get their
            default; without a stopping rule `stopping.kind` is None.
    """
    values: dict[str, Any] = {}
    if spec.get("model") in list_models():
        options = model_info(spec["model"]).options
        values = {MODEL_OPTION + option.name: option.default for option in options}
    for name, value in spec.items():
        if isinstance(value, Mapping):
            values |= {f"{name}.{key}": inner for key, inner in value.items()}
        elif name == "stopping":
            values["stopping.kind"] = None
        else:
            values[name] = value
    return values


def with_values(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """A recipe with some fields changed, given by their dotted names.

    Raises:
        InvalidRecipeError: a value cannot work; names the field.
    """
    nested: dict[str, Any] = recipe.to_dict()
    for name, value in values.items():
        part, _, key = name.partition(".")
        if key:
            nested[part] = {**(nested[part] or {}), key: value}
        else:
            nested[name] = value
    if nested["stopping"] and nested["stopping"].get("kind") is None:
        nested["stopping"] = None
    return Recipe.from_dict(nested)


_LEARNING = "Learning"
_SCHEDULE = "Learning rate over time"
_STOPPING = "When to stop, what to keep"
_PENALTIES = "Against overfitting"
_AUGMENTATION = "Augmentation"
_PHOTOS = "Augmentation of photos"
_DATA = "Data and order"

FIELDS = (
    Field(
        name="epochs",
        title="Epochs",
        group=_LEARNING,
        help="An epoch is the time between two looks at the validation images, mostly one "
        "pass over the training images.",
        range=(1, 100_000),
        whole=True,
    ),
    Field(
        name="batch_size",
        title="Batch size",
        group=_LEARNING,
        help="Images that the network sees before it changes its weights once.",
        range=(1, 60_000),
        whole=True,
    ),
    Field(
        name="optimizer",
        title="Optimizer",
        group=_LEARNING,
        help="How the gradient becomes a change of the weights.",
        choices=OPTIMIZERS,
    ),
    Field(
        name="learning_rate",
        title="Learning rate",
        group=_LEARNING,
        help="How far each step goes. Too small learns slowly; too large does not learn at all.",
        range=(1e-9, 1000.0),
    ),
    Field(
        name="momentum",
        title="Momentum",
        group=_LEARNING,
        help="How much of the last step each step repeats. For sgd and rmsprop only.",
        range=(0.0, 0.9999),
    ),
    Field(
        name="nesterov",
        title="Nesterov momentum",
        group=_LEARNING,
        help="Look ahead along the momentum before taking the gradient. For sgd only.",
    ),
    Field(
        name="loss_reduction",
        title="Loss over the batch",
        group=_LEARNING,
        help="Mean, or sum as in old tutorials: a sum multiplies the step by the batch size.",
        choices=("mean", "sum"),
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
        help="The rate rises from 0 for so long before the schedule begins.",
        range=(0.0, 100_000.0),
    ),
    Field(
        name="final_learning_rate",
        title="Rate left at the end",
        group=_SCHEDULE,
        help="As a fraction of the learning rate. Without effect when the schedule is constant.",
        range=(0.0, 1.0),
    ),
    Field(
        name="stopping.kind",
        title="Stop early",
        group=_STOPPING,
        help="keras: after some epochs without improvement. tutorial: the rule of the Theano "
        "tutorials, whose patience is counted in mini-batches and grows with every success.",
        choices=(None, "keras", "tutorial"),
        empty="never",
    ),
    Field(
        name="stopping.monitor",
        title="Watch",
        group=_STOPPING,
        choices=("val_loss", "val_error"),
        needs=("stopping.kind", ("keras", "tutorial")),
    ),
    Field(
        name="stopping.patience",
        title="Patience",
        group=_STOPPING,
        help="keras: epochs without improvement. tutorial: mini-batches to look at, at least.",
        range=(0, 10_000_000),
        whole=True,
        needs=("stopping.kind", ("keras", "tutorial")),
    ),
    Field(
        name="stopping.min_delta",
        title="Smallest improvement",
        group=_STOPPING,
        help="Less than this does not count as better.",
        range=(0.0, 100.0),
        needs=("stopping.kind", ("keras",)),
    ),
    Field(
        name="stopping.patience_increase",
        title="Patience grows by",
        group=_STOPPING,
        help="A clear success lets training look at so many times the mini-batches seen so far.",
        range=(1.0, 100.0),
        needs=("stopping.kind", ("tutorial",)),
    ),
    Field(
        name="stopping.improvement_threshold",
        title="Clear success",
        group=_STOPPING,
        help="Below this fraction of the best error so far.",
        range=(0.0, 1.0),
        needs=("stopping.kind", ("tutorial",)),
    ),
    Field(
        name="keep_best",
        title="Keep the weights",
        group=_STOPPING,
        help="Those of the epoch that was best on the validation images, or the last ones.",
        choices=("val_loss", "val_error", None),
        empty="of the last epoch",
    ),
    Field(
        name="l1",
        title="L1 penalty",
        group=_PENALTIES,
        help="Times the sum of all kernel weights' sizes, added to the loss.",
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
        help="Fraction of the probability that is spread over all classes.",
        range=(0.0, 0.9),
    ),
    Field(
        name="augmentation.shift",
        title="Shift (pixels)",
        group=_AUGMENTATION,
        help="Each image moves by up to this much, both ways.",
        range=(0.0, 112.0),
    ),
    Field(
        name="augmentation.rotation",
        title="Rotation (degrees)",
        group=_AUGMENTATION,
        help="Each image turns by up to this much, both ways.",
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
        title="Slant (degrees)",
        group=_AUGMENTATION,
        help="Each image leans by up to this much, both ways.",
        range=(0.0, 60.0),
    ),
    Field(
        name="augmentation.elastic",
        title="Elastic (pixels)",
        group=_AUGMENTATION,
        help="Bends strokes as an unsteady hand does: the usual displacement of a pixel.",
        range=(0.0, 10.0),
    ),
    Field(
        name="augmentation.elastic_smoothness",
        title="Elastic smoothness (pixels)",
        group=_AUGMENTATION,
        help="How far the bending reaches: small crumples, large sways.",
        range=(0.5, 112.0),
    ),
    Field(
        name="augmentation.fill",
        title="From outside comes",
        group=_AUGMENTATION,
        help="What a moved image leaves free: black suits digits, the nearest pixel photos.",
        choices=FILLS,
    ),
    Field(
        name="augmentation.flip",
        title="Flip left and right",
        group=_PHOTOS,
        help="Every other image. A flower stays a flower; a 3 is no 3 any more.",
    ),
    Field(
        name="augmentation.flip_vertical",
        title="Flip top and bottom",
        group=_PHOTOS,
        help="Every other image.",
    ),
    Field(
        name="augmentation.crop",
        title="Crop (fraction)",
        group=_PHOTOS,
        help=".2 cuts away up to a fifth of each side, anywhere, and enlarges the rest.",
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
        title="Hue (fraction of the circle)",
        group=_PHOTOS,
        help="Turns all colours: .5 makes red things cyan. Flowers are known by their colour.",
        range=(0.0, 0.5),
    ),
    Field(
        name="augmentation.pca",
        title="Colour of the light (deviation)",
        group=_PHOTOS,
        help="AlexNet's: noise along the main directions in which colours differ; theirs was .1.",
        range=(0.0, 1.0),
    ),
    Field(
        name="augmentation.cutout",
        title="Cutout (fraction)",
        group=_PHOTOS,
        help="Blanks a square of this fraction of each side, anywhere.",
        range=(0.0, 0.9),
    ),
    Field(
        name="augmentation.mixup",
        title="Mixup (alpha)",
        group=_PHOTOS,
        help="Lays two images over each other, and their labels: .2 mostly leaves one visible, "
        "1 makes every mixture as likely.",
        range=(0.0, 2.0),
    ),
    Field(
        name="size",
        title="Size of the images (pixels)",
        group=_DATA,
        help="Height and width that they are brought to. More shows more, and costs its square.",
        range=(8, 1024),
        whole=True,
        empty="as they are",
    ),
    Field(
        name="split_seed",
        title="Seed of the division",
        group=_DATA,
        help="Which images are for testing, where a data set does not say so itself.",
        range=(0, 2**31 - 1),
        whole=True,
    ),
    Field(
        name="per_class",
        title="Training images of each class",
        group=_DATA,
        help="At most so many, where a data set does not say itself how it is divided.",
        range=(1, 10_000_000),
        whole=True,
        empty="all",
    ),
    Field(
        name="train_size",
        title="Training images",
        group=_DATA,
        help="Fewer than there are show what more data are worth; more than there are mean all.",
        range=(1, 10_000_000),
        whole=True,
        empty="all that are left",
    ),
    Field(
        name="validation_size",
        title="Validation images",
        group=_DATA,
        help=(
            "Held out of the training images to see how good the network is while it learns. "
            "More than a data set has become its usual share."
        ),
        range=(1, 10_000_000),
        whole=True,
        empty="a sixth",
    ),
    Field(
        name="validation_from",
        title="Validation images from the",
        group=_DATA,
        help="Which end of the part to learn from.",
        choices=("end", "start"),
    ),
    Field(
        name="steps_per_epoch",
        title="Batches in an epoch",
        group=_DATA,
        range=(1, 10_000_000),
        whole=True,
        empty="one pass",
    ),
    Field(
        name="drop_remainder",
        title="Leave out the last, smaller batch",
        group=_DATA,
    ),
    Field(
        name="shuffle",
        title="New order in every pass",
        group=_DATA,
    ),
    Field(
        name="seed",
        title="Seed",
        group=_DATA,
        help="Of first weights, dropout, order and augmentation: the same seed, the same network.",
        range=(0, 2**31 - 1),
        whole=True,
    ),
)
GROUPS = tuple(dict.fromkeys(field.group for field in FIELDS))
