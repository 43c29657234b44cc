"""The number of maps in GoogLeNet with and without the 1×1 projection after pooling."""

from __future__ import annotations

import streamlit as st

from cnnkit.concepts.inception_costs import (
    BRANCHES,
    FIRST_CHANNELS,
    InceptionModule,
    count_stack,
    module_stack,
    total_cost,
)
from cnnkit.figures.architecture import short_number
from cnnkit.figures.costs import stacked_bars
from cnnkit.figures.style import BLUE, GREEN, ORANGE, faded
from cnnkit.ui.architectures import NOTES
from cnnkit.ui.architectures.concepts.bottleneck import show_layer_count
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import question

# In the address -> (shown to people, share of the published width).
WIDTHS: dict[str, tuple[str, float | None]] = {
    "quarter": ("¼", 0.25),
    "half": ("½", 0.5),
    "published": ("as published", 1.0),
    "double": ("2×", 2.0),
    "four": ("4×", 4.0),
    "none": ("no projection", None),
}
COLORS: dict[str, str] = dict(zip(BRANCHES, (BLUE, faded(BLUE, 0.55), GREEN, ORANGE), strict=True))


def show_projection() -> None:
    """Controls, and maps and MACs of the nine modules."""
    question(
        "Why does a 1×1 convolution follow the pooling too?",
        NOTES,
        "Pooling may change height and width, never the number of maps. As a branch of a module "
        "it outputs as many maps as it reads, so that the number of maps can only grow from "
        "module to module; a 1×1 projection after it decides how many maps it adds.",
    )
    width = choice(
        "Width of the projection",
        list(WIDTHS),
        parameter="projection",
        title=lambda name: WIDTHS[name][0],
        default="none",
        widget=st.segmented_control,
        help="Maps of the 1×1 convolution in the pooling branch, in all nine modules.",
    )
    published, chosen = module_stack(), module_stack(WIDTHS[width][1])
    _numbers(published, chosen)
    _depths(published, chosen)
    _module(published, chosen)
    _costs(published, chosen)
    show_layer_count(
        ("stack", width),
        lambda: count_stack(chosen),
        {"nine modules": total_cost(chosen)},
        lambda found: found[:1],
    )


def _numbers(published: tuple[InceptionModule, ...], chosen: tuple[InceptionModule, ...]) -> None:
    usual, total = total_cost(published), total_cost(chosen)
    same = published == chosen
    for column, title, value, base in zip(
        st.columns(3),
        ("Output maps of 5b", "MACs of the nine modules", "Parameters"),
        (chosen[-1].depth, total.macs, total.parameters),
        (published[-1].depth, usual.macs, usual.parameters),
        strict=True,
    ):
        change = None if same else f"{value / base:.2f} × published"
        column.metric(
            title,
            f"{value:,}" if value < 1e5 else short_number(value),
            change,
            delta_color="off",
            delta_arrow="off",
        )


def _depths(published: tuple[InceptionModule, ...], chosen: tuple[InceptionModule, ...]) -> None:
    st.markdown("**Output maps of each module**")
    names = [module.name for module in chosen]
    by_branch = zip(*(module.parts for module in chosen), strict=True)
    figure = stacked_bars(
        dict(zip(BRANCHES, by_branch, strict=True)),
        names,
        colors=COLORS,
        text=[f"{module.depth:,}" for module in chosen],
        unit="maps",
        limit=("as published", [module.depth for module in published]),
        height=360,
    )
    chart(
        figure,
        alt=f"Output maps of each module by branch, from {chosen[0].depth:,} to "
        f"{chosen[-1].depth:,}; as published from {published[0].depth:,} to "
        f"{published[-1].depth:,}",
    )


def _module(published: tuple[InceptionModule, ...], chosen: tuple[InceptionModule, ...]) -> None:
    first, last = chosen[0], chosen[-1]
    sums = " + ".join(str(part) for part in first.parts)
    share = last.parts[-1] / last.depth
    st.markdown(
        f"**3a** reads {FIRST_CHANNELS} maps and outputs {sums} = **{first.depth}**, the last "
        f"part from its pooling branch. In **5b** the pooling branch gives {share:.0%} of "
        f"{last.depth:,} maps."
    )
    if not first.widths[-1]:
        st.caption(
            f"Without projections each module outputs its input and "
            f"{first.depth - FIRST_CHANNELS} to {last.depth - last.channels} maps more: the "
            "number of maps never falls."
        )


def _costs(published: tuple[InceptionModule, ...], chosen: tuple[InceptionModule, ...]) -> None:
    st.markdown("**MACs of each module**")
    names = [module.name for module in chosen]
    chart(
        stacked_bars(
            {"with this width": [module.cost.macs for module in chosen]},
            names,
            colors={"with this width": BLUE},
            unit="MACs",
            limit=("as published", [module.cost.macs for module in published]),
            height=260,
        ),
        alt=f"MACs of each module: {short_number(total_cost(chosen).macs)} together, as published "
        f"{short_number(total_cost(published).macs)}",
    )
    st.caption(
        "A projection costs MACs itself, and makes every later module cheaper, which reads fewer "
        "maps. The cost grows less than the number of maps: only the 1×1 convolutions at the "
        "start of the branches read them."
    )
