"""From the sliders to a plan: a preset, and every number of it to be turned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from cnnkit.ui.common import inputs
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan, presets
from cnnkit.visualize.components import Number
from cnnkit.visualize.presets import completed

DEFAULT_PRESET = "all"


@dataclass(frozen=True)
class Dial:
    """How one number of a plan is turned."""

    label: str
    group: str  # heading above it
    low: float
    high: float
    options: tuple[float, ...] = ()  # none: an even slider
    sign: int = 1  # -1: a penalty, whose weight is shown without its minus
    step: float | None = None


def _grown(low: float, high: float) -> tuple[float, ...]:
    """0, and 1, 2, 5 of each power of ten."""
    powers = range(round(math.log10(low)), round(math.log10(high)) + 1)
    steps = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return (0.0, *(round(s, 12) for s in steps if low <= s <= high))


WEIGHTS = _grown(1e-4, 1e4)
NORMS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, math.inf)
GOAL, PENALTIES, MOVES, STEPS, PIXELS = (
    "Objective",
    "Regularizers",
    "Before the network sees it",
    "Steps",
    "Pixels",
)

# (kind, number) -> its dial. Kinds that several parts of a plan share get a number behind.
DIALS: Mapping[tuple[str, str], Dial] = {
    ("class_margin", "weight"): Dial("Lead over other classes", GOAL, 0, 1e2, _grown(1e-2, 1e2)),
    ("diversity", "weight"): Dial("Unlike each other", GOAL, 0, 1e4, WEIGHTS),
    ("total_variation", "weight"): Dial("Total variation", PENALTIES, 0, 1e4, WEIGHTS, -1),
    ("total_variation", "beta"): Dial("… its β", PENALTIES, 0.5, 3.0, step=0.1),
    ("anisotropic_variation", "weight"): Dial(
        "Anisotropic variation", PENALTIES, 0, 1e4, WEIGHTS, -1
    ),
    ("lp_norm", "weight"): Dial("Lp norm", PENALTIES, 0, 1e4, WEIGHTS, -1),
    ("lp_norm", "p"): Dial("… its p", PENALTIES, 1, math.inf, NORMS),
    ("l2", "weight"): Dial("L2 around gray", PENALTIES, 0, 1e4, WEIGHTS, -1),
    ("jitter", "pixels"): Dial("Jitter, pixels", MOVES, 0, 32, step=1),
    ("rotate", "degrees"): Dial("Rotate, degrees", MOVES, 0, 45, step=1),
    ("scale", "low"): Dial("Scale, from", MOVES, 0.5, 1, step=0.01),
    ("scale", "high"): Dial("Scale, to", MOVES, 1, 2, step=0.01),
    ("decay", "share"): Dial("Decay to gray", PIXELS, 0, 0.5, step=0.005),
    ("blur", "width"): Dial("Blur, pixels", PIXELS, 0, 4, step=0.1),
    ("blur", "every"): Dial("… every so many steps", PIXELS, 1, 32, step=1),
    ("clip_norm", "percentile"): Dial("Clip small pixels, %", PIXELS, 0, 99, step=1),
    ("clip_contribution", "percentile"): Dial("Clip idle pixels, %", PIXELS, 0, 99, step=1),
    ("optimizer", "learning_rate"): Dial("Learning rate", STEPS, 0, 1e4, _grown(1e-4, 1e3)[1:]),
}


def recipe_picker() -> presets.Preset:
    """A published or own way to climb, `?preset=` in the address."""
    name = inputs.choice(
        "Recipe",
        presets.names(),
        parameter="preset",
        title=lambda name: presets.get(name).title,
        default=DEFAULT_PRESET,
    )
    return presets.get(name)


def plan_form(target: Target, preset: presets.Preset) -> tuple[Plan, dict[str, Number]]:
    """A plan for a target, with a slider for each of its numbers.

    Returns:
        The plan as its preset has it, and the numbers that were turned away from it, by path.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        steps = inputs.number("Steps", 1, 5000, parameter="steps", default=preset.steps, step=16)
        seed = inputs.number("Noise", 0, 10**6, parameter="seed", default=0)
    height, width, _ = target.network.input_shape
    plan = preset.plan(
        target.objective,
        images=len(target.units),
        size=(height, width),
        steps=int(steps),
        seed=int(seed),
    )
    plan = completed(plan)
    _about(preset)
    return plan, _sliders(plan)


def _about(preset: presets.Preset) -> None:
    if preset.source == presets.OURS:
        return
    words = f"{preset.source}." + (f" {preset.differs}" if preset.differs else "")
    st.caption(f":material/menu_book: {words}")


def _sliders(plan: Plan) -> dict[str, Number]:
    groups: dict[str, list[tuple[str, Dial, Number]]] = {}
    names = _named(plan)
    for path, value in plan.numbers().items():
        dial = DIALS.get(names[path][0])
        if dial:
            groups.setdefault(dial.group, []).append((path, dial, value))
    turned: dict[str, Number] = {}
    order = [group for group in (STEPS, GOAL, PENALTIES, MOVES, PIXELS) if group in groups]
    for group in order:
        with st.expander(group, expanded=group in (STEPS, GOAL, PENALTIES)):
            for path, dial, value in groups[group]:
                now = _slider(dial, value, names[path][1])
                if now != value:
                    turned[path] = now
    return turned


def _slider(dial: Dial, value: Number, parameter: str) -> float:
    shown = dial.sign * float(value) + 0.0  # pyright: ignore[reportArgumentType]
    if dial.options:
        now = inputs.number(
            dial.label,
            dial.low,
            dial.high,
            parameter=parameter,
            default=shown,
            widget=st.select_slider,
            options=dial.options,
            format_func=lambda number: "∞" if math.isinf(number) else f"{number:g}",
        )
    else:
        now = inputs.number(
            dial.label,
            dial.low,
            dial.high,
            parameter=parameter,
            default=shown,
            widget=st.slider,
            step=float(dial.step or 1),
        )
    return dial.sign * float(now) + 0.0


def _named(plan: Plan) -> dict[str, tuple[tuple[str, str], str]]:
    """Path → (kind, number), and a name for the address: "jitter.pixels", "jitter2.pixels"."""
    parts = {f"terms/{n}": term.kind for n, (_, term) in enumerate(plan.objective.terms)}
    parts |= {f"transforms/{n}": part.kind for n, part in enumerate(plan.transforms)}
    parts |= {f"operators/{n}": part.kind for n, part in enumerate(plan.operators)}
    parts["optimizer"] = "optimizer"
    seen: dict[str, int] = {}
    called = {}
    for place, kind in parts.items():
        seen[kind] = seen.get(kind, 0) + 1
        called[place] = kind if seen[kind] == 1 else f"{kind}{seen[kind]}"
    found = {}
    for path in plan.numbers():
        place, _, number = path.rpartition("/")
        found[path] = ((parts[place], number), f"{called[place]}.{number}")
    return found
