"""The visitor's session on Visualize. The page holds its id; its state is the session's own."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from cnnkit.jobs.sessions import SessionState
from cnnkit.ui.common import cache
from cnnkit.ui.visualize.targets import Network, Target, target_from
from cnnkit.visualize import Plan
from cnnkit.visualize.components import Number
from cnnkit.visualize.results import OptimizationResult

_KEY = "session"


class OwnSession(NamedTuple):
    """The visitor's session, as it was when the page began to be drawn."""

    id: str
    state: SessionState
    target: Target

    @property
    def plan(self) -> Plan:
        """As it is optimized now."""
        return Plan.from_dict(self.state.details["plan"])

    def fits(self, target: Target, plan: Plan) -> bool:
        """Whether it can follow the form without beginning another."""
        same = target.network.key == self.target.network.key
        return same and plan.shape() == self.plan.shape()


def current(networks: Sequence[Network]) -> OwnSession | None:
    """The visitor's session, if it is still kept, and its network too."""
    session = st.session_state.get(_KEY, "")
    state = cache.visualization_worker().state(session)
    target = target_from(state.details.get("target", {}), networks) if state else None
    if state is None or target is None:
        st.session_state.pop(_KEY, None)
        return None
    return OwnSession(session, state, target)


def start(own: OwnSession | None, target: Target, plan: Plan, turned: Mapping[str, Number]) -> None:
    """Begin what the form says: the same session anew if it fits, else another.

    Args:
        own: the visitor's session so far.
        target: of the form.
        plan: of the form, as its preset has it.
        turned: the numbers that differ from it, by their keys.
    """
    worker = cache.visualization_worker()
    if own and own.fits(target, plan):
        follow_form(own, target, plan, turned)
        worker.command(own.id, "restart", seed=plan.seed)
        return
    if own:
        worker.command(own.id, "stop")
    names = ", ".join(target.names[:3]) + (" …" if len(target.names) > 3 else "")
    st.session_state[_KEY] = worker.optimize(
        target.network.ref,
        plan.turned(turned),
        title=f"{names} · {target.network.title}",
        address=st.query_params.to_dict(),
        target=target.to_dict(),
    )


def follow_form(
    own: OwnSession, target: Target, plan: Plan, turned: Mapping[str, Number]
) -> Target:
    """Steer the session to what the form says, if it fits.

    Args:
        own: the visitor's session.
        target: of the form.
        plan: of the form, as its preset has it.
        turned: the numbers that differ from it, by their keys.

    Returns:
        What the session maximizes from now on.
    """
    if not own.fits(target, plan):
        st.info(
            "These settings take effect after a restart. The image below is that of the earlier "
            "ones."
        )
        return own.target
    worker, now = cache.visualization_worker(), own.plan
    before, after = now.numbers(), plan.turned(turned).numbers()
    changed = {key: value for key, value in after.items() if before[key] != value}
    if changed:
        worker.command(own.id, "steer", numbers=changed, target=target.to_dict())
    if plan.steps != now.steps:
        worker.command(own.id, "set_steps", steps=plan.steps)
    if plan.seed != now.seed and own.state.wish != "restart":
        worker.command(own.id, "restart", seed=plan.seed)
    return target


def draw_seed() -> None:
    """Put another random seed into the form."""
    st.query_params["seed"] = str(random.randrange(10**6))


def earlier_result(
    target: Target, plan: Plan, turned: Mapping[str, Number]
) -> OptimizationResult | None:
    """The finished result of exactly this, if somebody made it before."""
    worker = cache.visualization_worker()
    return worker.results.get(worker.key(target.network.ref, plan.turned(turned)))
