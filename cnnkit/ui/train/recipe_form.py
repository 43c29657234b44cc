"""Every hyper-parameter of a recipe as a widget, its published value one click away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnnkit.training import Recipe, list_recipes
from cnnkit.training.fields import (
    Difference,
    Field,
    differences,
    flatten,
    recipe_fields,
    with_values,
)

COLUMNS = 3
CHANGED = ", changed"  # behind the name of a recipe
_STOPPING = {  # where a rule is chosen that the recipe did not have
    "keras": {"stopping.monitor": "val_loss", "stopping.patience": 5},
    "tutorial": {"stopping.monitor": "val_error", "stopping.patience": 10_000},
}
_STOPPING_REST = {
    "stopping.min_delta": 0.0,
    "stopping.patience_increase": 2.0,
    "stopping.improvement_threshold": 0.995,
}


def recipe_form(base: Recipe, *, scope: str) -> Recipe:
    """A recipe and what a person changes in it.

    What is changed stays changed while one looks at other pages, and comes back when the
    same base is chosen again.

    Args:
        base: where the form starts.
        scope: stands for the base: each has changes of its own.

    Raises:
        InvalidRecipeError: the values do not go together; names the field.
    """
    published = published_recipe(base)
    fields = recipe_fields(base)
    starts = {"base": flatten(base.to_dict())}
    if published is not None and published != base:
        starts["published"] = flatten(published.to_dict())
    values: dict[str, Any] = {}
    groups = list(dict.fromkeys(field.group for field in fields))
    with st.expander("Hyper-parameters", icon=":material/tune:", key=f"{scope}.expander"):
        for group, tab in zip(groups, st.tabs(groups), strict=True):
            with tab:
                _group([f for f in fields if f.group == group], starts, values, scope, base.name)
    recipe = with_values(base, values)
    changed = differences([base.to_dict(), recipe.to_dict()])
    if not changed:
        return base
    _changes(base, changed, {_key(f, scope, values): f for f in fields}, starts["base"])
    return recipe.replace(name=f"{base.name.removesuffix(CHANGED)}{CHANGED}")


def published_recipe(base: Recipe) -> Recipe | None:
    """The published recipe of the same network, on the same data; None: there is none."""
    recipes = list_recipes(base.model, fine_tuning=base.head is not None)
    shipped = [recipe for recipe in recipes if "published" in recipe.name]
    same = [recipe for recipe in shipped if recipe.name == base.name]
    return (same or shipped)[0].on(base.dataset) if shipped else None


def _group(
    fields: list[Field], starts: Mapping, values: dict[str, Any], scope: str, base_name: str
) -> None:
    columns = st.columns(COLUMNS)
    shown = 0
    for field in fields:
        if field.needs and values[field.needs[0]] not in field.needs[1]:
            continue
        with columns[shown % COLUMNS]:
            values[field.name] = _field(field, starts, values, scope, base_name)
        shown += 1


def _field(
    field: Field, starts: Mapping, values: Mapping[str, Any], scope: str, base_name: str
) -> Any:
    start = _start(field, starts["base"], values)
    key = _key(field, scope, values)
    value = _widget(field, start, key)
    with st.container(horizontal=True, gap="small"):
        for name, known in starts.items():
            title = base_name if name == "base" else name
            # A rule that the recipe does not have has no value to go back to.
            if field.name in known and known[field.name] != value:
                words = f"{title}: {field.text(known[field.name])}"
                st.button(
                    f":orange[{words}]" if name == "base" else words,
                    key=f"{key}.{name}",
                    type="tertiary",
                    icon=":material/undo:",
                    help=f"Set {field.title.lower()} back to the value of “{title}”",
                    on_click=_set,
                    args=({key: _shown(field, known[field.name])},),
                )
    return value


def _widget(field: Field, start: Any, key: str) -> Any:
    # Not `value=`: Streamlit warns when a widget with a default is set from elsewhere.
    st.session_state.setdefault(key, _shown(field, start))
    words: dict[str, Any] = {
        "label": field.title, "key": key, "help": field.help or None, "persist_state": "session"
    }  # fmt: skip
    if field.choices:
        # None is a choice here, and to a selectbox it would mean that nothing is chosen.
        texts = {field.text(choice): choice for choice in field.choices}
        return texts[st.selectbox(options=list(texts), **words)]
    if field.range is None:
        return st.toggle(**words)
    low, high = field.range
    if field.empty is not None:
        words |= {"value": None, "placeholder": field.empty}
    if field.whole:
        value = st.number_input(min_value=int(low), max_value=int(high), step=1, **words)
    else:
        value = st.number_input(
            min_value=float(low), max_value=float(high), step=_step(start), format="%.6g", **words
        )
    return start if value is None and field.empty is None else value


def _changes(
    base: Recipe, changed: list[Difference], widgets: Mapping[str, Field], start: Mapping[str, Any]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Changed from “{base.name}”**", width="content")
        for one in changed:
            before, after = one.texts
            st.badge(f"{one.title}: {before} → {after}", color="orange")
        back = {key: _shown(field, _start(field, start, start)) for key, field in widgets.items()}
        st.button(
            "Undo all",
            icon=":material/undo:",
            type="tertiary",
            key="undo_all",
            on_click=_set,
            args=(back,),
        )


def _start(field: Field, known: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    if field.name in known:
        return known[field.name]
    rule = _STOPPING.get(values.get("stopping.kind") or "keras", {})
    return (_STOPPING_REST | rule)[field.name]


def _key(field: Field, scope: str, values: Mapping[str, Any]) -> str:
    # Patience in epochs and patience in mini-batches are two widgets.
    rule = f".{values.get('stopping.kind')}" if field.needs else ""
    return f"{scope}.{field.name}{rule}"


def _set(values: Mapping[str, Any]) -> None:
    st.session_state.update(values)


def _shown(field: Field, value: Any) -> Any:
    """What the widget holds for a value."""
    if field.choices:
        return field.text(value)
    return float(value) if field.range and not field.whole else value


def _step(start: float) -> float:
    return 10.0 ** math.floor(math.log10(abs(start))) if start else 0.01
