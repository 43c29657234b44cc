# The public names of cnnkit.training: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from .augmentation import augment
from .evaluation import Evaluation, evaluate
from .events import Ended, EpochEnded, Event, Report, Started, StepsEnded
from .fitting import FitResult, fit, recipe_dataset
from .gradients import gradient_norms
from .recipe import Augmentation, Recipe, Stopping
from .recipes import get_recipe, list_recipes
from .script import write_script

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
