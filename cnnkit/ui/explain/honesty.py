"""How far maps can be trusted: checks of each map, on demand, and how much the maps agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from cnnkit.explain import agreement, get_method
from cnnkit.explain.request import ExplanationRequest
from cnnkit.figures import curves
from cnnkit.jobs.session_kinds import Explanation
from cnnkit.ui.common import charts, inputs
from cnnkit.ui.common.messages import literal
from cnnkit.ui.explain.explanations import state_of
from cnnkit.ui.explain.grid import (
    EVERY,
    ExplainedNetwork,
    poll_sessions,
    show_done,
    show_progress,
)

CHECKS = {
    "faithfulness": "Deletion and insertion",
    "randomization": "Weight randomization",
    "sensitivity": "Sensitivity to noise",
}
WORDS = """
- **Deletion**: the pixels that the map names first are grayed first; a good map makes the
  probability fall at once, so a small area under the curve speaks for it.
  **Insertion**: they are put back into a blurred image; a large area speaks for the map
  (Petsiuk et al. 2018).
- **Weight randomization**: the weights are shuffled, layer by layer from the output. A map that
  stays the same shows the image, and not what the network makes of it (Adebayo et al. 2018).
- **Sensitivity**: the largest change of the map, as a share of it, under noise that nobody sees
  (Yeh et al. 2019).
- **Agreement**: the rank correlation of two methods' maps. Where they disagree, at most one is
  right.
