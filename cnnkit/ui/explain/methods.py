"""Which methods, and the options of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnnkit.explain import Method, get_method, list_methods
from cnnkit.explain.registry import CAM, FAMILIES
from cnnkit.ui.common import inputs
from cnnkit.ui.explain.networks import AskedNetwork, default_cam_layer, layers_of
from cnnkit.ui.explain.targets import ChosenTarget, UnitTarget
from cnnkit.visualize.registry import Slider

DEFAULT = ("grad_cam", "integrated_gradients")  # of two families, and done within seconds
AUTOMATIC = "auto"  # in the address: what the method takes by itself
LAYER = "layer"


def methods_picker() -> list[Method]:
    """Several methods, `?methods=grad_cam,occlusion` in the address."""
    named = {name: get_method(name) for name in list_methods()}
    chosen = inputs.several(
        "Methods",
        list(named),
        parameter="methods",
        title=lambda name: named[name].title,
        default=DEFAULT,
        missing=lambda name: "which does not exist.",
        placeholder="Choose methods",
    )
    return [named[name] for name in chosen]


def options_form(
    methods: Sequence[Method], first: AskedNetwork, target: ChosenTarget
) -> dict[str, dict[str, Any]]:
    """The options of each method that differ from its defaults, by its name.

    Args:
        methods: that were chosen.
        first: its layers are offered for class activation maps.
        target: only layers that it depends on are offered.
    """
    options: dict[str, dict[str, Any]] = {method.name: {} for method in methods}
    with st.expander("Options of the methods", icon=":material/tune:"):
        for method in methods:
            words = f"**{method.title}** :gray[{FAMILIES[method.family]} · {method.reference}]"
            st.markdown(f"{words}  \n{method.summary}")
            with st.container(horizontal=True, vertical_alignment="bottom"):
                for name, values in method.ranges.items():
                    value = _option(method, name, values)
                    if value != method.options[name]:
                        options[method.name][name] = value
        if any(method.family == CAM for method in methods):
            layer = _layer_picker(first, target)
            for method in methods:
                if method.family == CAM and layer:
                    options[method.name][LAYER] = layer
    return options


def _option(method: Method, name: str, values: Slider | Sequence[Any]) -> Any:
    """One option of a method, under a name in the address such as `smoothgrad.samples`."""
    parameter, default = f"{method.name}.{name}", method.options[name]
    label = name.capitalize()
    if not isinstance(values, Slider):
        return inputs.choice(label, list(values), parameter=parameter, default=default, width=220)
    label = values.title or label
    if default is not None:
        step = type(default)(values.step)
        return inputs.number(
            label,
            values.low,
            values.high,
            parameter=parameter,
            default=default,
            widget=st.slider,
            step=step,
            width=260,
        )
    numbers = np.arange(values.low, values.high + 1, values.step).astype(int)
    chosen = inputs.choice(
        label,
        [AUTOMATIC, *map(str, numbers)],
        parameter=parameter,
        widget=st.select_slider,
        title=lambda text: "automatic" if text == AUTOMATIC else text,
        width=260,
    )
    return None if chosen == AUTOMATIC else int(chosen)


def _layer_picker(first: AskedNetwork, target: ChosenTarget) -> str | None:
    """A layer for class activation maps; None: the default of the method."""
    layers = layers_of(first)
    usual = None
    if isinstance(target, UnitTarget):
        before = [layer.name for layer in layers].index(target.layer)
        layers = layers[: before + 1]
    shapes: Mapping[str, tuple[int, ...]] = {
        layer.name: layer.shape
        for layer in layers
        if len(layer.shape) == 3 and layer.shape[0] * layer.shape[1] > 1
    }
    if not shapes:
        st.caption("The target depends on no layer with feature maps.")
        return None
    if not isinstance(target, UnitTarget):
        usual = default_cam_layer(first)
    chosen = inputs.choice(
        "Layer of class activation maps",
        list(shapes)[::-1],
        parameter="cam_layer",
        title=lambda name: f"{name} · {'×'.join(map(str, shapes[name]))}",
        default=usual,
        width=320,
        missing=lambda name: "which has no feature maps, or is not before the target.",
        help="Deep layers know what, early layers where: the last one is usual.",
    )
    return None if chosen == usual else chosen
