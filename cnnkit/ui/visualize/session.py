"""A visitor's session with the studio: started, steered, found again by its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from cnnkit.studio import Look
from cnnkit.ui.common import cache
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan
from cnnkit.visualize.components import Number
from cnnkit.visualize.results import OptimizationResult

_KEY = "sitting"


@dataclass
class Sitting:
    """What this visitor runs at the moment, and what it was told last."""

    session: str
    target: Target
    plan: Plan  # as its recipe had it when it began
    told: dict[str, Number] = field(default_factory=dict)  # numbers, by path

    @property
    def plan_now(self) -> Plan:
        """With the numbers as they were told last."""
        return self.plan.turned(self.told)

    def fits(self, target: Target, plan: Plan) -> bool:
        """Whether it can be steered to this, without beginning anew."""
        same = target.network.key == self.target.network.key
        return same and plan.shape() == self.plan.shape()


def current() -> Sitting | None:
    """The visitor's sitting, if the studio still has it."""
    sitting = st.session_state.get(_KEY)
    if sitting and cache.studio().look(sitting.session) is None:
        del st.session_state[_KEY]
        return None
    return sitting


def start(target: Target, plan: Plan, turned: Mapping[str, Number]) -> Sitting:
    """Begin anew; what ran before for this visitor is stopped."""
    before = current()
    if before:
        cache.studio().stop(before.session)
    whole = plan.turned(turned)
    names = ", ".join(target.names[:3]) + (" …" if len(target.names) > 3 else "")
    session = cache.studio().start(
        target.network.source,
        whole,
        title=f"{names} · {target.network.title}",
        address=st.query_params.to_dict(),
    )
    st.session_state[_KEY] = Sitting(session, target, plan, whole.numbers())
    return st.session_state[_KEY]


def steer(sitting: Sitting, target: Target, plan: Plan, turned: Mapping[str, Number]) -> bool:
    """Tell a running session what was turned since it was told last.

    Returns:
        Whether the session can follow; if not, it must be begun anew.
    """
    if not sitting.fits(target, plan):
        return False
    wanted = plan.turned(turned).numbers()
    changed = {path: v for path, v in wanted.items() if sitting.told[path] != v}
    if changed:
        cache.studio().steer(sitting.session, changed)
        sitting.told |= changed
        sitting.target = target
    if plan.steps != sitting.plan.steps:
        cache.studio().extend(sitting.session, plan.steps)
        sitting.plan = plan
    return True


def earlier(target: Target, plan: Plan, turned: Mapping[str, Number]) -> OptimizationResult | None:
    """The finished result of exactly this, if somebody made it before."""
    studio = cache.studio()
    return studio.results.get(studio.key(target.network.source, plan.turned(turned)))


def look(sitting: Sitting) -> Look:
    """How it stands."""
    found = cache.studio().look(sitting.session)
    return found or Look(status="interrupted", reason="The session is no longer kept.")


def images(sitting: Sitting, number: int | None = None) -> np.ndarray | None:
    """uint8 (images, height, width, channels), now or at a kept step."""
    return cache.studio().frame(sitting.session, number)
