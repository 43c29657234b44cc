"""What differs between recipes, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnkit.errors import UnknownModelError
from cnnkit.training.fields import FIELDS, Field, flatten, model_fields

_MISSING = object()
_FIRST = (
    Field(name="model", title="Network", group=""),
    Field(name="dataset", title="Data", group=""),
)


@dataclass(frozen=True)
class Difference:
    """One hyper-parameter that is not the same everywhere."""

    name: str  # dotted, as in `cnnkit.training.fields`
    title: str
    texts: tuple[str, ...]  # one a recipe, in their order; "–" where it has no such thing


def differences(specs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """The fields in which recipes differ, in the order of a form.

    The name of a recipe changes nothing and is left out.

    Args:
        specs: each a `Recipe.to_dict()`, at least as far as it is known.
    """
    columns = [flatten(spec) for spec in specs]
    fields = _known_fields(specs)
    found = []
    for field in fields:
        values = [column.get(field.name, _MISSING) for column in columns]
        if any(value != values[0] for value in values):
            texts = tuple("–" if value is _MISSING else field.text(value) for value in values)
            found.append(Difference(field.name, field.title, texts))
    return found


def _known_fields(specs: Sequence[Mapping[str, Any]]) -> list[Field]:
    models = dict.fromkeys(str(spec.get("model")) for spec in specs)
    options: dict[str, Field] = {}
    for model in models:
        options |= {field.name: field for field in _options(model)}
    return [*_FIRST, *options.values(), *FIELDS]


def _options(model: str) -> tuple[Field, ...]:
    try:
        return model_fields(model)
    except UnknownModelError:  # a run of another version of cnnkit
        return ()
