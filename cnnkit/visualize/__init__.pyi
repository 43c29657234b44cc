# The public names of cnnkit.visualize: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from . import image_regularizers, optimizers, parametrizations, presets, transforms
from .fooling import Reclassification, fooling_check
from .network import TargetLayer, target_layers
from .optimize import Maximization, OptimizationStep, maximize
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
    "TargetLayer",
    "Maximization",
    "Objective",
    "Plan",
    "OptimizationStep",
    "Term",
    "Reclassification",
    "anisotropic_variation",
    "channel",
    "target_layers",
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
