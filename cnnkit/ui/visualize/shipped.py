"""Mosaics that ship with cnnkit, for networks with exactly the weights they were made with."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.networks import BUILT, PRETRAINED, WITHOUT_TOP, NetworkRef
from cnnkit.published.mosaics import COLUMNS, ShippedMosaics, shipped_mosaics
from cnnkit.ui.common import charts
from cnnkit.visualize.mosaics import MosaicSettings

MOSAIC = 320  # pixels


def shipped_for(ref: NetworkRef, settings: MosaicSettings) -> ShippedMosaics | None:
    """The mosaics that a job with these settings would make; None: none ship.

    Raises:
        CnnkitError: the network's weights are damaged or no longer here.
    """
    if ref.kind not in (PRETRAINED, WITHOUT_TOP):
        return None
    shipped = shipped_mosaics(ref.name)
    if shipped is None or shipped.settings != settings:
        return None
    return shipped if ref.convolutions_digest() == shipped.weights else None


def example_of_official_weights(ref: NetworkRef) -> bool:
    """Show what ships of a network whose own weights are not here.

    Returns:
        Whether there was any.
    """
    shipped = shipped_mosaics(ref.name) if ref.kind == BUILT else None
    if shipped is None:
        return False
    st.markdown("##### Example: the same architecture with its official weights")
    st.caption(
        "These mosaics ship with cnnkit. They were made with the weights that are published for "
        "ImageNet, not with the random ones of the network chosen above."
    )
    with st.container(horizontal=True, gap="medium"):
        for layer, mosaic in shipped.layers.items():
            with st.container(width=MOSAIC, gap="xsmall"):
                count = len(mosaic.units)
                alt = f"Activation maximization of {count} filters of {layer}, official weights"
                columns = min(COLUMNS, int(np.ceil(np.sqrt(count))))
                charts.mosaic(mosaic.images, columns=columns, width=MOSAIC, alt=alt)
                st.caption(f"{count} filters of {layer}")
    return True
