"""The activations of all layers, kept for all visitors within a bound of memory."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from weakref import WeakKeyDictionary

import numpy as np
import streamlit as st
from cachetools import LRUCache

from cnnkit.models import Predictor
from cnnkit.visualize.layer_activations import ActivationReader

MEMORY = 400_000_000  # bytes of all activations that are kept
Activations = dict[str, np.ndarray]


class _Kept:
    def __init__(self):
        # Readers live as long as their network stays in memory.
        self.readers: WeakKeyDictionary[Predictor, ActivationReader] = WeakKeyDictionary()
        self.activations: LRUCache[Hashable, Activations] = LRUCache(MEMORY, _bytes)
        self.lock = threading.Lock()


@st.cache_resource(show_spinner=False)
def _kept() -> _Kept:
    return _Kept()


def reader(network: Predictor) -> ActivationReader:
    """A network with its layers laid open.

    Raises:
        CnnkitError: its layers cannot be read; says why.
    """
    kept = _kept()
    if network not in kept.readers:
        with st.spinner("Opening the layers …"), network.lock:
            kept.readers[network] = ActivationReader(network.model, network.card.input_shape)
    return kept.readers[network]


def layer_activations(network: Predictor, image: np.ndarray, key: str) -> Activations:
    """The activations of every layer for one image, see `ActivationReader`.

    Args:
        network: whose layers.
        image: uint8 (height, width, channels), its exact input.
        key: equal for equal images.

    Raises:
        CnnkitError: see `reader`.
    """
    opened, kept = reader(network), _kept()
    place = id(opened), key
    with kept.lock:
        activations = kept.activations.get(place)
    if activations is None:
        with network.lock:
            activations = opened(image)
        with kept.lock:
            if _bytes(activations) <= MEMORY:
                kept.activations[place] = activations
    return activations


def _bytes(activations: Activations) -> int:
    return sum(values.nbytes for values in activations.values())