"""


def checks_picker() -> list[str]:
    """Which checks to make, `?checks=faithfulness` in the address; none at first."""
    st.header("How far can these maps be trusted?", anchor="checks")
    with st.expander("What the checks measure", icon=":material/help:"):
        st.markdown(WORDS)
    return inputs.several(
        "Checks",
        list(CHECKS),
        parameter="checks",
        title=CHECKS.__getitem__,
        missing=lambda name: "which does not exist.",
        placeholder="Choose checks",
        help="Deletion and insertion take about 100 predictions. Randomization takes each map "
        "eight times again, and sensitivity ten times.",
    )


def areas_toggle() -> list[str]:
    """Whether the areas of many images are measured, for the table: the checks to make."""
    wanted = st.toggle(
        "Measure deletion and insertion areas for the table",
        key="areas",
        bind="query-params",
        help="About 100 predictions for each map.",
    )
    return ["faithfulness"] if wanted else []


def requests_of(
    rows: Sequence[ExplainedNetwork], checks: Sequence[str]
) -> list[ExplanationRequest]:
    """A request for each check of each map."""
    return [
        replace(request, check=check)
        for check in checks
        for row in rows
        for request in row.requests
    ]


def show_areas_progress(rows: Sequence[ExplainedNetwork], checks: Sequence[str]) -> None:
    """How many of the areas are there already: the table holds no others."""
    requests = requests_of(rows, checks)
    if requests:
        words = "maps are measured; the CSV has the areas of those"
        poll_sessions(requests, lambda _: show_done(requests, words), every=2 * EVERY)


def show_checks(rows: Sequence[ExplainedNetwork], checks: Sequence[str]) -> None:
    """Draw what was found, and again while something is being measured."""
    requests = [r for row in rows for r in row.requests] + requests_of(rows, checks)

    def draw(_: object) -> None:
        for row in rows:
            _network(row, checks, titled=len(rows) > 1)

    poll_sessions(requests, draw)


def _network(row: ExplainedNetwork, checks: Sequence[str], *, titled: bool) -> None:
    if not row.requests:
        return
    if titled:
        st.markdown(f"**{literal(row.network.title)}**")
    found: dict[str, dict[str, Explanation]] = {check: {} for check in checks}
    waiting = []
    for check in checks:
        for request in row.requests:
            title = get_method(request.method).title
            state = state_of(replace(request, check=check))
            if state.found is not None:
                found[check][title] = state.found
            elif state.error:
                st.error(f"{title}: {state.error}", icon=":material/error:")
            else:
                waiting.append((f"{CHECKS[check]} of {title}", state))
    if waiting:
        words, state = waiting[0]
        st.caption(f"{words}" + (f", {len(waiting) - 1} more" if len(waiting) > 1 else ""))
        show_progress(state)
    _table(row, found)
    key = str(row.network.ref).replace(".", "_")
    if found.get("faithfulness"):
        _curves(found["faithfulness"], key, _scored_by(row.requests[0]))
    if found.get("randomization"):
        _randomization(found["randomization"], key)
    _agreement(row)


def _table(row: ExplainedNetwork, found: Mapping[str, Mapping[str, Explanation]]) -> None:
    """A line for each map with the numbers of all checks."""
    lines = []
    for request in row.requests:
        title = get_method(request.method).title
        cards = {check: of.get(title) for check, of in found.items()}
        line: dict[str, object] = {"method": title}
        if (one := cards.get("faithfulness")) is not None:
            line |= {"deletion area": one.card["deletion"][0]}
            line |= {"insertion area": one.card["insertion"][0]}
        if (one := cards.get("randomization")) is not None:
            line |= {"correlation after randomization": one.card["upper"][0]}
            line |= {"depends on the weights": "yes" if one.card["depends"][0] else "no"}
        if (one := cards.get("sensitivity")) is not None:
            line |= {"sensitivity": one.card["sensitivity"][0]}
        lines.append(line)
    if any(len(line) > 1 for line in lines):
        columns = {name for line in lines for name in line} - {"method", "depends on the weights"}
        st.dataframe(
            lines,
            hide_index=True,
            height="content",
            alt="Checks of each map",
            column_config={name: st.column_config.NumberColumn(format="%.3f") for name in columns},
        )


def _scored_by(request: ExplanationRequest) -> str:
    """What is followed: the probability of one class, and of another target its value."""
    terms = request.target.terms
    return "probability" if [term.kind for _, term in terms] == ["class_logit"] else "score"


def _curves(found: Mapping[str, Explanation], key: str, y_title: str) -> None:
    y_range = (-0.03, 1.03) if y_title == "probability" else None  # no line lies on the frame
    left, right = st.columns(2)
    for column, name in ((left, "deletion"), (right, "insertion")):
        series = {
            title: (one.arrays["shares"].tolist(), one.arrays[name][0].tolist())
            for title, one in found.items()
        }
        areas = ", ".join(f"{title} {one.card[name][0]:.3f}" for title, one in found.items())
        with column:
            st.markdown(f"**{name.capitalize()}**")
            charts.chart(
                curves.lines(
                    series,
                    x_title="share of the pixels",
                    y_title=y_title,
                    height=280,
                    y_range=y_range,
                ),
                alt=f"{name.capitalize()}, area under the curve: {areas}",
                key=f"{name}_{key}",
            )


def _randomization(found: Mapping[str, Explanation], key: str) -> None:
    st.markdown("**Weight randomization**")
    series = {
        title: ([0, *one.card["randomized"]], [1.0, *one.card["correlations"][0]])
        for title, one in found.items()
    }
    last = ", ".join(f"{title} {y[-1]:.2f}" for title, (_, y) in series.items())
    charts.chart(
        curves.lines(
            series,
            x_title="share of the layers with shuffled weights, from the output",
            y_title="rank correlation with the map",
            markers=True,
            height=300,
        ),
        alt=f"Rank correlation with the map when all weights are shuffled: {last}",
        key=f"randomization_{key}",
    )


def _agreement(row: ExplainedNetwork) -> None:
    """The rank correlation of each two maps; it takes no time."""
    maps = {
        get_method(request.method).title: state.found.maps
        for request in row.requests
        if (state := state_of(request)).found is not None
    }
    if len(maps) < 2:
        return
    st.markdown("**Agreement of the maps**")
    compared = agreement(maps)
    st.dataframe(
        [
            {"method": name, **dict(zip(compared.names, values.tolist(), strict=True))}
            for name, values in zip(compared.names, compared.correlations, strict=True)
        ],
        hide_index=True,
        height="content",
        alt="Rank correlation of each two methods' maps",
        column_config={
            name: st.column_config.NumberColumn(format="%.2f") for name in compared.names
        },
    )
