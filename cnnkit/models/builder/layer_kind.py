"""What a kind of layers is, and the table that all kinds are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnkit.models.builder.expansion import Expansion
from cnnkit.models.builder.fields import LayerField
from cnnkit.models.builder.initializers import Initializer

Values = Mapping[str, Any]  # of the fields of an entry, all of them
Expand = Callable[[Expansion, str, Values], object]
GROUPS = (
    "Convolution",
    "Activation and normalization",
    "Pooling",
    "Dense",
    "Regularization",
    "Blocks and skip connections",
    "Preprocessing",
)


@dataclass(frozen=True, kw_only=True)
class LayerKind:
    """A kind of entry."""

    name: str  # as it stands in JSON
    title: str  # shown to people
    group: str  # one of `GROUPS`; empty: it cannot be added
    help: str  # one sentence: what it does, or when it is used
    fields: tuple[LayerField, ...] = ()
    expand: Expand  # adds its layers under this name

    @property
    def defaults(self) -> dict[str, Any]:
        """The value of every field of a new entry."""
        return {field.name: field.default for field in self.fields}


KINDS: dict[str, LayerKind] = {}


def register_kind(
    name: str, title: str, group: str, help: str, *fields: LayerField
) -> Callable[[Expand], Expand]:
    """Register what the decorated function adds as a kind of layers; see `LayerKind`."""

    def register(expand: Expand) -> Expand:
        KINDS[name] = LayerKind(
            name=name, title=title, group=group, help=help, fields=fields, expand=expand
        )
        return expand

    return register


def unusual(values: Values, **usual: Any) -> dict[str, Any]:
    """Of these arguments those that are not Keras's defaults."""
    return {name: values[name] for name, default in usual.items() if values[name] != default}


def bias_arguments(values: Values) -> dict[str, Any]:
    """Keras's arguments for the fields of the bias."""
    if not values["use_bias"]:
        return {"use_bias": False}
    if not values["bias"]:
        return {}
    return {"bias_initializer": Initializer("Constant", {"value": values["bias"]})}


def activation_arguments(values: Values) -> dict[str, Any]:
    """Keras's argument for the activation within a layer."""
    return unusual(values, activation="linear")
