"""The experiments of the Architectures page."""

from cnnkit.ui.architectures.concepts.inception import show_bottleneck, show_projection
from cnnkit.ui.architectures.concepts.pairs import (
    show_auxiliary_classifiers,
    show_depth_comparison,
)
from cnnkit.ui.architectures.concepts.residual import show_residual_block

# Name in the address → (title, function that shows it).
CONCEPTS = {
    "bottleneck": ("1×1 bottleneck", show_bottleneck),
    "projection": ("1×1 projection after pooling", show_projection),
    "residual": ("Residual block", show_residual_block),
    "depth": ("Residual and plain network", show_depth_comparison),
    "auxiliary": ("Auxiliary classifiers", show_auxiliary_classifiers),
}

__all__ = ["CONCEPTS"]
