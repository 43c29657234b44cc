"""What the 1×1 convolution behind the pooling does to the depth of GoogLeNet."""

from __future__ import annotations

import streamlit as st

from cnnkit.concepts.projection import BRANCHES, FIRST_CHANNELS, Module, counted, stack, total
from cnnkit.figures._style import BLUE, GREEN, ORANGE, faded
from cnnkit.figures.stacked import parts
from cnnkit.ui.architectures.concepts._shared import NOTES, second_count, short
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.concepts._frame import question

# In the address -> (shown to people, share of the published width).
WIDTHS: dict[str, tuple[str, float | None]] = {
    "quarter": ("¼", 0.25),
    "half": ("½", 0.5),
    "published": ("as published", 1.0),
    "double": ("2×", 2.0),
    "four": ("4×", 4.0),
    "none": ("no projection", None),
}
COLOURS: dict[str, str] = dict(zip(BRANCHES, (BLUE, faded(BLUE, 0.55), GREEN, ORANGE), strict=True))


def draw() -> None:
    """Draw the experiment."""
    question(
        "Why does a 1×1 convolution stand behind the pooling too?",
        NOTES,
        "Pooling changes height and width at most, never the number of maps. Put beside the other "
        "branches it hands on all that came in, so that the depth can only grow from module to "
        "module; a 1×1 convolution behind it decides how many maps go on.",
    )
    width = choice(
        "Width of the projection",
        list(WIDTHS),
        parameter="projection",
        title=lambda name: WIDTHS[name][0],
        default="none",
        widget=st.segmented_control,
        help="Maps behind the 1×1 convolution of the pooling branch, in all nine modules.",
    )
    published, chosen = stack(), stack(WIDTHS[width][1])
    _numbers(published, chosen)
    _depths(published, chosen)
    _module(published, chosen)
    _costs(published, chosen)
    second_count(
        ("stack", width),
        lambda: counted(chosen),
        {"nine modules": total(chosen)},
        lambda found: found[:1],
    )


def _numbers(published: tuple[Module, ...], chosen: tuple[Module, ...]) -> None:
    usual, own = total(published), total(chosen)
    same = published == chosen
    for column, title, value, base in zip(
        st.columns(3),
        ("Maps behind 5b", "MACs of the nine modules", "Parameters"),
        (chosen[-1].depth, own.macs, own.parameters),
        (published[-1].depth, usual.macs, usual.parameters),
        strict=True,
    ):
        change = None if same else f"{value / base:.2f} × published"
        column.metric(
            title,
            f"{value:,}" if value < 1e5 else short(value),
            change,
            delta_color="off",
            delta_arrow="off",
        )


def _depths(published: tuple[Module, ...], chosen: tuple[Module, ...]) -> None:
    st.markdown("**Depth behind each module**")
    names = [module.name for module in chosen]
    by_branch = zip(*(module.parts for module in chosen), strict=True)
    figure = parts(
        dict(zip(BRANCHES, by_branch, strict=True)),
        names,
        colours=COLOURS,
        text=[f"{module.depth:,}" for module in chosen],
        unit="maps",
        limit=("as published", [module.depth for module in published]),
        height=360,
    )
    chart(
        figure,
        alt=f"Maps behind each module by branch, from {chosen[0].depth:,} to "
        f"{chosen[-1].depth:,}; as published from {published[0].depth:,} to "
        f"{published[-1].depth:,}",
    )


def _module(published: tuple[Module, ...], chosen: tuple[Module, ...]) -> None:
    first, last = chosen[0], chosen[-1]
    sums = " + ".join(str(part) for part in first.parts)
    share = last.parts[-1] / last.depth
    st.markdown(
        f"**3a** gets {FIRST_CHANNELS} maps and gives {sums} = **{first.depth}**, the last of "
        f"these from its pooling branch. In **5b** the pooling branch is {share:.0%} of "
        f"{last.depth:,} maps."
    )
    if not first.widths[-1]:
        st.caption(
            f"Without projections each module gives all that it got, and its own "
            f"{first.depth - FIRST_CHANNELS} to {last.depth - last.channels} maps more: nothing "
            "ever gets narrower."
        )


def _costs(published: tuple[Module, ...], chosen: tuple[Module, ...]) -> None:
    st.markdown("**What each module costs**")
    names = [module.name for module in chosen]
    chart(
        parts(
            {"with this width": [module.cost.macs for module in chosen]},
            names,
            colours={"with this width": BLUE},
            unit="MACs",
            limit=("as published", [module.cost.macs for module in published]),
            height=260,
        ),
        alt=f"MACs of each module: {short(total(chosen).macs)} together, as published "
        f"{short(total(published).macs)}",
    )
    st.caption(
        "A projection is work of its own, and makes every later module cheaper, as that has fewer "
        "maps to read. The cost grows less than the depth: only the 1×1 convolutions at the head "
        "of the branches ever see the many maps."
    )
