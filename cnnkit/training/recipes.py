"""The recipes that ship: published ones and ours, and augmentations by name."""

from __future__ import annotations

import math

from cnnkit.errors import UnknownRecipeError
from cnnkit.training.recipe import HEAD, Augmentation, Head, Phase, Recipe, Stopping

# The 17-flowers experiment of aidiary gave Keras shear_range=.2, which Keras 1 took for radians,
# zoom_range=.2 and horizontal_flip=True; what came in from outside was the nearest pixel.
_PUBLISHED_AUGMENTATION = Augmentation(shear=math.degrees(0.2), zoom=0.2, flip=True, fill="nearest")

AUGMENTATION_PRESETS = {
    "none": Augmentation(),
    "flip": Augmentation(flip=True),
    "post": _PUBLISHED_AUGMENTATION,
    "photos": Augmentation(flip=True, crop=0.3, rotation=10, brightness=0.1, contrast=0.2,
                           fill="nearest"),
    "flowers": Augmentation(
        flip=True, crop=0.35, rotation=8, brightness=0.08, contrast=0.15, fill="nearest"
    ),
    "AlexNet": Augmentation(flip=True, crop=0.125, pca=0.1),
    "strong": Augmentation(flip=True, crop=0.4, rotation=15, shear=10, brightness=0.15,
                           contrast=0.3, pca=0.1, cutout=0.3, fill="nearest"),
}  # fmt: skip
AUGMENTATION_TITLES = {
    "none": "None",
    "flip": "Horizontal flip",
    "post": "Shear, zoom, flip (published)",
    "photos": "Crop, rotation, flip, brightness",
    "flowers": "Crop, small rotation, flip, brightness",
    "AlexNet": "Crop, flip, PCA color noise (AlexNet)",
    "strong": "All of these, and cutout",
}


def list_recipes(model: str | None = None, *, fine_tuning: bool | None = None) -> list[Recipe]:
    """The recipes that ship.

    Args:
        model: of this network; None: of all.
        fine_tuning: True: only those that fine-tune; False: only those that train from
            scratch; None: both.
    """
    return [
        recipe
        for recipe in RECIPES
        if model in (None, recipe.model) and fine_tuning in (None, recipe.head is not None)
    ]


def get_recipe(model: str, name: str) -> Recipe:
    """One recipe by the names of its network and its own.

    Raises:
        UnknownRecipeError: lists the recipes that the network has.
    """
    recipes = {recipe.name: recipe for recipe in list_recipes(model)}
    if name not in recipes:
        raise UnknownRecipeError(name, recipes)
    return recipes[name]


def fine_tuning_recipe(model: str) -> Recipe:
    """A recipe for a pretrained network: the one that ships, or a new head on frozen layers."""
    shipped = {recipe.name: recipe for recipe in list_recipes(model, fine_tuning=True)}
    if "fast" in shipped:
        return shipped["fast"]
    phases = (Phase(train_from=HEAD, epochs=20, learning_rate=2e-3),)
    values = _FLOWERS | {"augmentation": AUGMENTATION_PRESETS["photos"], "variants": 4}
    return Recipe(name="fast", model=model, head=Head(), phases=phases, **values)


# The tutorials of the LISA lab go through the images in one fixed order.
_THEANO = {
    "optimizer": "sgd",
    "validation_size": 10_000,
    "validation_from": "end",
    "drop_remainder": True,
    "shuffle": False,
    "keep_best": "val_error",
}

# TensorFlow's tutorials held out the first 5,000 images and kept the last weights.
_TENSORFLOW = {
    "validation_size": 5_000,
    "validation_from": "start",
    "drop_remainder": True,
    "keep_best": None,
}

# Ours: rates that rise shortly and then fall to zero make the last weights the best ones.
_FALLING = {
    "schedule": "cosine",
    "validation_size": 5_000,
    "keep_best": None,
}
_NESTEROV = {"optimizer": "sgd", "momentum": 0.9, "nesterov": True}

