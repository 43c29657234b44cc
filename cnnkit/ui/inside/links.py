"""One click from an answer to the feature maps behind it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from cnnkit.networks import NetworkRef
from cnnkit.ui.common import image_choice
from cnnkit.ui.common.image_choice import File

PAGE = "pages/inside.py"


def inside_button(file: File, ref: NetworkRef, fit: str, *, key: str) -> None:
    """A button that opens Inside on an image that a network has answered.

    Args:
        file: the image.
        ref: the network.
        fit: how the image was fitted to the network's input.
        key: of the button.
    """
    words = "Open Inside on this image and this network."
    if not st.button("Look inside", icon=":material/grid_view:", help=words, key=key):
        return
    address = {"network": str(ref), "fit": fit}
    if st.query_params.get("from") == "example":
        address |= {"from": "example", "example": file.name}
    else:
        image_choice.keep(replace(file, exact=True))  # it is what was answered
        address["from"] = "upload"
    st.switch_page(PAGE, query_params=address)
