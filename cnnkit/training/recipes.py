"""The recipes that ship: each network's published one, and a fast one of ours."""

from __future__ import annotations

from cnnkit.errors import UnknownRecipeError
from cnnkit.training.augmentation_presets import MIXES, POST_MIX
from cnnkit.training.recipe import Augmentation, Recipe, Stopping


def list_recipes(model: str | None = None) -> list[Recipe]:
    """The recipes that ship, of one network or of all."""
    return [recipe for recipe in RECIPES if model in (None, recipe.model)]


def get_recipe(model: str, name: str) -> Recipe:
    """One recipe by the names of its network and its own.

    Raises:
        UnknownRecipeError: lists the recipes that the network has.
    """
    recipes = {recipe.name: recipe for recipe in list_recipes(model)}
    if name not in recipes:
        raise UnknownRecipeError(name, recipes)
    return recipes[name]


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
        augmentation=POST_MIX,
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
        augmentation=MIXES["photos"],
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
)
