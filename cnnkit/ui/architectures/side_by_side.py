"""Two networks beside each other: what differs, and both drawings."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.anatomy import Anatomy, Drawing
from cnnkit.figures import costs
from cnnkit.figures.architecture import architecture, short_number
from cnnkit.ui.architectures.network_choice import Chosen
from cnnkit.ui.architectures.network_view import seen
from cnnkit.ui.common.charts import chart

# What is compared -> (how it is read, how it is written).
MEASURES = {
    "Parameters": (lambda a: a.parameters, short_number),
    "Multiply-accumulates": (lambda a: a.macs, short_number),
    "Activations": (lambda a: a.activation_bytes, lambda n: f"{n / 2**20:.3g} MiB"),
    "Memory at once": (lambda a: a.peak_activation_bytes, lambda n: f"{n / 2**20:.3g} MiB"),
    "Depth": (lambda a: a.depth, lambda n: f"{n} layers"),
}


def show(chosen: tuple[Chosen, Chosen], drawings: Sequence[Drawing]) -> None:
    """The two networks, from what they cost to their blocks."""
    first, second = (drawing.anatomy for drawing in drawings)
    titles = chosen[0].title, chosen[1].title
    values = {name: (read(first), read(second)) for name, (read, _) in MEASURES.items()}
    chart(
        costs.side_by_side(values, titles, {name: write for name, (_, write) in MEASURES.items()}),
        alt="; ".join(f"{name}: {a:,} and {b:,}" for name, (a, b) in values.items()),
        key="side_by_side",
    )
    st.markdown(_sentence(titles, first, second))
    for column, one, drawing in zip(st.columns(2, gap="large"), chosen, drawings, strict=True):
        with column:
            st.markdown(f"##### {one.title}")
            shape = "×".join(map(str, drawing.anatomy.input_shape))
            st.caption(f"images of {shape}; the answer sees {seen(drawing.anatomy)}")
            st.html(architecture(drawing))


def _sentence(titles: tuple[str, str], first: Anatomy, second: Anatomy) -> str:
    parameters, macs = (
        _times(getattr(first, name), getattr(second, name)) for name in ("parameters", "macs")
    )
    return f"**{titles[0]}** has {parameters} weights and {macs} work of **{titles[1]}**."


def _times(one: int, other: int) -> str:
    if one == other:
        return "just as many" if one else "no"
    if not other:
        return f"{one:,} against no"
    ratio = one / other
    return f"{ratio:.3g} times the" if ratio < 100 else f"{ratio:,.0f} times the"
