"""Fine-tuning: a network that has learnt one thing learns another, from few pictures.

Recipes load neither Keras nor TensorFlow; `fine_tune` and its companions do, at their
first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from cnnkit.training.transfer.recipe import ALL, HEAD, Head, Phase, TransferRecipe

if TYPE_CHECKING:
    from cnnkit.training.transfer.features import FeatureStore
    from cnnkit.training.transfer.fitting import fine_tune, transfer_dataset
    from cnnkit.training.transfer.network import TransferNetwork, build_network

__all__ = [
    "ALL",
    "HEAD",
    "FeatureStore",
    "Head",
    "Phase",
    "TransferNetwork",
    "TransferRecipe",
    "build_network",
    "fine_tune",
    "transfer_dataset",
]

_HEAVY = {
    "FeatureStore": "features",
    "TransferNetwork": "network",
    "build_network": "network",
    "fine_tune": "fitting",
    "transfer_dataset": "fitting",
}


def __getattr__(name: str):
    """Import what needs TensorFlow when it is asked for."""
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HEAVY[name]}"), name)
