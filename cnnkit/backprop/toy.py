"""The eleven layers of the post's network, built without Keras, as its author began them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cnnkit.backprop.dense import Dense, Flatten, ReLU, Scaling
from cnnkit.backprop.network import NumpyModel
from cnnkit.backprop.spatial import Convolution, MaxPooling
from cnnkit.backprop.training import Part
from cnnkit.datasets.toy_patterns import CLASSES, SIZE, TRAIN, toy_patterns
from cnnkit.errors import UnknownNameError


@dataclass(frozen=True, kw_only=True)
class ToyRecipe:
    """Initialization and training of the toy network."""

    name: str  # identifier
    title: str  # shown to people
    pixel: float  # what a white pixel counts
    last_bound: float  # weights of the last layer are U(±last_bound)
    learning_rate: float = 0.1
    batch_size: int = TRAIN * CLASSES  # images a step


# What stood behind the post of January 2017: full batch, pixels 0 or ½, the first dense layer
# U(±1/80), the last one zero.
POST = ToyRecipe(name="post", title="As in the post", pixel=0.5, last_bound=0.0)
# The same, but for the last layer, which begins like the first dense one: U(±1/inputs).
# Zeros there let no delta through to the layers below until they have grown.
RANDOM_LAST_LAYER = ToyRecipe(
    name="awake", title="Last layer not zero at first", pixel=0.5, last_bound=1 / 20
)
RECIPES = {recipe.name: recipe for recipe in (POST, RANDOM_LAST_LAYER)}


class UnknownToyRecipeError(UnknownNameError):
    """No way to begin the toy network has this name."""

    kind = "toy recipe"


def toy_recipe(name: str) -> ToyRecipe:
    """One by name.

    Raises:
        UnknownToyRecipeError: lists those that exist.
    """
    if name not in RECIPES:
        raise UnknownToyRecipeError(name, RECIPES)
    return RECIPES[name]


def toy_network(recipe: ToyRecipe = POST, seed: int = 0, dtype: str = "float32") -> NumpyModel:
    """Convolutions 3×3×10 and 2×2×20 with ReLU and pooling, then 20 and 3 units.

    The convolutions begin with U(±√(6 / (fan_in + fan_out))), fan_out divided by the pool.

    Args:
        recipe: how the weights begin.
        seed: of the weights.
        dtype: "float32" or "float64".
    """
    generator = np.random.default_rng((seed, 1))  # not the generator of the patterns

    def uniform(bound: float, *shape: int) -> np.ndarray:
        return generator.uniform(-bound, bound, shape)

    def convolution(block: int, size: int, maps: int, filters: int) -> Convolution:
        bound = math.sqrt(6 / (size * size * (maps + filters / 4)))
        kernel = uniform(bound, size, size, maps, filters)
        return Convolution(f"block{block}_conv1", kernel, np.zeros(filters))

    return NumpyModel(
        [
            Scaling("rescaling", recipe.pixel / 255),
            convolution(1, 3, 1, 10),
            ReLU("block1_activation"),
            MaxPooling("block1_pool", 2),
            convolution(2, 2, 10, 20),
            ReLU("block2_activation"),
            MaxPooling("block2_pool", 2),
            Flatten("flatten"),
            Dense("fc1", uniform(1 / 80, 80, 20), np.zeros(20)),
            ReLU("fc1_activation"),
            Dense("logits", uniform(recipe.last_bound, 20, CLASSES), np.zeros(CLASSES)),
        ],
        (SIZE, SIZE, 1),
        dtype,
    )


def toy_parts(seed: int = 0) -> tuple[Part, Part]:
    """The author's 150 training patterns and 30 noisier test patterns.

    Args:
        seed: of the patterns, as of the data set `toy_patterns`.
    """
    images, labels, test_images, test_labels = toy_patterns(seed)
    count = TRAIN * CLASSES  # the validation images, which he did not have, stand behind
    return (images[:count], labels[:count]), (test_images, test_labels)
