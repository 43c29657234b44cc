"""What the documents that cnnkit grew from published, and the recipes that repeat it.

The figures here are their authors', never ours: ours are measured and stored apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnnkit import assets
from cnnkit.datasets import dataset_info
from cnnkit.errors import UnknownNameError
from cnnkit.models import missing_weights
from cnnkit.training import Recipe, get_recipe


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """One published figure, and how to get it again."""

    name: str  # identifier
    title: str  # shown to people
    model: str  # registered or pretrained network
    recipe_name: str  # of a recipe that ships
    measure: str  # "test_error", "test_accuracy" or "test_true_probability"
    value: float  # what was published, 0 to 1
    conditions: str = ""  # as published: time, machine, epochs
    source: str = ""  # author and title
    changes: tuple[tuple[str, object], ...] = ()  # of the recipe

    @property
    def recipe(self) -> Recipe:
        """What to run."""
        recipe = get_recipe(self.model, self.recipe_name)
        changes: dict[str, Any] = dict(self.changes)
        options = {**recipe.model_options, **changes.pop("model_options", {})}
        return recipe.replace(model_options=options, **changes)

    @property
    def published(self) -> str:
        """The figure as text, in percent."""
        return f"{100 * self.value:.4g} %"

    @property
    def smaller_is_better(self) -> bool:
        """Whether the figure is an error."""
        return self.measure == "test_error"

    def reached(self, value: float) -> bool:
        """Whether a figure of ours is as good, compared as finely as it was published.

        "92 %" is reached by .9152, "7.49 %" is not reached by .0750.
        """
        decimals = max(2, len(f"{self.value:.6f}".rstrip("0")) - 2)
        ours, theirs = round(value, decimals), round(self.value, decimals)
        return ours <= theirs if self.smaller_is_better else ours >= theirs

    def seeded(self, seed: int) -> Recipe:
        """The recipe with another seed, which also splits what has no published split."""
        recipe = self.recipe
        published = dataset_info(recipe.dataset).kind == "small"
        return recipe.replace(seed=seed, split_seed=recipe.split_seed if published else seed)

    def matches(self, recipe: Recipe) -> bool:
        """Whether a recipe is this one, whatever its seeds and its name."""
        unseeded = recipe.replace(seed=0, split_seed=0)
        return unseeded.fingerprint() == self.seeded(0).fingerprint()

    @property
    def missing(self) -> str:
        """What must be had first, and where to put it; empty: it can be run now."""
        data = dataset_info(self.recipe.dataset)
        needed = [data.asset] if data.asset and not data.available else []
        if self.recipe.weights == "imagenet":
            needed += missing_weights(self.model)
        return " ".join(
            f"{assets.ASSETS[name].filename} is not on this machine; it is fetched from "
            f"{assets.ASSETS[name].url or 'nowhere, see docs/pretrained.md'}, or looked for in the "
            f"folder {assets.ASSETS[name].data_folder or '.'} of CNNKIT_DATA_DIR."
            for name in needed
        )


def list_reproductions() -> list[Reproduction]:
    """Every published figure, in the order of the documents."""
    return list(_REPRODUCTIONS)


def get_reproduction(name: str) -> Reproduction:
    """One by name.

    Raises:
        UnknownNameError: lists the names that exist.
    """
    rows = {row.name: row for row in _REPRODUCTIONS}
    if name not in rows:
        raise UnknownNameError(name, rows)
    return rows[name]


_TUTORIALS = "LISA lab, Université de Montréal: Deep Learning Tutorials"
_AIDIARY = "aidiary: Implementing a convolutional neural network with Theano (1), 2015"
_TENSORFLOW = "MNIST with TensorFlow, from MNIST For ML Beginners and Deep MNIST for Experts"
_EIJIAN = "eijian: DeepLearning(4), is CNN backpropagation complete?, 2017"
_FLOWERS = "aidiary: Classifying 17 kinds of flowers by fine-tuning VGG16, 2017"
_VGG16 = "50 epochs, block 5 and a new head; 170 images that were also the validation set"

_REPRODUCTIONS = (
    Reproduction(
        name="softmax",
        title="Softmax regression, 1,000 steps (summed loss)",
        model="softmax_regression",
        recipe_name="published (TensorFlow, summed loss)",
        measure="test_accuracy",
        value=0.91,
        conditions="1,000 steps of 100 images",
        source=_TENSORFLOW,
    ),
    Reproduction(
        name="softmax_mean",
        title="Softmax regression, 1,000 steps (mean loss)",
        model="softmax_regression",
        recipe_name="published (TensorFlow, mean loss)",
        measure="test_accuracy",
        value=0.92,
        conditions="1,000 steps of 100 images",
        source="TensorFlow: MNIST For ML Beginners",
    ),
    Reproduction(
        name="logistic_regression",
        title="Logistic regression (Theano)",
        model="softmax_regression",
        recipe_name="published",
        measure="test_error",
        value=0.0749,
        conditions="74 epochs, 9,600 of 10,000 test images; validation error 7.50 %",
        source=_TUTORIALS,
    ),
    Reproduction(
        name="mlp",
        title="Multilayer perceptron, 500 hidden units",
        model="mlp_tutorial",
        recipe_name="published",
        measure="test_error",
        value=0.0165,
        conditions="validation error 1.69 %",
        source=_TUTORIALS,
    ),
    Reproduction(
        name="lenet",
        title="LeNet, 20 and 50 filters",
        model="lenet_tutorial",
        recipe_name="published",
        measure="test_error",
        value=0.0092,
        conditions="552 minutes on a CPU, 41 on a GPU (.93 %); validation error .91 %",
        source=_AIDIARY,
    ),
    Reproduction(
        name="deep_mnist",
        title="Deep MNIST, 20,000 steps",
        model="deep_mnist",
        recipe_name="published",
        measure="test_accuracy",
        value=0.992,
        conditions="20,000 steps of 50 images, up to half an hour",
        source=_TENSORFLOW,
    ),
    Reproduction(
        name="toy_all",
        title="Toy CNN, all layers learn, 200 epochs",
        model="toy_cnn",
        recipe_name="published",
        measure="test_true_probability",
        value=0.975,
        conditions="517 s, .387 epochs a second, mean of ten runs",
        source=_EIJIAN,
    ),
    Reproduction(
        name="toy_dense",
        title="Toy CNN, only dense layers learn, 200 epochs",
        model="toy_cnn",
        recipe_name="published",
        measure="test_true_probability",
        value=0.742,
        conditions="157 s, 1.273 epochs a second, mean of ten runs",
        source=_EIJIAN,
        changes=(("model_options", {"learn": "dense layers"}),),
    ),
    Reproduction(
        name="toy_dense_500",
        title="Toy CNN, only dense layers learn, 500 epochs",
        model="toy_cnn",
        recipe_name="published",
        measure="test_true_probability",
        value=0.951,
        conditions="500 epochs",
        source=_EIJIAN,
        changes=(("epochs", 500), ("model_options", {"learn": "dense layers"})),
    ),
    Reproduction(
        name="flowers_small",
        title="17 flowers, small CNN from scratch",
        model="photo_cnn",
        recipe_name="published",
        measure="test_accuracy",
        value=0.629,
        conditions="50 epochs, 62.9 % at the end and 68.8 % at best; as for VGG16",
        source=_FLOWERS,
    ),
    Reproduction(
        name="flowers_compact",
        title="17 flowers, better CNN of equal size from scratch",
        model="compact_photo_cnn",
        recipe_name="fast",
        measure="test_accuracy",
        value=0.688,
        conditions="the small network at its best epoch",
        source=_FLOWERS,
    ),
    Reproduction(
        name="flowers_vgg16",
        title="17 flowers, VGG16 fine-tuned",
        model="vgg16",
        recipe_name="fast",
        measure="test_accuracy",
        value=0.865,
        conditions=f"{_VGG16}; pixels divided by 255; 89.4 % at best",
        source=_FLOWERS,
    ),
    Reproduction(
        name="flowers_vgg16_seed",
        title="17 flowers, VGG16 as its author tuned it, with its own preprocessing",
        model="vgg16",
        recipe_name="published",
        measure="test_accuracy",
        value=0.829,
        conditions=_VGG16,
        source=_FLOWERS,
    ),
    Reproduction(
        name="flowers_mobilenet_v2",
        title="17 flowers, MobileNet V2 instead of VGG16",
        model="mobilenet_v2",
        recipe_name="fast",
        measure="test_accuracy",
        value=0.894,
        conditions="VGG16 at its best epoch",
        source=_FLOWERS,
    ),
    Reproduction(
        name="flowers_googlenet",
        title="17 flowers, GoogLeNet instead of VGG16",
        model="googlenet",
        recipe_name="fast",
        measure="test_accuracy",
        value=0.894,
        conditions="VGG16 at its best epoch",
        source=_FLOWERS,
    ),
)
