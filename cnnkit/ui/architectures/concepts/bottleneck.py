"""The cost of a branch with and without a 1×1 convolution before it."""

from __future__ import annotations

import streamlit as st

from cnnkit.concepts.bottleneck import Branch, counted
from cnnkit.concepts.projection import stack
from cnnkit.figures._style import BLUE, GREEN, ORANGE
from cnnkit.figures.curves import lines
from cnnkit.figures.stacked import parts
from cnnkit.ui.architectures.concepts._shared import NOTES, second_count, short
from cnnkit.ui.common.charts import chart
from cnnkit.ui.concepts._frame import question

PUBLISHED = {
    f"{module.name} {size}": branch for module in stack() for size, branch in module.large().items()
}
OWN = "own"  # the sliders stand where no module of GoogLeNet does
FIRST = "3a 5×5"
WIDEST = 512  # bottleneck, in maps
KERNELS = (3, 5, 7)


def draw() -> None:
    """Draw the experiment."""
    question(
        "What does a 1×1 convolution save before a large one?",
        NOTES,
        "It squeezes many maps into few, so that the large convolution, dear for every map it "
        "reads, has less to read. Its own cost is small but not nothing: made too wide, it "
        "costs more than it saves.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        branch = _sliders()
    with right:
        _bars(branch)
        _formula(branch)
        _second_count(branch)
        _verdict(branch)
    _widths(branch)


def _sliders() -> Branch:
    # The list stands above the sliders and is set by them.
    above, start = st.container(), PUBLISHED[FIRST]
    side = st.slider("Height and width", 1, 64, start.side, key="b_side", bind="query-params")
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
    branch = Branch(int(side), int(channels), int(kernel), int(filters), int(width))
    names = {published: name for name, published in PUBLISHED.items()}
    st.session_state["b_published"] = names.get(branch, OWN)
    with above:
        st.selectbox(
            "Branch of GoogLeNet",
            [*PUBLISHED, OWN],
            key="b_published",
            format_func=_title,
            on_change=_take_published,
        )
    return branch


def _title(name: str) -> str:
    if name == OWN:
        return "none: numbers of your own"
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


def _bars(branch: Branch) -> None:
    large = f"{branch.kernel}×{branch.kernel} convolution"
    figure = parts(
        {
            "1×1 convolution": (0, branch.reduce.macs),
            large: (branch.direct.macs, branch.narrow.macs),
        },
        ("without", "with 1×1"),
        colours={"1×1 convolution": ORANGE, large: BLUE},
        lying=True,
        text=(short(branch.direct.macs), short(branch.both.macs)),
        unit="MACs",
        height=210,
    )
    chart(
        figure,
        alt=f"Two bars: {branch.direct.macs:,} MACs without a 1×1 convolution, "
        f"{branch.both.macs:,} with one",
    )


def _formula(branch: Branch) -> None:
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
        rf"&= {_tex(branch.reduce.macs)} + {_tex(branch.narrow.macs)} \\"
        rf"&= {_tex(branch.both.macs)} \text{{ MACs}}"
        r"\end{aligned}"
    )
    st.caption(
        f"One MAC is one multiplication and one addition, for one image. Parameters, a bias "
        f"for each filter among them: {branch.direct.parameters:,} without and "
        f"{branch.both.parameters:,} with the bottleneck."
    )


def _second_count(branch: Branch) -> None:
    second_count(
        ("branch", branch),
        lambda: counted(branch),
        {"without": branch.direct, "with 1×1": branch.both},
        lambda found: found,
    )


def _verdict(branch: Branch) -> None:
    first, second, third = st.columns(3)
    first.metric("It costs", f"{branch.ratio:.1%}", help="MACs with the 1×1 / MACs without")
    second.metric("The notes' estimate B / C", f"{branch.estimate:.1%}")
    third.metric("The estimate is short by", f"{100 * (branch.ratio - branch.estimate):.1f} points")
    st.markdown(
        "The notes leave the cost of the 1×1 convolution out, as it is much smaller. Exactly, the "
        rf"share is $\frac{{B}}{{C}} + \frac{{B}}{{k^2 F}}$: here the 1×1 convolution does "
        f"**{branch.reduce.macs / branch.both.macs:.0%}** of the work that is left."
    )
    if branch.ratio < 1:
        st.info(
            f"It pays as long as B stays below **{branch.break_even:.0f}**; here B is "
            f"{branch.bottleneck}.",
            icon=":material/savings:",
        )
    else:
        st.warning(
            f"It does not pay: B is {branch.bottleneck}, and from **{branch.break_even:.0f}** on "
            "the two convolutions together cost as much as the large one alone, or more.",
            icon=":material/money_off:",
        )


def _widths(branch: Branch) -> None:
    widest = max(2 * branch.break_even, 1.1 * branch.bottleneck)
    series = {
        "with 1×1": ((0, widest), (0, widest / branch.break_even)),
        "estimate B / C": ((0, widest), (0, widest / branch.channels)),
        "without": ((0, widest), (1, 1)),
    }
    st.markdown("**How wide may it be?**")
    chart(
        lines(
            series,
            x_title="width of the bottleneck, B",
            y_title="MACs, as a share of those without",
            percent=True,
            dashed=("estimate B / C",),
            colours={"with 1×1": BLUE, "estimate B / C": ORANGE, "without": GREEN},
            marked=branch.bottleneck,
            height=260,
        ),
        alt=f"Cost over the width of the bottleneck: it reaches that of the convolution alone "
        f"at {branch.break_even:.0f} maps",
    )


def _tex(number: int) -> str:
    return f"{number:,}".replace(",", r"\,")
