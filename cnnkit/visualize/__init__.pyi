# The public names of cnnkit.visualize: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from . import image_regularizers, optimizers, parametrizations, presets, transforms
from .fooling import Verdict, fooling_check
from .network import Choice, choices
from .optimize import Maximization, Step, maximize
from .plan import Plan, noise
from .terms import (
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
    "image_regularizers",
    "l2",
    "layer_energy",
    "lp_norm",
    "maximize",
    "neuron",
    "noise",
    "optimizers",
    "parametrizations",
    "presets",
    "total_variation",
    "transforms",
]
