"""The layers of a network as a list: each with its shape, and the settings of the open one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from cnnkit.figures.architecture import short_number
from cnnkit.models.builder import (
    GROUPS,
    KINDS,
    MOST_LAYERS,
    CheckedDefinition,
    CheckedEntry,
    LayerKind,
    LayerProblem,
    NetworkDefinition,
    add_layer,
    copy_layer,
    kind_of,
    move_layer,
    remove_layer,
    rename_layer,
)
from cnnkit.ui.builder.layer_form import layer_fields
from cnnkit.ui.builder.state import change_network, select_entry, selected_entry
from cnnkit.ui.common.messages import literal

# Buttons of the list read from left to right, as lines of a table.
_STYLE = """<style>
[class*="st-key-layer_row"] button, [class*="st-key-layer_row"] button > div {
  justify-content: flex-start;
}
[class*="st-key-layer_row"] button :is(div, span, p) { text-align: left; white-space: normal; }
</style>"""


def show_layers(checked: CheckedDefinition) -> None:
    """Every layer, what does not fit at it, and what can be done with the open one."""
    st.html(_STYLE)
    count = len(checked.entries)
    selected = selected_entry(count)
    shape = "×".join(map(str, checked.definition.input_shape))
    st.caption(f"Images of {shape} come in. Open a layer to set it, or to add one behind it.")
    with st.container(gap="xxsmall"):
        for number, one in enumerate(checked.entries):
            _row(number, one, open_=number == selected)
            _remarks(checked.problems, number, st.error, ":material/error:")
            _remarks(checked.advice, number, st.warning, ":material/lightbulb:")
            if number == selected:
                with st.container(border=True, key="layer_settings"):
                    _settings(checked.definition, number, one)
    place = count - 1 if selected is None else min(selected + 1, count - 1)
    _add_menu(checked.definition, place)


def _row(number: int, one: CheckedEntry, *, open_: bool) -> None:
    shape = "×".join(map(str, one.shape)) if one.shape else "?"
    weights = f" · {short_number(one.parameters)} weights" if one.parameters else ""
    st.button(
        f"**{literal(one.entry.name)}**  {one.detail} → {shape}:small[:gray[{weights}]]",
        key=f"layer_row_{number}",
        type="secondary" if open_ else "tertiary",
        icon=":material/expand_less:" if open_ else ":material/expand_more:",
        width="stretch",
        on_click=select_entry,
        args=(None if open_ else number,),
    )


def _remarks(
    problems: Sequence[LayerProblem], number: int, show: Callable[..., object], icon: str
) -> None:
    for problem in problems:
        if problem.entry == number:
            remedy = problem.remedy[0].upper() + problem.remedy[1:]
            show(f"{problem.reason}. **{remedy}.**", icon=icon)


def _settings(definition: NetworkDefinition, number: int, one: CheckedEntry) -> None:
    kind = kind_of(one.entry.kind)
    st.markdown(f"**{kind.title}**: {kind.help}")
    if one.shape:
        st.caption(
            f"{one.parameters:,} parameters · {one.macs:,} MACs · "
            f"{one.activation_bytes / 1024:,.1f} KiB of activations · "
            f"receptive field {one.receptive_field}"
        )
    last = number == len(definition.layers)
    layer_fields(definition, number)
    if last:
        return
    _name_field(definition, number)
    with st.container(horizontal=True, gap="small"):
        _action("Move up", "arrow_upward", number, move_layer, number - 1, after=number - 1)
        _action("Move down", "arrow_downward", number, move_layer, number + 1, after=number + 1)
        _action("Copy", "content_copy", number, copy_layer, after=number + 1)
        _action("Remove", "delete", number, remove_layer, after=None)


def _action(
    label: str,
    icon: str,
    number: int,
    change: Callable[..., NetworkDefinition],
    *arguments: int,
    after: int | None,
) -> None:
    def act() -> None:
        change_network(lambda definition: change(definition, number, *arguments))
        select_entry(None if after is None else max(0, after))

    st.button(
        label, icon=f":material/{icon}:", key=f"layer_{change.__name__}_{label}", on_click=act
    )


def _name_field(definition: NetworkDefinition, number: int) -> None:
    key = f"layer_name_{number}"
    st.session_state[key] = definition.layers[number].name

    def rename() -> None:
        name = (st.session_state[key] or "").strip()
        change_network(lambda one: rename_layer(one, number, name))

    st.text_input(
        "Name",
        key=key,
        max_chars=63,
        on_change=rename,
        help="Other pages call the layer by it. Leave it empty to name the layer by its place.",
    )


def _add_menu(definition: NetworkDefinition, place: int) -> None:
    after = definition.layers[place - 1].name if place else "the image"
    if len(definition.layers) >= MOST_LAYERS:
        st.caption(f"A network may have at most {MOST_LAYERS} layers and blocks here.")
        return
    with st.popover(f"Add a layer after {after}", icon=":material/add:", width="stretch"):
        for group in GROUPS:
            st.caption(group)
            with st.container(horizontal=True, gap="small"):
                for kind in KINDS.values():
                    if kind.group == group:
                        _add_button(kind, place)


def _add_button(kind: LayerKind, place: int) -> None:
    st.button(
        kind.title,
        key=f"add_{kind.name}",
        help=kind.help,
        on_click=partial(_add, kind.name, place),
    )


def _add(kind: str, place: int) -> None:
    change_network(lambda definition: add_layer(definition, place, kind))
    select_entry(place)
