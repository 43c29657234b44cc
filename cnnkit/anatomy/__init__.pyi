# The public names of cnnkit.anatomy: read by type checkers as it stands, and by __init__.py,
# which imports each from its module when it is first touched.
from .blocks import Architecture, Block, Resolution, architecture, blocks_in_order
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
from .layout import Fork, GraphLayout, cut_points, graph_layout
from .table import CONVENTION, LayerRow, LayerTable, layer_table

__all__ = [
    "CONVENTION",
    "Architecture",
    "Block",
    "Fork",
    "GraphLayout",
    "LayerRow",
    "LayerTable",
    "Resolution",
    "Stage",
    "architecture",
    "blocks_in_order",
    "cut_points",
    "describe",
    "filters",
    "graph_layout",
    "image_layers",
    "kernel_layers",
    "layer_table",
    "pixel_layer",
    "stages",
    "templates",
    "vector_layers",
]
