"""The data set of a recipe is divided as the recipe says."""

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets import load_dataset
from cnnkit.datasets.folders import image_folder
from cnnkit.training import Head, Recipe, recipe_dataset


@pytest.fixture
def own(tmp_path):
    """Two classes of twelve images each, imported."""
    generator = np.random.default_rng(0)
    for number in range(24):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    return image_folder(tmp_path / "images").name


def of_scratch(**fields):
    return recipe_dataset(Recipe(model="compact_photo_cnn", **fields))


def of_transfer(**fields):
    return recipe_dataset(Recipe(model="vgg16", weights="imagenet", head=Head(), **fields))


@pytest.mark.parametrize("of_recipe", [of_scratch, of_transfer])
def test_the_split_seed_decides_the_test_part(own, of_recipe):
    parts = []
    for split_seed in (0, 1, 2):
        dataset = of_recipe(dataset=own, split_seed=split_seed)
        parts.append(tuple(dataset.indices("test")))
        expected = load_dataset(own, split_seed=split_seed).indices("test")
        np.testing.assert_array_equal(parts[-1], expected)
    assert len(set(parts)) == 3


@pytest.mark.parametrize("of_recipe", [of_scratch, of_transfer])
def test_the_training_set_has_as_many_images_of_each_class_as_the_recipe_says(own, of_recipe):
    labels = of_recipe(dataset=own, per_class=3).part("train")[1]
    assert np.bincount(labels).tolist() == [3, 3]


def test_a_recipe_says_which_end_is_for_validation():
    recipe = Recipe(model="toy_cnn", dataset="digits", train_size=100, validation_size=50)
    start = recipe_dataset(recipe.replace(validation_from="start"))
    assert start.indices("validation")[0] == 0 and start.indices("train")[0] == 50
    end = recipe_dataset(recipe)
    assert (
        end.indices("train")[0] == 0 and end.size("train") == 100 and end.size("validation") == 50
    )
