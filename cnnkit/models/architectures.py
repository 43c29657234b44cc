"""Every network there is by name, ours and the famous ones, to be looked at and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnkit.errors import InvalidRecipeError
from cnnkit.models._registry import create_model, list_models, model_info, natural_order
from cnnkit.models._weights import without_weights
from cnnkit.models.builder import is_code
from cnnkit.models.pretrained import list_pretrained, load_pretrained, pretrained_info

if TYPE_CHECKING:
    from keras import Model


UPLOADED_MODEL = "uploaded"  # in cards and recipes, the architecture of a file


def list_architectures() -> list[str]:
    """Names that `open_architecture` knows."""
    return sorted({*list_models(), *list_pretrained()}, key=natural_order)


def network_title(name: str) -> str:
    """What people call a network; the name itself where another version of cnnkit had it."""
    if name == UPLOADED_MODEL:
        return "Uploaded network"
    if name in list_pretrained():
        return pretrained_info(name).title
    return model_info(name).title if is_code(name) or name in list_models() else name


def open_architecture(name: str, options: Mapping[str, Any] | None = None) -> Model:
    """A network by name, without the memory of its weights: it can be dissected, not called.

    Args:
        name: one of `list_architectures()`, or a definition in the form of an address.
        options: the network's own, or `classes`, `input_shape`. Without any, a network that
            exists with ImageNet weights is the one that takes these weights.

    Raises:
        UnknownModelError: lists the names that exist.
        InvalidRecipeError: an option is unknown or has a value that cannot work.
        IncompatibleError: the images are too small for the network.
    """
    values = dict(options or {})
    if values and name in list_pretrained() and name not in list_models():
        raise InvalidRecipeError(f"{name} has no options. Received: {', '.join(values)}.")
    if name in list_pretrained() and not values:
        return without_weights(lambda: load_pretrained(name, weights=None))
    return without_weights(lambda: create_model(name, **values))
