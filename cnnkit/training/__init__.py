"""Training: a frozen `Recipe` goes into `fit`, events come out while it learns.

Recipes and events load neither Keras nor TensorFlow; `fit` and its companions do, at
their first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from cnnkit.training.events import Ended, EpochEnded, Event, Report, Started, StepsEnded
from cnnkit.training.recipe import Augmentation, Recipe, Stopping
from cnnkit.training.recipes import get_recipe, list_recipes
from cnnkit.training.script import write_script

if TYPE_CHECKING:
    from cnnkit.training.augmentation import augment
    from cnnkit.training.evaluation import Evaluation, evaluate
    from cnnkit.training.fitting import FitResult, fit, recipe_dataset
    from cnnkit.training.gradients import gradient_norms

__all__ = [
    "Augmentation",
    "Ended",
    "EpochEnded",
    "Evaluation",
    "Event",
    "FitResult",
    "Recipe",
    "Report",
    "Started",
    "StepsEnded",
    "Stopping",
    "augment",
    "evaluate",
    "fit",
    "get_recipe",
    "gradient_norms",
    "list_recipes",
    "recipe_dataset",
    "write_script",
]

_HEAVY = {
    "Evaluation": "evaluation",
    "FitResult": "fitting",
    "augment": "augmentation",
    "evaluate": "evaluation",
    "fit": "fitting",
    "gradient_norms": "gradients",
    "recipe_dataset": "fitting",
}


def __getattr__(name: str):
    """Import what needs TensorFlow when it is asked for."""
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HEAVY[name]}"), name)
