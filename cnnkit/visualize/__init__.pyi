# The public names of cnnkit.visualize: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from . import optimizers, parametrizations, presets, regularizers, transforms
from .components import Objective, Term
from .fooling import Reclassification, fooling_check
from .network import TargetLayer, target_layers
from .objectives import (
    channel,
    class_logit,
    class_margin,
    class_probability,
    direction,
    diversity,
    guide,
    layer_energy,
    neuron,
)
from .optimize import Maximization, OptimizationStep, maximize
from .plan import Plan, noise
from .regularizers import anisotropic_variation, l2, lp_norm, total_variation

__all__ = [
    "Maximization",
    "Objective",
    "OptimizationStep",
    "Plan",
    "Reclassification",
    "TargetLayer",
    "Term",
    "anisotropic_variation",
    "channel",
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
    "optimizers",
    "parametrizations",
    "presets",
    "regularizers",
    "target_layers",
    "total_variation",
    "transforms",
]
