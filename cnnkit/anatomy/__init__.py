"""What a network is made of: its stages, its filters, and what they answer to an image."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnkit.anatomy.blocks import Band, Block, Drawing, blocks_in_order, drawing
    from cnnkit.anatomy.layers import (
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
    from cnnkit.anatomy.layout import Fork, Outline, outline
    from cnnkit.anatomy.probe import Probe
    from cnnkit.anatomy.rows import Anatomy, LayerRow
    from cnnkit.anatomy.table import dissect

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
    "kernel_layers",
    "outline",
    "image_layers",
    "pixel_layer",
    "stages",
    "templates",
    "vector_layers",
]

_MODULES = dict.fromkeys(__all__, "layers")
_MODULES |= dict.fromkeys(("Anatomy", "LayerRow"), "rows") | dict.fromkeys(
    ("Fork", "Outline", "outline"), "layout"
)
_MODULES |= dict.fromkeys(("Band", "Block", "Drawing", "blocks_in_order", "drawing"), "blocks")
_MODULES |= {"Probe": "probe", "dissect": "table"}


def __getattr__(name: str):
    """Import what needs Keras when it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
