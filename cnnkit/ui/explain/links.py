"""One click from an answer to its explanation."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from cnnkit.ui.common import image_choice, page
from cnnkit.ui.common.image_choice import File

PAGE = "pages/explain.py"
WHY = "Why?"
HELP = "Open Explain on this image and this network."


def why_link(**address: str) -> None:
    """A link for an image that stands in the address, such as a test image.

    Args:
        **address: as `image_choice.address` returns it; "network" may be one of several.
    """
    if "network" in address:
        address["networks"] = address.pop("network")
    if "image" in address:
        address[image_choice.NUMBER] = address.pop("image")
    page.link(PAGE, WHY, **address)


def why_button(file: File, *, key: str, **address: str) -> None:
    """A button that hands over the visitor's own image.

    Args:
        file: the image.
        key: of the button.
        **address: "networks", and whatever else the page shall open on.
    """
    if st.button(WHY, icon=":material/troubleshoot:", help=HELP, key=key):
        image_choice.keep(replace(file, exact=True))  # it is what was answered
        st.switch_page(PAGE, query_params={"from": "upload", **address})
