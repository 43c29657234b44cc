"""Recipes of fine-tuning that ship: the post's, and better ones of ours."""

from __future__ import annotations

from cnnkit.errors import UnknownRecipeError
from cnnkit.training.augmentation_presets import MIXES, POST_MIX
from cnnkit.training.transfer.recipe import Head, Phase, TransferRecipe


def list_transfers() -> list[TransferRecipe]:
    """The recipes that ship."""
    return list(_RECIPES.values())


def get_transfer(name: str) -> TransferRecipe:
    """One by name.

    Raises:
        UnknownRecipeError: lists the names that exist.
    """
    if name not in _RECIPES:
        raise UnknownRecipeError(name, _RECIPES)
    return _RECIPES[name]


# First the head alone, whose random weights would else spoil what is below; then the last
# blocks at a rate at which they keep what they know. Rates and depths were chosen on the
# validation parts.
_RECIPES = {
    recipe.name: recipe
    for recipe in (
        # aidiary's: block 5 and the head together, images of 150 pixels, 50 epochs. There
        # each epoch drew its changes anew; here eight variants of each image are kept.
        TransferRecipe(
            name="published",
            model="vgg16",
            size=150,
            head=Head(kind="flatten", units=256, dropout=0.5),
            phases=(
                Phase(
                    train_from="block5",
                    epochs=50,
                    optimizer="sgd",
                    learning_rate=1e-4,
                    momentum=0.9,
                    schedule="constant",
                ),
            ),
            augmentation=POST_MIX,
            variants=8,
            keep_best=None,
        ),
        TransferRecipe(
            name="vgg16",
            model="vgg16",
            size=224,
            head=Head(dropout=0.5),
            phases=(
                Phase(epochs=10, learning_rate=1e-3),
                Phase(train_from="block5", epochs=10, learning_rate=3e-5),
            ),
            augmentation=MIXES["flowers"],
            variants=5,
            label_smoothing=0.1,
            keep_best=None,
        ),
        TransferRecipe(
            name="mobilenet_v2",
            model="mobilenet_v2",
            size=224,
            phases=(
                Phase(epochs=20, learning_rate=2e-3),
                Phase(train_from="block_15", epochs=8, learning_rate=3e-4),
            ),
            augmentation=MIXES["flowers"],
            variants=5,
            label_smoothing=0.1,
            keep_best=None,
        ),
        TransferRecipe(
            name="googlenet",
            model="googlenet",
            size=224,
            head=Head(dropout=0.4),
            phases=(
                Phase(epochs=20, learning_rate=2e-3),
                Phase(train_from="inception_5a", epochs=8, learning_rate=1e-4),
            ),
            augmentation=MIXES["flowers"],
            variants=5,
            label_smoothing=0.1,
            keep_best=None,
        ),
    )
}
