"""What does a unit want to see? Activation maximisation that can be steered while it runs.

    from cnnkit.visualize import channel, maximize, presets

    plan = presets.get("post_total_variation").plan(channel("block3_conv1", 30))
    for step in maximize(model, plan):
        print(step.number, step.values)

Four parts can be combined freely: an objective (`terms`), how the image is stored
(`parametrizations`), what it is put through (`transforms`) and how it moves (`updates`,
`operators`). Together they are a `Plan`, which is data; only carrying one out needs
TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from cnnkit.visualize import image_regularizers, optimizers, parametrizations, presets, transforms
from cnnkit.visualize.plan import Plan, noise
from cnnkit.visualize.terms import (
    Objective,
    Term,
    anisotropic_variation,
    channel,
    class_logit,
    class_margin,
    class_probability,
    direction,
    diversity,
    guide,
    l2,
    layer_energy,
    lp_norm,
    neuron,
    total_variation,
)

if TYPE_CHECKING:
    from cnnkit.visualize.fooling import Verdict, fooling_check
    from cnnkit.visualize.network import Choice, choices
    from cnnkit.visualize.optimize import Maximization, Step, maximize

__all__ = [
    "Choice",
    "Maximization",
    "Objective",
    "Plan",
    "Step",
    "Term",
    "Verdict",
    "anisotropic_variation",
    "channel",
    "choices",
    "class_logit",
    "class_margin",
    "class_probability",
    "direction",
    "diversity",
    "fooling_check",
    "guide",
    "l2",
    "layer_energy",
    "lp_norm",
    "maximize",
    "neuron",
    "noise",
    "image_regularizers",
    "parametrizations",
    "presets",
    "total_variation",
    "transforms",
    "optimizers",
]

_LATER = {
    "Choice": "network",
    "Maximization": "maximizing",
    "Step": "maximizing",
    "Verdict": "fooling",
    "choices": "network",
    "fooling_check": "fooling",
    "maximize": "maximizing",
}


def __getattr__(name: str):
    """Import what needs TensorFlow when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
