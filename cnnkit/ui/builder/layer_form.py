"""The settings of one layer as widgets, each of which changes the network at once."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnkit.models.builder import LayerField, NetworkDefinition, kind_of, set_value
from cnnkit.ui.builder.state import change_network

COLUMNS = 2


def layer_fields(definition: NetworkDefinition, number: int) -> None:
    """Widgets for all fields of an entry, the rare ones folded away."""
    entry = definition.entries[number]
    fields = kind_of(entry.kind).fields
    usual = [field for field in fields if field.name not in _RARE]
    rare = [field for field in fields if field.name in _RARE]
    _draw(definition, number, usual)
    if rare:
        with st.expander("Weights and bias", icon=":material/tune:"):
            _draw(definition, number, rare)


_RARE = ("use_bias", "bias", "kernel_initializer", "depth_multiplier", "momentum", "epsilon")


def _draw(definition: NetworkDefinition, number: int, fields: list[LayerField]) -> None:
    for begin in range(0, len(fields), COLUMNS):
        row = st.columns(COLUMNS, vertical_alignment="bottom")
        for column, field in zip(row, fields[begin : begin + COLUMNS], strict=False):
            with column:
                _widget(definition, number, field)


def _widget(definition: NetworkDefinition, number: int, field: LayerField) -> None:
    entry = definition.entries[number]
    key = f"layer_{number}_{entry.kind}_{field.name}"
    value = entry.values[field.name]

    def change() -> None:
        now = _value(field, st.session_state[key])
        change_network(lambda one: set_value(one, number, field.name, now))

    words: dict[str, Any] = {
        "label": field.title, "key": key, "help": field.help or None, "on_change": change
    }  # fmt: skip
    if field.layer:
        _source_box(definition, number, value, words)
    elif field.choices:
        st.session_state[key] = value
        st.selectbox(options=list(field.choices), format_func=field.text, **words)
    elif field.range is None:
        st.session_state[key] = value
        st.toggle(**words)
    else:
        st.session_state[key] = value
        low, high = field.range
        if field.empty is not None:
            words |= {"value": None, "placeholder": field.empty}
        if not field.whole:
            words |= {"step": 0.05, "format": "%.6g"}
        st.number_input(min_value=low, max_value=high, **words)


def _source_box(
    definition: NetworkDefinition, number: int, value: str, words: dict[str, Any]
) -> None:
    """The choice of an earlier layer."""
    earlier = [entry.name for entry in definition.layers[:number]]
    st.session_state[words["key"]] = value if value in earlier else None
    st.selectbox(options=earlier, placeholder="Choose an earlier layer", index=None, **words)


def _value(field: LayerField, shown: Any) -> Any:
    """What the network is given for what a widget holds."""
    if field.layer:
        return shown or ""
    if shown is None and field.empty is None:
        return field.default
    return shown
