"""The visitor's explanations: asked for once, found among the results, or still being made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from cnnkit.explain.request import ExplanationRequest
from cnnkit.jobs.session_kinds import Explanation
from cnnkit.jobs.sessions import SessionState
from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.ui.common import cache

_ASKED = "explanations_asked"  # key of a request → its session, and its place in it
GONE = "This session has expired."


@dataclass(frozen=True, eq=False)
class RequestState:
    """How a request stands.

    Args:
        found: what came of it; None: nothing yet.
        status: of the session; None: nobody has asked.
        entry: how it stands in its session, see `ExplainTask.details`.
        ahead: sessions before its own.
        error: why nothing came of it.
    """

    found: Explanation | None = None
    status: Status | None = None
    entry: Mapping[str, Any] | None = None
    ahead: int = 0
    error: str = ""


def ask(requests: Sequence[ExplanationRequest], images: Mapping[str, np.ndarray]) -> None:
    """Ask for what is neither there nor asked for, and stop what is not wanted any more.

    Args:
        requests: all that the page shows.
        images: by their digest: (images, height, width, channels).

    Raises:
        CnnkitError: a network is not there, or its weights.
    """
    worker, asked = cache.visualization_worker(), _asked()
    wanted = {key_of(request): request for request in requests}
    live = {asked[key][0] for key in wanted if key in asked}
    for session in {session for session, _ in asked.values()} - live:
        worker.command(session, "stop")
        _forget(session)
    for session in live:
        if worker.state(session) is None:
            _forget(session)
    missing = [k for k in wanted if k not in asked and not worker.results.has(k)]
    if missing:
        new = [wanted[key] for key in missing]
        session = worker.explain(new, {one.images: images[one.images] for one in new})
        asked |= {key: (session, place) for place, key in enumerate(missing)}


def state_of(request: ExplanationRequest) -> RequestState:
    """How a request stands now."""
    worker = cache.visualization_worker()
    found = worker.explanation(request)
    if found:
        return RequestState(found)
    session, place = _asked().get(key_of(request), ("", 0))
    state = worker.state(session)
    if state is None:
        return RequestState(error=GONE)
    entries = state.details.get("entries")
    entry = entries[place] if entries else None
    error = entry["error"] if entry else ""
    if state.over and not error:
        error = state.reason or ("Stopped." if state.status is Status.CANCELLED else GONE)
    return RequestState(None, state.status, entry, state.ahead, error)


def sessions_of(requests: Iterable[ExplanationRequest]) -> dict[str, SessionState]:
    """The sessions in which requests are being worked on, or were."""
    worker, asked = cache.visualization_worker(), _asked()
    names = {asked[key][0] for key in map(key_of, requests) if key in asked}
    states = {name: worker.state(name) for name in sorted(names)}
    return {name: state for name, state in states.items() if state}


def controls(requests: Sequence[ExplanationRequest]) -> None:
    """Stop what runs, and resume what was stopped or has failed."""
    worker = cache.visualization_worker()
    states = sessions_of(requests)
    live = [name for name, state in states.items() if not state.over]
    ended = [name for name, state in states.items() if state.over and state.status.resumable]
    if live and st.button("Stop", icon=":material/stop:", key="explain_stop"):
        for name in live:
            worker.command(name, "stop")
        st.rerun()
    if ended and not live and st.button("Resume", icon=":material/resume:", key="explain_resume"):
        for name in ended:
            stopped = states[name].status is Status.CANCELLED
            worker.command(name, "resume" if stopped else "restart")
        st.rerun()


def key_of(request: ExplanationRequest) -> str:
    """Of its result."""
    return request.key(NetworkRef.parse(request.network).digest())


def _asked() -> dict[str, tuple[str, int]]:
    return st.session_state.setdefault(_ASKED, {})


def _forget(session: str) -> None:
    asked = _asked()
    for key in [key for key, (name, _) in asked.items() if name == session]:
        del asked[key]
