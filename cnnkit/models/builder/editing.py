"""Changes of a definition: each returns a new one, in which names and skip connections follow.

Names that a layer has by its place are given anew; names that a person chose stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cnnkit.models.builder.checking import check_definition
from cnnkit.models.builder.definition import LayerEntry, NetworkDefinition
from cnnkit.models.builder.names import automatic_names

Placed = list[tuple[str, LayerEntry]]  # entries with the names that they had


def add_layer(definition: NetworkDefinition, place: int, kind: str) -> NetworkDefinition:
    """Put a new layer with its defaults at a place, 0 before all others.

    A skip connection comes from the nearest layer whose shape fits, if there is one.
    """
    values = {}
    if kind in ("Add", "Concatenate"):
        values["source"] = _fitting_source(definition, place, channels=kind == "Add")
    entry = LayerEntry(kind, "", values)
    return _edited(definition, lambda placed: placed.insert(place, ("", entry)))


def remove_layer(definition: NetworkDefinition, place: int) -> NetworkDefinition:
    """Leave a layer out; skip connections from it lose their source."""
    return _edited(definition, lambda placed: placed.pop(place))


def move_layer(definition: NetworkDefinition, place: int, to: int) -> NetworkDefinition:
    """Put a layer at another place; no place beyond the ends."""
    to = min(max(to, 0), len(definition.layers) - 1)
    return _edited(definition, lambda placed: placed.insert(to, placed.pop(place)))


def copy_layer(definition: NetworkDefinition, place: int) -> NetworkDefinition:
    """Put a layer with the same settings behind a layer."""
    entry = replace(definition.layers[place], name="")
    return _edited(definition, lambda placed: placed.insert(place + 1, ("", entry)))


def set_value(
    definition: NetworkDefinition, place: int, field: str, value: Any
) -> NetworkDefinition:
    """Set a field of an entry; that behind the last layer is of the logits.

    Raises:
        InvalidDefinitionError: the field does not take the value.
    """
    entry = definition.entries[place]
    changed = replace(entry, values={**entry.values, field: value})
    if place == len(definition.layers):
        return replace(definition, logits=changed)

    def change(placed: Placed) -> None:
        placed[place] = (placed[place][0], replace(changed, name=placed[place][1].name))

    return _edited(definition, change)


def rename_layer(definition: NetworkDefinition, place: int, name: str) -> NetworkDefinition:
    """Call a layer otherwise; empty: by its place.

    Raises:
        InvalidDefinitionError: a layer cannot have this name.
    """

    def change(placed: Placed) -> None:
        before, entry = placed[place]
        placed[place] = (before, replace(entry, name=name))

    return _edited(definition, change)


def _fitting_source(definition: NetworkDefinition, place: int, *, channels: bool) -> str:
    """The last layer, but for the one before a place, with maps of the same size; "": none."""
    shapes = [one.shape for one in check_definition(definition).entries[:place]]
    end = None if channels else -1
    for number in range(place - 2, -1, -1):
        shape, last = shapes[number], shapes[place - 1]
        if shape and last and len(shape) == len(last) and shape[:end] == last[:end]:
            return definition.layers[number].name
    return ""


def _edited(definition: NetworkDefinition, change: Callable[[Placed], object]) -> NetworkDefinition:
    placed = list(zip([e.name for e in definition.layers], _unnamed(definition), strict=True))
    change(placed)
    before = [name for name, _ in placed]
    named = replace(definition, layers=[entry for _, entry in placed]).layers
    now = {old: entry.name for old, entry in zip(before, named, strict=True) if old}
    kept = [_sourced(entry, now) for entry in named]
    return replace(definition, layers=kept)


def _unnamed(definition: NetworkDefinition) -> Sequence[LayerEntry]:
    """The layers, without the names that they have by their place."""
    plain = automatic_names([(one.kind, "", one.values) for one in definition.layers])
    return [
        replace(entry, name="") if entry.name == name else entry
        for entry, name in zip(definition.layers, plain, strict=True)
    ]


def _sourced(entry: LayerEntry, now: dict[str, str]) -> LayerEntry:
    """The entry, with the name that its source has now; a source that is gone is left empty."""
    if "source" not in entry.values:
        return entry
    return replace(entry, values={"source": now.get(entry.values["source"], "")})
