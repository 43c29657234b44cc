# The public names of cnnkit.explain: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from .cam import cam_layers, grad_cam, grad_cam_plus_plus, layer_cam, score_cam
from .faithfulness import Curve, deletion, insertion, random_maps
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
from .randomization import (
    Randomization,
    depends_on_weights,
    upper_correlation,
    weight_randomization,
)
from .rank_agreement import Agreement, agreement, rank_correlation, top_overlap
from .registry import Method, get_method, list_methods
from .scores import ScoreModel
from .sensitivity import max_sensitivity
from .targets import AttributionTarget, contrast

__all__ = [
    "Agreement",
    "AttributionTarget",
    "Curve",
    "Method",
    "Randomization",
    "ScoreModel",
    "agreement",
    "cam_layers",
    "completeness_gap",
    "contrast",
    "deletion",
    "depends_on_weights",
    "get_method",
    "grad_cam",
    "grad_cam_plus_plus",
    "gradient",
    "gradient_x_input",
    "guided_backpropagation",
    "insertion",
    "integrated_gradients",
    "layer_cam",
    "list_methods",
    "max_sensitivity",
    "occlusion",
    "random_maps",
    "rank_correlation",
    "rise",
    "score_cam",
    "smoothgrad",
    "top_overlap",
    "upper_correlation",
    "vargrad",
    "weight_randomization",
]
