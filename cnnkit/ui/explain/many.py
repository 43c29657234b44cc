"""Many images at once: a contact sheet of their maps, and a table of what was measured."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnkit.image_io import read_image
from cnnkit.models import ModelCard
from cnnkit.networks import NetworkRef
from cnnkit.ui.common import image_choice, inputs
from cnnkit.ui.common.handwriting import IMAGE_MB, TYPES
from cnnkit.ui.common.image_choice import ChosenImage
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.explain.networks import AskedNetwork, ask_networks

MOST = 48  # images: each is explained by each network and method
ONE, MANY = "one", "many"
MODES = {ONE: "One image", MANY: "Many images"}


def mode_picker() -> bool:
    """Whether many images are explained, `?images=many` in the address."""
    chosen = inputs.choice(
        "Images",
        list(MODES),
        parameter="images",
        title=MODES.__getitem__,
        widget=st.segmented_control,
        label_visibility="collapsed",
    )
    return chosen == MANY


def asked_networks(
    networks: Mapping[NetworkRef, str], cards: Mapping[NetworkRef, ModelCard]
) -> list[AskedNetwork]:
    """Each uploaded image, as each network receives it."""
    uploaded = st.file_uploader(
        f"Up to {MOST} images",
        accept_multiple_files=True,
        max_upload_size=IMAGE_MB,
        key="explain_many",
        help=f"Any images: {', '.join(TYPES)}; {IMAGE_MB} MB each.",
    )
    fit = image_choice.fit_picker()
    if len(uploaded) > MOST:
        st.warning(f"{len(uploaded)} images were uploaded; the first {MOST} are explained.")
    asked = []
    for file in uploaded[:MOST]:
        with shown_errors(stop=False, about=file.name):
            array = read_image(file.getvalue()).array
            image = ChosenImage(array=array, words=file.name, fit=fit)
            asked += ask_networks(networks, cards, image)
    return asked
