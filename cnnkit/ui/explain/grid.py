"""The maps side by side, on one color scale, renewed while they are being made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from cnnkit.errors import CnnkitError
from cnnkit.explain import Method, get_method
from cnnkit.explain.request import ExplanationRequest
from cnnkit.figures import attribution, rasters
from cnnkit.jobs.session_kinds import Explanation
from cnnkit.jobs.sessions import SessionState
from cnnkit.runs import Status
from cnnkit.ui.common import charts, polling
from cnnkit.ui.common.messages import literal
from cnnkit.ui.explain.explanations import RequestState, key_of, sessions_of, state_of
from cnnkit.ui.explain.networks import AskedNetwork

EVERY = 1.5  # seconds: ten visitors who wait must leave the server time for others
TILE, SMALL = 224, 120  # pixels, of a map and of one on the contact sheet
MANY = 0.01  # a completeness gap that is worth a word


@dataclass(frozen=True, eq=False)
class ExplainedNetwork:
    """One network of the grid.

    Args:
        network: with its image.
        target: what is explained, in words.
        requests: one for each method; empty where the target is none of this network's.
        error: why it is none.
    """

    network: AskedNetwork
    target: str
    requests: tuple[ExplanationRequest, ...]
    error: str = ""


def strength_slider() -> float:
    """How strong the maps lie over the image, 0 to 1; nothing is computed again."""
    percent = st.slider(
        "Overlay strength",
        0,
        100,
        70,
        step=5,
        format="%d %%",
        key="overlay",
        bind="query-params",
        width=260,
        help="0 %: the image alone. 100 %: the map alone.",
    )
    return percent / 100


def show_grid(rows: Sequence[ExplainedNetwork], strength: float) -> None:
    """Draw all rows, and again while any of their maps is being made."""
    requests = [request for row in rows for request in row.requests]

    def draw(_: object) -> None:
        for row in rows:
            _row(row, strength)

    poll_sessions(requests, draw)
    _legend([get_method(request.method) for request in requests])


def show_contact_sheet(rows: Sequence[ExplainedNetwork], strength: float) -> None:
    """Many images, each beside its maps, and how many of them are there."""
    requests = [request for row in rows for request in row.requests]

    def draw(_: object) -> None:
        show_done(requests, "maps")
        width = SMALL * (1 + max(len(row.requests) for row in rows)) + 48
        with st.grid("auto", min_column_width=min(width, 380)):
            for number, row in enumerate(rows):
                with st.container(border=True, gap="xsmall", key=f"explained_{number}"):
                    _card(row, strength)

    poll_sessions(requests, draw, every=2 * EVERY)
    _legend([get_method(request.method) for request in requests])


def show_done(requests: Sequence[ExplanationRequest], words: str) -> None:
    """How many of the requests are done or have failed, as long as there are others."""
    states = map(state_of, requests)
    done = sum(state.found is not None or bool(state.error) for state in states)
    if done < len(requests):
        st.progress(done / len(requests), f"{done} of {len(requests)} {words}")


def poll_sessions(
    requests: Sequence[ExplanationRequest], draw: Callable[[object], None], *, every: float = EVERY
) -> None:
    """Draw, and again while one of the requests is being worked on; less often in the queue."""

    def live(states: Mapping[str, SessionState]) -> frozenset[tuple[str, Status]]:
        return frozenset((name, one.status) for name, one in states.items() if not one.over)

    running = any(status is Status.RUNNING for _, status in live(sessions_of(requests)))
    polling.poll(
        lambda: sessions_of(requests), draw, moves=live, every=every if running else 2 * every
    )


def _card(row: ExplainedNetwork, strength: float) -> None:
    network = row.network
    st.caption(
        f"**{literal(network.words)}** · {literal(network.title)}: {literal(row.target)} "
        f"({network.top[0].name} {network.top[0].probability:.0%})"
        if row.target != network.top[0].name
        else f"**{literal(network.words)}** · {literal(network.title)}: "
        f"{literal(row.target)} {network.top[0].probability:.0%}"
    )
    if row.error:
        st.caption(f":material/error: {row.error}")
    with st.container(horizontal=True, gap="xsmall"):
        png, alt = _input_png(network.digest, network.image), f"The exact input: {network.words}"
        st.image(png, output_format="PNG", alt=alt, width=SMALL)
        for request in row.requests:
            state, method = state_of(request), get_method(request.method)
            if state.found is not None:
                map_ = state.found.maps[0]
                png = _png(key_of(request), strength, network.image, map_, method)
                alt = f"{method.title} of {row.target}, in {network.words}"
                st.image(png, output_format="PNG", alt=alt, width=SMALL, caption=method.title)
            elif state.error:
                st.caption(f":material/error: {method.title}: {literal(state.error)}")


def _row(row: ExplainedNetwork, strength: float) -> None:
    network = row.network
    with st.container(key=f"explained_{str(network.ref).replace('.', '_')}", gap="small"):
        best = network.top[0]
        st.markdown(
            f"**{literal(network.title)}** predicts **{literal(best.name)}** "
            f"({best.probability:.1%}).{_truth(network)} "
            f"Explained: **{literal(row.target or 'nothing')}**."
        )
        if row.error:
            st.error(row.error, icon=":material/error:")
            return
        with st.grid("auto", min_column_width=TILE, gap="medium"):
            with st.container(gap="xxsmall"):
                st.markdown("**Input**")
                _input(network)
            for request in row.requests:
                with st.container(gap="xxsmall"):
                    _tile(row, request, strength)


def _truth(network: AskedNetwork) -> str:
    """The true class, where it is known and another one was predicted."""
    if network.label in (None, network.top[0].index):
        return ""
    return f" The true class is **{literal(network.class_names[network.label])}**."


def _input(network: AskedNetwork) -> None:
    """The image as the network receives it, and its most probable classes."""
    height, width, channels = network.card.input_shape
    color = "RGB" if channels == 3 else "gray"
    alt, caption = f"The exact input of {network.title}", f"{width}×{height} {color}"
    png = _input_png(network.digest, network.image)
    st.image(png, output_format="PNG", alt=alt, width=TILE, caption=caption)
    st.caption("  \n".join(f"{one.probability:.1%} {literal(one.name)}" for one in network.top))


def _tile(row: ExplainedNetwork, request: ExplanationRequest, strength: float) -> None:
    method = get_method(request.method)
    st.markdown(f"**{method.title}**", help=f"{method.summary} {method.reference}.")
    try:
        state = state_of(request)
    except CnnkitError as error:
        state = RequestState(error=str(error))
    if state.found is not None:
        png = _png(key_of(request), strength, row.network.image, state.found.maps[0], method)
        alt = f"{method.title} of {row.target}, by {row.network.title}"
        st.image(png, output_format="PNG", alt=alt, width=TILE, caption=_facts(method, state.found))
        _warn(request)
    elif state.error:
        st.error(state.error)
    else:
        show_progress(state)


def _warn(request: ExplanationRequest) -> None:
    """Say so under a map that does not depend on the weights, once that was measured."""
    check = state_of(replace(request, check="randomization")).found
    if check is not None and not check.card["depends"][0]:
        st.caption(
            ":material/warning: This map does not depend on the weights: with half of the layers "
            f"shuffled it stays the same (rank correlation {check.card['upper'][0]:.2f}). It shows "
            "the image, and not what the network makes of it."
        )


def _facts(method: Method, found: Explanation) -> str:
    words = f"{found.card['seconds']:.1f} s"
    gaps = found.card.get("gaps")
    if gaps:
        note = ", more steps make it smaller" if gaps[0] > MANY else ""
        words += f" · completeness gap {gaps[0]:.2%}{note}"
    return words


def show_progress(state: RequestState) -> None:
    """Where a request stands in the queue, or how many of its batches are done."""
    entry = state.entry or {}
    if state.status is Status.QUEUED:
        place = f"{state.ahead} ahead of you" if state.ahead else "next"
        st.caption(f":material/hourglass_empty: Queued ({place})")
    elif entry.get("status") == "running" and entry["batches"]:
        left = entry["left"]
        words = f"Batch {entry['batch']} of {entry['batches']}"
        words += "" if left is None else f", about {polling.duration(left)} left"
        st.progress(entry["batch"] / entry["batches"], words)
    elif entry.get("status") == "running":
        st.caption(":material/progress_activity: The first batch takes longest …")
    else:
        st.caption(":material/hourglass_empty: Waits for its turn")


def _legend(methods: Sequence[Method]) -> None:
    """What the colors mean, once for all maps."""
    kinds = {method.signed for method in methods}
    with st.container(horizontal=True, gap="large", vertical_alignment="center"):
        for signed in sorted(kinds):
            with st.container(gap="xxsmall", width=attribution.BAR[0] + 80):
                charts.image(
                    attribution.color_bar(signed=signed),
                    width=attribution.BAR[0],
                    alt="Color scale from against to for the target"
                    if signed
                    else "Color scale from no attribution to full attribution",
                    caption="against ← 0 → for the target" if signed else "0 → full attribution",
                )
    if kinds:
        st.caption(
            "Each map is scaled by itself: the 99th percentile of its values has the full color. "
            "So the maps say where, and cannot be compared in how much."
        )


@st.cache_data(max_entries=256, show_spinner=False)
def _input_png(digest: str, _image: np.ndarray) -> bytes:
    return rasters.png(_image[..., 0] if _image.shape[-1] == 1 else _image)


@st.cache_data(max_entries=512, show_spinner=False)
def _png(key: str, strength: float, _image: np.ndarray, _map: np.ndarray, _method: Method) -> bytes:
    over = attribution.overlay(_image, _map, signed=_method.signed, strength=strength)
    return rasters.png(over)


def images_of(rows: Sequence[ExplainedNetwork]) -> Mapping[str, np.ndarray]:
    """The inputs of all networks, by their digests: (1, height, width, channels)."""
    return {row.network.digest: row.network.image[np.newaxis] for row in rows}


def rows_of(networks, target, methods, options) -> list[ExplainedNetwork]:
    """A row for each network, with a request for each method.

    Args:
        networks: that are asked.
        target: a `ChosenTarget`.
        methods: in the order of the columns.
        options: by the method's name.
    """
    rows = []
    for network in networks:
        try:
            words, objective = target.words(network), target.objective(network)
        except CnnkitError as error:
            rows.append(ExplainedNetwork(network, "", (), str(error)))
            continue
        requests = tuple(
            ExplanationRequest(
                str(network.ref), network.digest, objective, method.name, options[method.name]
            )
            for method in methods
        )
        rows.append(ExplainedNetwork(network, words, requests))
    return rows
