"""The form of a recipe: every hyper-parameter as a widget, its published value one click away."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.training import HEAD, Phase, Recipe, list_recipes
from cnnkit.training.fields import (
    FIELDS,
    Difference,
    Field,
    differences,
    flatten,
    recipe_fields,
    with_values,
)
from cnnkit.training.recipes import AUGMENTATION_PRESETS, AUGMENTATION_TITLES

COLUMNS = 3
CHANGED = ", changed"  # behind the name of a recipe
CUSTOM = "custom"  # an augmentation that is none of the presets
_STOPPING = {  # where a rule is chosen that the recipe did not have
    "keras": {"stopping.monitor": "val_loss", "stopping.patience": 5},
    "tutorial": {"stopping.monitor": "val_error", "stopping.patience": 10_000},
}
_STOPPING_REST = {
    "stopping.min_delta": 0.0,
    "stopping.patience_increase": 2.0,
    "stopping.improvement_threshold": 0.995,
}


def recipe_form(
    base: Recipe,
    *,
    scope: str,
    depths: Sequence[str] = (),
    start_with: Recipe | None = None,
    omit: Collection[str] = (),
) -> Recipe:
    """A recipe and what a person changes in it.

    What is changed stays changed while one looks at other pages, and comes back when the
    same base is chosen again.

    Args:
        base: where the form starts.
        scope: stands for the base: each has changes of its own.
        depths: what can be the lowest trainable block or layer, the head first.
        start_with: values by dotted name that the form changes to now.
        omit: names of fields that are chosen elsewhere.

    Raises:
        InvalidRecipeError: the values do not go together; names the field.
    """
    form = _Form(base, scope)
    if start_with:
        values, before = flatten(start_with.to_dict()), flatten(base.to_dict())
        changed = [f for f in _fields(start_with, depths, omit) if f.name in values]
        changed = [f for f in changed if values[f.name] != before.get(f.name)]
        _set({form.key(field): _shown(field, values[field.name]) for field in changed})
    fields = _fields(base, depths, omit)
    form.draw(field for field in fields if field.main)
    if dataset_info(base.dataset).kind != "small":  # the presets are for photos
        form.draw_preset()

    # What is unfrozen decides whether the feature cache has settings.
    unfrozen = {name: v for name, v in form.values.items() if name.endswith(".train_from")}
    deep = with_values(base, unfrozen)
    form.starts["base"] = flatten(deep.to_dict()) | form.starts["base"]
    more = [field for field in _fields(deep, depths, omit) if not field.main]
    groups = list(dict.fromkeys(field.group for field in more))
    with st.expander("More hyper-parameters", icon=":material/tune:", key=f"{scope}.expander"):
        for group, tab in zip(groups, st.tabs(groups), strict=True):
            with tab:
                form.draw(field for field in more if field.group == group)

    recipe = with_values(base, form.values)
    changed = [
        one
        for one in differences([base.to_dict(), recipe.to_dict()])
        if form.values.get(one.name) != form.starts["base"].get(one.name)
    ]
    if changed:
        form.draw_changes(changed)
        recipe = recipe.replace(name=f"{base.name.removesuffix(CHANGED)}{CHANGED}")
    else:
        recipe = base  # which may leave out what is the default
    return recipe.replace(phases=_phases(recipe))


def published_recipe(base: Recipe) -> Recipe | None:
    """The published recipe of the same network, on the same data; None: there is none."""
    recipes = list_recipes(base.model, fine_tuning=base.head is not None)
    shipped = [recipe for recipe in recipes if "published" in recipe.name]
    same = [recipe for recipe in shipped if recipe.name == base.name]
    return (same or shipped)[0].on(base.dataset) if shipped else None


class _Form:
    """The widgets of a recipe's fields.

    Args:
        base: where the form starts.
        scope: stands for the base in the keys of the widgets.
    """

    def __init__(self, base: Recipe, scope: str):
        """Draw nothing yet."""
        self.base, self.scope = base, scope
        self.starts = {"base": flatten(base.to_dict())}
        self.values: dict[str, Any] = {}  # by dotted name, of the fields that are drawn
        self.fields: dict[str, Field] = {}  # by the key of the widget
        published = published_recipe(base)
        if published is not None and published != base:
            values = flatten(published.to_dict())
            if len(published.phases) != len(base.phases):  # then they do not correspond
                values = {name: v for name, v in values.items() if not name.startswith("phase")}
            self.starts["published"] = values

    def draw(self, fields: Iterable[Field]) -> None:
        """The fields that have an effect, in rows; a scale takes a row of its own."""
        row, taken = st.columns(COLUMNS), 0
        for field in fields:
            if field.needs and self.values[field.needs[0]] not in field.needs[1]:
                continue
            if field.ordered:
                self._field(field)
                row, taken = st.columns(COLUMNS), 0
                continue
            if taken == COLUMNS:
                row, taken = st.columns(COLUMNS), 0
            with row[taken]:
                self._field(field)
            taken += 1

    def draw_preset(self) -> None:
        """A choice of augmentations by name, which sets the fields of the augmentation."""
        fields = [field for field in FIELDS if field.name.startswith("augmentation.")]
        now = {
            field.name: st.session_state.get(self.key(field), self.starts["base"][field.name])
            for field in fields
        }
        presets = {
            name: {f"augmentation.{k}": v for k, v in dataclasses.asdict(preset).items()}
            for name, preset in AUGMENTATION_PRESETS.items()
        }
        key = f"{self.scope}.preset"
        st.session_state[key] = next((n for n, v in presets.items() if v == now), CUSTOM)

        def choose() -> None:
            chosen = presets.get(st.session_state[key], {})
            _set({self.key(f): _shown(f, chosen[f.name]) for f in fields if f.name in chosen})

        with st.columns(COLUMNS)[0]:
            st.selectbox(
                "Augmentation",
                [*presets, CUSTOM],
                key=key,
                format_func=lambda name: AUGMENTATION_TITLES.get(name, "Custom"),
                on_change=choose,
                help="Random changes of the training images, several at once. "
                "**More hyper-parameters** has each by itself.",
            )

    def draw_changes(self, changed: Sequence[Difference]) -> None:
        """What differs from the base, and a way back."""
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**Changed from “{self.base.name}”**", width="content")
            for one in changed:
                before, after = one.texts
                st.badge(f"{one.title}: {before} → {after}", color="orange")
            back = {key: _shown(f, self._start(f)) for key, f in self.fields.items()}
            st.button(
                "Undo all",
                icon=":material/undo:",
                type="tertiary",
                key="undo_all",
                on_click=_set,
                args=(back,),
            )

    def key(self, field: Field) -> str:
        """Key of a field's widget."""
        # Patience in epochs and patience in mini-batches are two widgets.
        stopping = field.needs and field.needs[0] == "stopping.kind"
        rule = f".{self.values.get('stopping.kind')}" if stopping else ""
        return f"{self.scope}.{field.name}{rule}"

    def _field(self, field: Field) -> None:
        key = self.key(field)
        value = self.values[field.name] = _widget(field, self._start(field), key)
        self.fields[key] = field
        with st.container(horizontal=True, gap="small"):
            for name, values in self.starts.items():
                title = self.base.name if name == "base" else name
                # A rule that the recipe does not have has no value to go back to.
                if field.name in values and values[field.name] != value:
                    words = f"{title}: {field.text(values[field.name])}"
                    st.button(
                        f":orange[{words}]" if name == "base" else words,
                        key=f"{key}.{name}",
                        type="tertiary",
                        icon=":material/undo:",
                        help=f"Set {field.title.lower()} back to the value of “{title}”",
                        on_click=_set,
                        args=({key: _shown(field, values[field.name])},),
                    )

    def _start(self, field: Field) -> Any:
        base = self.starts["base"]
        if field.name in base:
            return base[field.name]
        rule = _STOPPING.get(self.values.get("stopping.kind") or "keras", {})
        return (_STOPPING_REST | rule)[field.name]


