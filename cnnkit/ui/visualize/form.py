"""From the sliders to a plan: a preset, and a slider for every number of it."""

from __future__ import annotations

import math

import streamlit as st

from cnnkit.ui.common import inputs
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan, presets, registry
from cnnkit.visualize.components import RENAMED, Number
from cnnkit.visualize.presets import completed
from cnnkit.visualize.registry import Definition, Slider

DEFAULT_PRESET = "all"
# Headings, in the order in which they are shown; the first three are open.
GROUPS = {
    registry.OPTIMIZER: "Optimizer",
    registry.OBJECTIVE: "Objective",
    registry.REGULARIZER: "Regularization",
    registry.TRANSFORM: "Random transforms",
    registry.IMAGE_REGULARIZER: "Image regularizers, after each step",
}
OPEN = (registry.OPTIMIZER, registry.OBJECTIVE, registry.REGULARIZER)


def recipe_picker(default: str = DEFAULT_PRESET) -> presets.Preset:
    """A preset of activation maximization, `?preset=` in the address.

    Args:
        default: name of the one that is chosen where the address says nothing.
    """
    name = inputs.choice(
        "Preset",
        presets.names(),
        parameter="preset",
        title=lambda name: presets.get(name).title,
        default=default,
    )
    return presets.get(name)


def plan_form(target: Target, preset: presets.Preset) -> tuple[Plan, dict[str, Number]]:
    """A plan for a target, with a slider for each of its registered numbers.

    Returns:
        The plan of the preset, and the numbers that differ from it, by name.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        steps = inputs.number("Steps", 1, 5000, parameter="steps", default=preset.steps, step=16)
        seed = inputs.number("Random seed", 0, 10**6, parameter="seed", default=0)
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
    """A slider for each number that is registered with one, under the heading of its role."""
    values = plan.numbers()
    groups: dict[str, list[tuple[str, Definition, str]]] = {role: [] for role in GROUPS}
    for name, (kind, number) in plan.kinds().items():
        definition = registry.definition(kind)
        if number in definition.sliders:
            groups[definition.role].append((name, definition, number))
    changed: dict[str, Number] = {}
    for role, rows in groups.items():
        if not rows:
            continue
        with st.expander(GROUPS[role], expanded=role in OPEN):
            for name, definition, number in rows:
                value = _slider(name, definition, number, values[name])
                if value != values[name]:
                    changed[name] = value
    return changed


def _slider(name: str, definition: Definition, number: str, value: Number) -> float:
    """One slider, under a short name in the address such as `jitter.pixels`."""
    slider: Slider = definition.sliders[number]
    # A regularizer is subtracted: its weight is shown without the minus sign.
    sign = -1 if definition.role == registry.REGULARIZER and number == "weight" else 1
    parameter = name if definition.role == registry.OPTIMIZER else name.partition(".")[2]
    _read_older_address(parameter)
    range_ = (
        {"widget": st.select_slider, "options": slider.options, "format_func": _number_text}
        if slider.options
        else {"widget": st.slider, "step": float(slider.step)}
    )
    shown = inputs.number(
        slider.title or definition.title,
        slider.low,
        slider.high,
        parameter=parameter,
        default=sign * float(value) + 0.0,  # pyright: ignore[reportArgumentType]
        **range_,
    )
    return sign * float(shown) + 0.0


def _read_older_address(parameter: str) -> None:
    """Older addresses say `blur.width` for `blur.sigma`, and `jitter2` for `jitter_2`."""
    component, _, number = parameter.partition(".")
    older_numbers = [number, *(old for old, new in RENAMED.items() if new == number)]
    for component_name in (component, component.replace("_2", "2")):
        for older in older_numbers:
            old = f"{component_name}.{older}"
            if old != parameter and old in st.query_params and parameter not in st.query_params:
                st.query_params[parameter] = st.query_params[old]
                del st.query_params[old]


def _number_text(number: float) -> str:
    return "∞" if math.isinf(number) else f"{number:g}"