_FINE_TUNING = {
    "weights": "imagenet",
    "dataset": "flowers17",
    "batch_size": 32,
    "precision": "auto",
    "keep_best": None,
}
# First the head alone, whose random weights would otherwise spoil what is below; then the
# last blocks at a rate at which they keep what they know. Rates and depths were chosen on
# the validation sets.
_FLOWERS = {
    "optimizer": "adamw",
    "schedule": "cosine",
    "augmentation": AUGMENTATION_PRESETS["flowers"],
    "variants": 5,
    "label_smoothing": 0.1,
    **_FINE_TUNING,
}

RECIPES = (
    Recipe(
        name="published",
        model="softmax_regression",
        learning_rate=0.13,
        batch_size=600,
        epochs=1000,
        stopping=Stopping(kind="tutorial", monitor="val_error", patience=5_000),
        **_THEANO,
    ),
    Recipe(
        name="published (TensorFlow, mean loss)",
        model="softmax_regression",
        optimizer="sgd",
        learning_rate=0.5,
        batch_size=100,
        steps_per_epoch=100,
        epochs=10,
        **_TENSORFLOW,
    ),
    Recipe(
        name="published (TensorFlow, summed loss)",
        model="softmax_regression",
        optimizer="sgd",
        loss_reduction="sum",
        learning_rate=0.01,
        batch_size=100,
        steps_per_epoch=100,
        epochs=10,
        **_TENSORFLOW,
    ),
    Recipe(
        name="published",
        model="mlp_tutorial",
        learning_rate=0.01,
        l2=1e-4,
        batch_size=20,
        epochs=1000,
        stopping=Stopping(kind="tutorial", monitor="val_error", patience=10_000),
        **_THEANO,
    ),
    Recipe(
        name="published",
        model="lenet_tutorial",
        learning_rate=0.1,
        batch_size=500,
        epochs=200,
        stopping=Stopping(kind="tutorial", monitor="val_error", patience=10_000),
        **_THEANO,
    ),
    Recipe(
        name="published",
        model="deep_mnist",
        optimizer="adam",
        learning_rate=1e-4,
        batch_size=50,
        steps_per_epoch=1000,
        epochs=20,
        **_TENSORFLOW,
    ),
    Recipe(
        name="published",
        model="keras_mnist_cnn",
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=128,
        validation_size=6_000,
        epochs=100,
        stopping=Stopping(kind="keras", monitor="val_loss", patience=0),
        keep_best=None,
    ),
    Recipe(
        name="published",
        model="toy_cnn",
        dataset="toy_patterns",
        optimizer="sgd",
        learning_rate=0.1,
        batch_size=150,
        validation_size=30,
        epochs=200,
        shuffle=False,
        keep_best=None,
    ),
    Recipe(
        name="published",
        model="photo_cnn",
        dataset="flowers17",
        size=150,
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=32,
        epochs=50,
        augmentation=_PUBLISHED_AUGMENTATION,
        keep_best=None,
    ),
    Recipe(
        name="fast",
        model="compact_photo_cnn",
        dataset="flowers17",
        size=150,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=0.05,
        warmup_epochs=2,
        schedule="cosine",
        batch_size=32,
        epochs=40,
        label_smoothing=0.1,
        augmentation=AUGMENTATION_PRESETS["photos"],
        keep_best=None,
    ),
    Recipe(
        name="fast",
        model="softmax_regression",
        optimizer="adam",
        learning_rate=2e-3,
        batch_size=128,
        epochs=5,
        **_FALLING,
    ),
    Recipe(
        name="fast",
        model="mlp_tutorial",
        learning_rate=0.1,
        warmup_epochs=0.5,
        batch_size=128,
        epochs=10,
        augmentation=Augmentation(shift=1, rotation=5, zoom=0.05),
        **_NESTEROV,
        **_FALLING,
    ),
    Recipe(
        name="fast",
        model="lenet_tutorial",
        learning_rate=0.05,
        warmup_epochs=0.3,
        batch_size=128,
        epochs=5,
        augmentation=Augmentation(shift=1.5, rotation=8, zoom=0.08),
        **_NESTEROV,
        **_FALLING,
    ),
    Recipe(
        name="thorough",
        model="lenet_tutorial",
        learning_rate=0.05,
        warmup_epochs=0.5,
        batch_size=128,
        epochs=10,
        augmentation=Augmentation(shift=2, rotation=10, zoom=0.1),
        **_NESTEROV,
        **_FALLING,
    ),
    Recipe(
        name="fast",
        model="deep_mnist",
        model_options={"dropout": 0.3},
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=0.6,  # lets go of the large noise that the published weights start from
        warmup_epochs=0.3,
        batch_size=128,
        epochs=5,
        augmentation=Augmentation(shift=1, rotation=8, zoom=0.08, elastic=0.6),
        schedule="cosine",
        validation_size=2_000,
        keep_best=None,
    ),
    Recipe(
        name="fast",
        model="keras_mnist_cnn",
        optimizer="adam",
        learning_rate=2e-3,
        warmup_epochs=0.3,
        batch_size=128,
        epochs=5,
        **_FALLING,
    ),
    Recipe(
        name="fast",
        model="compact_cnn",
        learning_rate=0.1,
        warmup_epochs=1,
        batch_size=128,
        epochs=20,
        weight_decay=5e-4,
        augmentation=Augmentation(shift=1.5, rotation=8, zoom=0.1, elastic=0.5),
        **_NESTEROV,
        schedule="cosine",
        validation_size=2_000,
        keep_best=None,
    ),
    Recipe(
        name="fast",
        model="resnet_digits",
        model_options={"depth": 8},
        learning_rate=0.1,
        warmup_epochs=0.5,
        batch_size=128,
        epochs=3,
        weight_decay=5e-4,
        augmentation=Augmentation(shift=1.5, rotation=8, zoom=0.08),
        **_NESTEROV,
        **_FALLING,
    ),
    Recipe(
        name="fast",
        model="googlenet_digits",
        optimizer="adam",
        learning_rate=2e-3,
        warmup_epochs=0.5,
        batch_size=128,
        epochs=3,
        **_FALLING,
    ),
    Recipe(
        name="fast",
        model="toy_cnn",
        dataset="toy_patterns",
        optimizer="adam",
        learning_rate=0.01,
        batch_size=30,
        epochs=30,
        schedule="cosine",
        validation_size=30,
        keep_best=None,
    ),
    # aidiary's: block 5 and the head together, images of 150 pixels, 50 epochs. There each
    # epoch drew its augmentation anew; here eight variants of each image are cached.
    Recipe(
        name="published",
        model="vgg16",
        size=150,
        head=Head(kind="flatten", units=256, dropout=0.5),
        phases=(Phase(train_from="block5", epochs=50),),
        optimizer="sgd",
        learning_rate=1e-4,
        momentum=0.9,
        augmentation=_PUBLISHED_AUGMENTATION,
        variants=8,
        **_FINE_TUNING,
    ),
    Recipe(
        name="fast",
        model="vgg16",
        size=224,
        head=Head(dropout=0.5),
        phases=(
            Phase(train_from=HEAD, epochs=10, learning_rate=1e-3),
            Phase(train_from="block5", epochs=10, learning_rate=3e-5),
        ),
        **_FLOWERS,
    ),
    Recipe(
        name="fast",
        model="mobilenet_v2",
        size=224,
        head=Head(),
        phases=(
            Phase(train_from=HEAD, epochs=20, learning_rate=2e-3),
            Phase(train_from="block_15", epochs=8, learning_rate=3e-4),
        ),
        **_FLOWERS,
    ),
    Recipe(
        name="fast",
        model="googlenet",
        size=224,
        head=Head(dropout=0.4),
        phases=(
            Phase(train_from=HEAD, epochs=20, learning_rate=2e-3),
            Phase(train_from="inception_5a", epochs=8, learning_rate=1e-4),
        ),
        **_FLOWERS,
    ),
)
