# The public names of cnnkit: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from . import (
    anatomy,
    backprop,
    datasets,
    embedding,
    errors,
    explain,
    jobs,
    models,
    predict,
    runs,
    settings,
    training,
    visualize,
)
from .datasets import Dataset, dataset_info, list_datasets, load_dataset
from .errors import CnnkitError
from .models import (
    create_model,
    list_models,
    list_pretrained,
    load_model,
    load_pretrained,
    model_info,
    open_pretrained,
    pretrained_info,
    save_model,
)
from .networks import NetworkRef
from .settings import get_settings
from .training import Augmentation, Recipe, Stopping, evaluate, fit, get_recipe, list_recipes

__version__: str

__all__ = [
    "Augmentation",
    "CnnkitError",
    "Dataset",
    "NetworkRef",
    "Recipe",
    "Stopping",
    "anatomy",
    "backprop",
    "create_model",
    "dataset_info",
    "datasets",
    "embedding",
    "errors",
    "evaluate",
    "explain",
    "fit",
    "get_recipe",
    "get_settings",
    "jobs",
    "list_datasets",
    "list_models",
    "list_pretrained",
    "list_recipes",
    "load_dataset",
    "load_model",
    "load_pretrained",
    "model_info",
    "models",
    "open_pretrained",
    "predict",
    "pretrained_info",
    "runs",
    "save_model",
    "settings",
    "training",
    "visualize",
]
