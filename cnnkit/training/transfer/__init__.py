"""Fine-tuning: a network that has learnt one thing learns another, from few images.

Recipes load neither Keras nor TensorFlow; `fine_tune` and its companions do, at their
first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from cnnkit.training.transfer.recipe import ALL, HEAD, Head, Phase, TransferRecipe
from cnnkit.training.transfer.recipes import get_transfer, list_transfers

if TYPE_CHECKING:
    from cnnkit.training.transfer.depths import Depth, blocks
    from cnnkit.training.transfer.features import FeatureStore
    from cnnkit.training.transfer.fitting import fine_tune, transfer_dataset
    from cnnkit.training.transfer.network import TransferNetwork, build_network

__all__ = [
    "ALL",
    "HEAD",
    "Depth",
    "FeatureStore",
    "Head",
    "Phase",
    "TransferNetwork",
    "TransferRecipe",
    "blocks",
    "build_network",
    "fine_tune",
    "get_transfer",
    "list_transfers",
    "transfer_dataset",
]

_HEAVY = {
    "Depth": "depths",
    "blocks": "depths",
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