def _fields(recipe: Recipe, depths: Sequence[str], omit: Collection[str]) -> list[Field]:
    return [
        field
        for field in recipe_fields(recipe, depths)
        # Nobody should have to guess what a network's blocks are called.
        if field.name not in omit and (depths or not field.name.endswith(".train_from"))
    ]


def _phases(recipe: Recipe) -> tuple[Phase, ...]:
    """The phases, without one that unfreezes nothing after another that did not."""
    before = (None, *(phase.train_from for phase in recipe.phases))
    return tuple(
        phase
        for phase, last in zip(recipe.phases, before, strict=False)
        if (phase.train_from, last) != (HEAD, HEAD)
    )


def _widget(field: Field, start: Any, key: str) -> Any:
    # Not `value=`: Streamlit warns when a widget with a default is set from elsewhere.
    st.session_state.setdefault(key, _shown(field, start))
    words: dict[str, Any] = {
        "label": field.title, "key": key, "help": field.help or None, "persist_state": "session"
    }  # fmt: skip
    if field.choices:
        # None is a choice here, and to a selectbox it would mean that nothing is chosen.
        texts = {field.text(choice): choice for choice in field.choices}
        widget = st.select_slider if field.ordered else st.selectbox
        return texts[widget(options=list(texts), **words)]
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


def _set(values: Mapping[str, Any]) -> None:
    st.session_state.update(values)


def _shown(field: Field, value: Any) -> Any:
    """What the widget holds for a value."""
    if field.choices:
        return field.text(value)
    return float(value) if field.range and not field.whole and value is not None else value


def _step(start: float) -> float:
    return 10.0 ** math.floor(math.log10(abs(start))) if start else 0.01
