# The public names of cnnkit.anatomy: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from .blocks import Band, Block, Drawing, blocks_in_order, drawing
from .layers import (
    Stage,
    describe,
    filters,
    image_layers,
    kernel_layers,
    pixel_layer,
    stages,
    templates,
    vector_layers,
)
from .layout import Fork, Outline, outline
from .probe import Probe
from .rows import Anatomy, LayerRow
from .table import dissect

__all__ = [
    "Anatomy",
    "Band",
    "Block",
    "Drawing",
    "Fork",
    "LayerRow",
    "Outline",
    "Probe",
    "Stage",
    "blocks_in_order",
    "describe",
    "dissect",
    "drawing",
    "filters",
    "image_layers",
    "kernel_layers",
    "outline",
    "pixel_layer",
    "stages",
    "templates",
    "vector_layers",
]
