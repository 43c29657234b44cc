# The public names of cnnkit.explain: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from .cam import cam_layers, grad_cam, grad_cam_plus_plus, layer_cam, score_cam
from .gradients import (
    completeness_gap,
    gradient,
    gradient_x_input,
    guided_backpropagation,
    integrated_gradients,
    smoothgrad,
    vargrad,
)
from .occluding import occlusion, rise
from .registry import Method, get_method, list_methods
from .scores import ScoreModel
from .targets import AttributionTarget, contrast

__all__ = [
    "AttributionTarget",
    "Method",
    "ScoreModel",
    "cam_layers",
    "completeness_gap",
    "contrast",
    "get_method",
    "grad_cam",
    "grad_cam_plus_plus",
    "gradient",
    "gradient_x_input",
    "guided_backpropagation",
    "integrated_gradients",
    "layer_cam",
    "list_methods",
    "occlusion",
    "rise",
    "score_cam",
    "smoothgrad",
    "vargrad",
]
