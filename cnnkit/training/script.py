"""A run as a Python script that anyone can run and change."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from cnnkit.training.recipe import Recipe, default_of

_SCRIPT = '''"""{title}, trained again with cnnkit: python {filename}"""

from cnnkit.training import {imports}

recipe = {recipe}

result = fit(recipe, report=print)
predictions = evaluate(result.model, *recipe_dataset(recipe).part("test"))
low, high = predictions.interval
print(f"test error {{predictions.error:.2%}}, loss {{predictions.loss:.4f}}")
print(f"test accuracy {{predictions.accuracy:.1%}}, 95 % interval {{low:.1%}} to {{high:.1%}}")
result.model.save("{model}.keras")
'''


def write_script(recipe: Recipe, title: str | None = None) -> str:
    """Python source that trains and tests a network exactly as a recipe says.

    The network of a run is not in it: `fit` then needs its `base` from whoever runs the script.

    Args:
        recipe: what to write down; only what differs from the defaults is written.
        title: first words of the script; None: the names of network and data set.

    Returns:
        The source, in the style of `ruff format`.
    """
    used = ["Recipe", "evaluate", "fit", "recipe_dataset"]
    used += ["Augmentation"] if recipe.augmentation else []
    used += ["Head"] if recipe.head else []
    used += ["Phase"] if recipe.phases else []
    used += ["Stopping"] if recipe.stopping else []
    return _SCRIPT.format(
        title=docstring_words(title or f"{recipe.model} on {recipe.dataset}"),
        filename=f"{recipe.model}.py",
        imports=_import_list(sorted(used)),
        recipe=literal(recipe),
        model=recipe.model,
    )


def docstring_words(title: str) -> str:
    """A title for the first line of a docstring: nothing in it may end that."""
    return " ".join(title.replace("\\", "").replace('"', "'").split())


def _import_list(names: list[str]) -> str:
    line = ", ".join(names)
    if len(line) <= 60:
        return line
    return "(\n" + "".join(f"    {name},\n" for name in names) + ")"


def literal(value: Any, indent: str = "") -> str:
    """Python source of a recipe, or of a part of one; what has its default is left out.

    Args:
        value: a dataclass of plain values, dataclasses, and tuples of them.
        indent: of the line that it begins in.
    """
    inner = indent + "    "
    if isinstance(value, tuple):
        return "(" + "".join(f"\n{inner}{literal(one, inner)}," for one in value) + f"\n{indent})"
    if dataclasses.is_dataclass(value):
        lines = [
            f"{inner}{field.name}={literal(getattr(value, field.name), inner)},\n"
            for field in dataclasses.fields(value)
            if getattr(value, field.name) != default_of(field)
        ]
        return f"{type(value).__name__}(\n{''.join(lines)}{indent})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}: {literal(item, indent)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    return repr(value)
