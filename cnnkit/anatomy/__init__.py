"""What a network is made of: its stages, its filters, and what they answer to a picture."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnkit.anatomy.layers import (
        Stage,
        describe,
        filters,
        kernel_layers,
        picture_layers,
        pixel_layer,
        stages,
        templates,
        vector_layers,
    )
    from cnnkit.anatomy.probe import Probe
    from cnnkit.anatomy.table import Anatomy, LayerRow, dissect

__all__ = [
    "Anatomy",
    "LayerRow",
    "Probe",
    "Stage",
    "describe",
    "dissect",
    "filters",
    "kernel_layers",
    "picture_layers",
    "pixel_layer",
    "stages",
    "templates",
    "vector_layers",
]

_HEAVY = dict.fromkeys(__all__, "layers")
_HEAVY |= {"Probe": "probe", "Anatomy": "table", "LayerRow": "table", "dissect": "table"}


def __getattr__(name: str):
    """Import what needs Keras when it is asked for."""
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HEAVY[name]}"), name)
