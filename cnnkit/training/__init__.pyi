# The public names of cnnkit.training: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from ._compile import gradient_norms
from .augmentation import augment
from .events import Ended, EpochEnded, Event, FeaturesCached, Report, Started, StepsEnded
from .export import write_script
from .feature_cache import FeatureCache
from .fitting import FitResult, fit, recipe_dataset
from .network import Depth, FreezableNetwork, build_network, list_depths
from .predictions import Predictions, evaluate
from .recipe import ALL, HEAD, Augmentation, Head, Phase, Recipe, Stopping
from .recipes import fine_tuning_recipe, get_recipe, list_recipes

__all__ = [
    "ALL",
    "Augmentation",
    "Depth",
    "Ended",
    "EpochEnded",
    "Event",
    "FeatureCache",
    "FeaturesCached",
    "FitResult",
    "FreezableNetwork",
    "HEAD",
    "Head",
    "Phase",
    "Predictions",
    "Recipe",
    "Report",
    "Started",
    "StepsEnded",
    "Stopping",
    "augment",
    "build_network",
    "evaluate",
    "fine_tuning_recipe",
    "fit",
    "get_recipe",
    "gradient_norms",
    "list_depths",
    "list_recipes",
    "recipe_dataset",
    "write_script",
]
