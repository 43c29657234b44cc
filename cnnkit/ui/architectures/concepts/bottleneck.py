"""The cost of an Inception branch with and without a 1×1 bottleneck."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from cnnkit.concepts.inception_costs import (
    ConvolutionCost,
    InceptionBranch,
    count_branch,
    module_stack,
)
from cnnkit.figures.architecture import short_number
from cnnkit.figures.costs import stacked_bars
from cnnkit.figures.curves import lines
from cnnkit.figures.style import BLUE, GREEN, ORANGE
from cnnkit.ui.architectures import NOTES
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.messages import question
from cnnkit.ui.common.tasks import background, when_ready

PUBLISHED = {
    f"{module.name} {size}": branch
    for module in module_stack()
    for size, branch in module.bottleneck_branches().items()
}
CUSTOM = "own"  # the sliders describe no branch of GoogLeNet
FIRST = "3a 5×5"
WIDEST = 512  # bottleneck, in maps
KERNELS = (3, 5, 7)


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
        _bars(branch)
        _formula(branch)
        show_layer_count(
            ("branch", branch),
            lambda: count_branch(branch),
            {"without": branch.direct, "with 1×1": branch.with_bottleneck},
            lambda found: found,
        )
        _savings(branch)
    _widths(branch)


def _sliders() -> InceptionBranch:
    # The list is above the sliders, and is set by them.
    above, start = st.container(), PUBLISHED[FIRST]
    side = st.slider(
        "Height and width of the maps", 1, 64, start.side, key="b_side", bind="query-params"
    )
    channels = st.slider(
        "Maps in, C", 16, 1024, start.channels, 16, key="b_channels", bind="query-params"
    )
    kernel = st.select_slider(
        "Kernel, k", list(KERNELS), start.kernel, key="b_kernel", bind="query-params"
    )
    filters = st.slider(
        "Maps out, F", 16, 512, start.filters, 16, key="b_filters", bind="query-params"
    )
    width = st.slider(
        "Width of the bottleneck, B",
        4,
        WIDEST,
        start.bottleneck,
        4,
        key="b_width",
        bind="query-params",
    )
    branch = InceptionBranch(int(side), int(channels), int(kernel), int(filters), int(width))
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
        st.session_state["b_side"] = branch.side
        st.session_state["b_channels"] = branch.channels
        st.session_state["b_kernel"] = branch.kernel
        st.session_state["b_filters"] = branch.filters
        st.session_state["b_width"] = branch.bottleneck


def _bars(branch: InceptionBranch) -> None:
    large = f"{branch.kernel}×{branch.kernel} convolution"
    figure = stacked_bars(
        {
            "1×1 convolution": (0, branch.reduction.macs),
            large: (branch.direct.macs, branch.narrow.macs),
        },
        ("without", "with 1×1"),
        colors={"1×1 convolution": ORANGE, large: BLUE},
        horizontal=True,
        text=(short_number(branch.direct.macs), short_number(branch.with_bottleneck.macs)),
        unit="MACs",
        height=210,
    )
    chart(
        figure,
        alt=f"Two bars: {branch.direct.macs:,} MACs without a 1×1 convolution, "
        f"{branch.with_bottleneck.macs:,} with one",
    )


def _formula(branch: InceptionBranch) -> None:
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


def _savings(branch: InceptionBranch) -> None:
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


def _widths(branch: InceptionBranch) -> None:
    widest = max(2 * branch.break_even, 1.1 * branch.bottleneck)
    series = {
        "with 1×1": ((0, widest), (0, widest / branch.break_even)),
        "estimate B / C": ((0, widest), (0, widest / branch.channels)),
        "without": ((0, widest), (1, 1)),
    }
    st.markdown("**Relative cost over the width of the bottleneck**")
    chart(
        lines(
            series,
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


def show_layer_count(
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

    def compare(found: Any) -> None:
        counted = list(costs(found))
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

    when_ready(
        background().ask(key, count),
        compare,
        waiting="Building a Keras model to count its layers …",
    )
