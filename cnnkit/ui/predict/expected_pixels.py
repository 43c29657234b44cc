"""Which pixels an uploaded network was trained on, asked by its answers for an image."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.image_io import DecodedImage
from cnnkit.models import PREPROCESSINGS
from cnnkit.networks import UPLOADED, NetworkRef, upload_preprocessing
from cnnkit.predict import Prediction, prepare, top_k
from cnnkit.ui.common import cache, uploads
from cnnkit.ui.common.messages import literal

WIDTH = 230  # pixels of one candidate


def ask_for_pixels(ref: NetworkRef, image: DecodedImage, fit: str) -> None:
    """Compare what a network answers to pixels of each kind, where its file does not tell.

    Args:
        ref: any network; only the visitor's own upload is asked about.
        image: of the visitor's.
        fit: how it is resized, key of `FITS`.

    Raises:
        CnnkitError: the network cannot be opened; says why.
    """
    if ref.kind != UPLOADED or ref != uploads.ref() or upload_preprocessing(ref).certain:
        return
    answers = candidate_answers(ref, image, fit)
    now = upload_preprocessing(ref).name
    with st.container(border=True, key="expected_pixels"):
        st.markdown(
            f"**Which pixels was {literal(ref.title())} trained on?** Its file does not say. These "
            "are its answers to your image for each kind; choose the one that is right."
        )
        with st.container(horizontal=True, gap="small"):
            for name, best in answers.items():
                with st.container(border=True, width=WIDTH, gap="xsmall", key=f"pixels_{name}"):
                    st.caption(PREPROCESSINGS[name].title + (" · now" if name == now else ""))
                    st.markdown(f"**{literal(best.name)}** {best.probability:.0%}")
                    st.button(
                        "Choose",
                        key=f"choose_{name}",
                        on_click=uploads.prepare,
                        args=(name,),
                        width="stretch",
                    )


def candidate_answers(ref: NetworkRef, image: DecodedImage, fit: str) -> dict[str, Prediction]:
    """The best class of an uploaded network for each preprocessing.

    Args:
        ref: of the network.
        image: to classify.
        fit: how it is resized.

    Returns:
        One prediction by key of `PREPROCESSINGS`.
    """
    network = cache.network(ref)
    network.card.check_classes()
    seen = prepare(image.array, network.card.input_shape, fit)[None]
    now = PREPROCESSINGS[upload_preprocessing(ref).name]
    # What the network's own conversion makes the candidate's pixels of.
    inputs = [now.undo(one.apply(seen)) for one in PREPROCESSINGS.values()]
    logits = network.logits(np.concatenate(inputs))
    names = network.card.class_names
    return {name: top_k(own, names, 1)[0] for name, own in zip(PREPROCESSINGS, logits, strict=True)}
