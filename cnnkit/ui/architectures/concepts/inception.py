"""The cost of 1×1 convolutions in GoogLeNet: as a bottleneck, and after pooling."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import astuple, fields
from typing import Any

import streamlit as st

from cnnkit.concepts.inception_costs import (
    BRANCHES,
    FIRST_CHANNELS,
    ConvolutionCost,
    InceptionBranch,
    InceptionModule,
    count_branch,
    count_stack,
    module_stack,
    total_cost,
)
from cnnkit.figures.architecture import short_number
from cnnkit.figures.bars import stacked_bars
from cnnkit.figures.curves import lines
from cnnkit.figures.style import BLUE, GREEN, ORANGE, faded
from cnnkit.ui.architectures import NOTES
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import question
from cnnkit.ui.common.tasks import background, when_ready

Modules = tuple[InceptionModule, ...]

PUBLISHED = {
    f"{module.name} {size}": branch
    for module in module_stack()
    for size, branch in module.bottleneck_branches().items()
}
CUSTOM = "own"  # the sliders describe no branch of GoogLeNet
FIRST = PUBLISHED["3a 5×5"]
# Field of a branch → its name in the address.
KEYS = {
    "side": "b_side",
    "channels": "b_channels",
    "kernel": "b_kernel",
    "filters": "b_filters",
    "bottleneck": "b_width",
}
# In the address → (shown to people, share of the published width).
WIDTHS: dict[str, tuple[str, float | None]] = {
    "quarter": ("¼", 0.25),
    "half": ("½", 0.5),
    "published": ("as published", 1.0),
    "double": ("2×", 2.0),
    "four": ("4×", 4.0),
    "none": ("no projection", None),
}
COLORS: dict[str, str] = dict(zip(BRANCHES, (BLUE, faded(BLUE, 0.55), GREEN, ORANGE), strict=True))


def show_bottleneck() -> None:
    """Controls, and the MACs of a branch: bars, formula, count, and the widths that pay."""
    question(
        "What does a 1×1 convolution save before a large one?",
        NOTES,
        "It reduces many maps to few, so that the large convolution, whose cost is proportional "
        "to the maps it reads, becomes cheaper. Its own cost is small but not zero: if it is too "
        "wide, it costs more than it saves.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        branch = _sliders()
    with right:
        _show_macs(branch)
        _show_formula(branch)
        _show_count(
            ("branch", branch),
            lambda: count_branch(branch),
            {"without": branch.direct, "with 1×1": branch.with_bottleneck},
            lambda counted: counted,
        )
        _show_savings(branch)
    _show_widths(branch)


def _sliders() -> InceptionBranch:
    above = st.container()  # for the list of branches, which is set by the sliders

    def slider(label: str, field: str, low: int, high: int, step: int = 1) -> int:
        value = getattr(FIRST, field)
        return int(st.slider(label, low, high, value, step, key=KEYS[field], bind="query-params"))

    side = slider("Height and width of the maps", "side", 1, 64)
    channels = slider("Maps in, C", "channels", 16, 1024, 16)
    kernel = st.select_slider(
        "Kernel, k", [3, 5, 7], FIRST.kernel, key=KEYS["kernel"], bind="query-params"
    )
    filters = slider("Maps out, F", "filters", 16, 512, 16)
    width = slider("Width of the bottleneck, B", "bottleneck", 4, 512, 4)
    branch = InceptionBranch(side, channels, int(kernel), filters, width)
    names = {published: name for name, published in PUBLISHED.items()}
    st.session_state["b_published"] = names.get(branch, CUSTOM)
    with above:
        st.selectbox(
            "Branch of GoogLeNet",
            [*PUBLISHED, CUSTOM],
            key="b_published",
            format_func=_title,
            on_change=_take_published,
        )
    return branch


def _title(name: str) -> str:
    if name == CUSTOM:
        return "none: custom"
    branch = PUBLISHED[name]
    size = f"{branch.side}×{branch.side}×{branch.channels}"
    return f"{name}: {size} → {branch.bottleneck} → {branch.filters}"


def _take_published() -> None:
    branch = PUBLISHED.get(st.session_state["b_published"])
    if branch is not None:
        for field, value in zip(fields(branch), astuple(branch), strict=True):
            st.session_state[KEYS[field.name]] = value


def _show_macs(branch: InceptionBranch) -> None:
    large = f"{branch.kernel}×{branch.kernel} convolution"
    macs = branch.direct.macs, branch.with_bottleneck.macs
    chart(
        stacked_bars(
            {
                "1×1 convolution": (0, branch.reduction.macs),
                large: (branch.direct.macs, branch.narrow.macs),
            },
            ("without", "with 1×1"),
            colors={"1×1 convolution": ORANGE, large: BLUE},
            horizontal=True,
            text=[short_number(number) for number in macs],
            unit="MACs",
            height=210,
        ),
        alt=f"Two bars: {macs[0]:,} MACs without a 1×1 convolution, {macs[1]:,} with one",
    )


def _show_formula(branch: InceptionBranch) -> None:
    size, kernel = rf"{branch.side}^2", rf"{branch.kernel}^2"
    channels, filters, width = branch.channels, branch.filters, branch.bottleneck
    st.latex(
        r"\begin{aligned}"
        r"\textbf{without}\quad & H W \, C \, k^2 F \\"
        rf"&= {size} \cdot {channels} \cdot {kernel} \cdot {filters} \\"
        rf"&= {_tex(branch.direct.macs)} \text{{ MACs}} \\[6pt]"
        r"\textbf{with 1×1}\quad & H W \, C \, B + H W \, B \, k^2 F \\"
        rf"&= {size} \cdot {channels} \cdot {width} \\"
        rf"&\quad + {size} \cdot {width} \cdot {kernel} \cdot {filters} \\"
        rf"&= {_tex(branch.reduction.macs)} + {_tex(branch.narrow.macs)} \\"
        rf"&= {_tex(branch.with_bottleneck.macs)} \text{{ MACs}}"
        r"\end{aligned}"
    )
    st.caption(
        f"One MAC is one multiplication and one addition, for one image. Parameters, with a "
        f"bias for each filter: {branch.direct.parameters:,} without and "
        f"{branch.with_bottleneck.parameters:,} with the bottleneck."
    )


def _show_savings(branch: InceptionBranch) -> None:
    first, second, third = st.columns(3)
    first.metric("Relative cost", f"{branch.ratio:.1%}", help="MACs with the 1×1 / MACs without")
    second.metric(
        "Estimate B / C", f"{branch.estimate:.1%}", help="As in the notes, without the 1×1's cost."
    )
    third.metric("Error of the estimate", f"{100 * (branch.ratio - branch.estimate):.1f} points")
    st.markdown(
        "The notes neglect the cost of the 1×1 convolution. The exact relative cost is "
        rf"$\frac{{B}}{{C}} + \frac{{B}}{{k^2 F}}$: here the 1×1 convolution takes "
        f"**{branch.reduction.macs / branch.with_bottleneck.macs:.0%}** of the remaining MACs."
    )
    if branch.ratio < 1:
        st.info(
            f"The bottleneck saves MACs as long as B is below **{branch.break_even:.0f}**; here B "
            f"is {branch.bottleneck}.",
            icon=":material/savings:",
        )
    else:
        st.warning(
            f"The bottleneck saves nothing: B is {branch.bottleneck}, and from "
            f"**{branch.break_even:.0f}** on the two convolutions together cost as much as the "
            "large one alone, or more.",
            icon=":material/money_off:",
        )


def _show_widths(branch: InceptionBranch) -> None:
    widest = max(2 * branch.break_even, 1.1 * branch.bottleneck)
    st.markdown("**Relative cost over the width of the bottleneck**")
    chart(
        lines(
            {
                "with 1×1": ((0, widest), (0, widest / branch.break_even)),
                "estimate B / C": ((0, widest), (0, widest / branch.channels)),
                "without": ((0, widest), (1, 1)),
            },
            x_title="width of the bottleneck, B",
            y_title="MACs, as a share of those without",
            percent=True,
            dashed=("estimate B / C",),
            colors={"with 1×1": BLUE, "estimate B / C": ORANGE, "without": GREEN},
            marked=branch.bottleneck,
            height=260,
        ),
        alt=f"Relative cost over the width of the bottleneck: it is that of no bottleneck "
        f"at {branch.break_even:.0f} maps",
    )


def _tex(number: int) -> str:
    return f"{number:,}".replace(",", r"\,")


def _show_count(
    key: Hashable,
    count: Callable[[], Any],
    formula: dict[str, ConvolutionCost],
    costs: Callable[[Any], Any],
) -> None:
    """Show the cost counted in a Keras model beside the formula's, and whether they agree.

    Args:
        key: of the result in the background.
        count: builds the model and counts; takes seconds until Keras is loaded.
        formula: costs by the formula, by the name of the case.
        costs: from the result of `count` to its costs, in the order of `formula`.
    """

    def compare(result: Any) -> None:
        counted = list(costs(result))
        words = "; ".join(
            f"{name}: {cost.macs:,} MACs, {cost.parameters:,} parameters"
            for name, cost in zip(formula, counted, strict=True)
        )
        if counted == list(formula.values()):
            st.success(
                f"Counted in a Keras model, layer by layer: {words}. The formula agrees.",
                icon=":material/check:",
            )
        else:
            st.error(f"Counted in a Keras model: {words}. The formula does not agree.")

    waiting = "Building a Keras model to count its layers …"
    when_ready(background().ask(key, count), compare, waiting=waiting)


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
    _show_totals(published, chosen)
    _show_depths(published, chosen)
    _explain_depths(chosen)
    _show_module_macs(published, chosen)
    _show_count(
        ("stack", width),
        lambda: count_stack(chosen),
        {"nine modules": total_cost(chosen)},
        lambda counted: counted[:1],
    )


def _show_totals(published: Modules, chosen: Modules) -> None:
    usual, total = total_cost(published), total_cost(chosen)
    for column, title, value, base in zip(
        st.columns(3),
        ("Output maps of 5b", "MACs of the nine modules", "Parameters"),
        (chosen[-1].depth, total.macs, total.parameters),
        (published[-1].depth, usual.macs, usual.parameters),
        strict=True,
    ):
        column.metric(
            title,
            f"{value:,}" if value < 1e5 else short_number(value),
            None if published == chosen else f"{value / base:.2f} × published",
            delta_color="off",
            delta_arrow="off",
        )


def _show_depths(published: Modules, chosen: Modules) -> None:
    st.markdown("**Output maps of each module**")
    by_branch = zip(*(module.parts for module in chosen), strict=True)
    chart(
        stacked_bars(
            dict(zip(BRANCHES, by_branch, strict=True)),
            [module.name for module in chosen],
            colors=COLORS,
            text=[f"{module.depth:,}" for module in chosen],
            unit="maps",
            limit=("as published", [module.depth for module in published]),
            height=360,
        ),
        alt=f"Output maps of each module by branch, from {chosen[0].depth:,} to "
        f"{chosen[-1].depth:,}; as published from {published[0].depth:,} to "
        f"{published[-1].depth:,}",
    )


def _explain_depths(chosen: Modules) -> None:
    first, last = chosen[0], chosen[-1]
    sums = " + ".join(map(str, first.parts))
    st.markdown(
        f"**3a** reads {FIRST_CHANNELS} maps and outputs {sums} = **{first.depth}**, the last "
        f"part from its pooling branch. In **5b** the pooling branch gives "
        f"{last.parts[-1] / last.depth:.0%} of {last.depth:,} maps."
    )
    if not first.widths[-1]:
        st.caption(
            f"Without projections each module outputs its input and "
            f"{first.depth - FIRST_CHANNELS} to {last.depth - last.channels} maps more: the "
            "number of maps never falls."
        )


def _show_module_macs(published: Modules, chosen: Modules) -> None:
    st.markdown("**MACs of each module**")
    chart(
        stacked_bars(
            {"with this width": [module.cost.macs for module in chosen]},
            [module.name for module in chosen],
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
