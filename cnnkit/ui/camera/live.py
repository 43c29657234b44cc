"""A network's answers to what the visitor's camera sees, again and again.

The browser sends a frame when it has the answer to the last one: so none is queued, and a slow
network is asked less often. Nothing is left behind when the page is closed.
"""

from __future__ import annotations

import base64
import io
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from cnnkit.errors import CnnkitError
from cnnkit.figures.attribution import overlay
from cnnkit.image_io import decode_image
from cnnkit.models import Predictor
from cnnkit.networks import NetworkRef
from cnnkit.predict import prepare, softmax
from cnnkit.ui.camera import shots
from cnnkit.ui.camera.component import live_component
from cnnkit.ui.common import cache, events

BARS = 6  # classes that are shown
STRENGTH = 0.6  # of the map over its frame
_KEY, _MAP = "camera_live", "camera_map"  # of the widgets
_ANSWER, _ASKED = "camera_answer", "camera_asked"  # in the state of the visit


def show_live(ref: NetworkRef) -> None:
    """The camera, and the probabilities that a network predicts for each frame.

    Args:
        ref: the network.

    Raises:
        CnnkitError: it cannot be had; says why.
    """
    cache.network(ref).card.check_classes()  # opened before the first frame asks for it
    _component(ref)


@st.fragment
def _component(ref: NetworkRef) -> None:
    wanted = st.toggle(
        "Grad-CAM",
        key=_MAP,
        help="Shows which parts of the frame speak for the predicted class. A process of its own "
        "computes it, and takes some seconds to start.",
    )
    live_component(
        key=_KEY,
        data={
            "side": shots.SIDE,
            "network": str(ref),
            "map": wanted,
            "answer": st.session_state.get(_ANSWER),
        },
        on_frame_change=partial(_answer, ref),
    )


def _answer(ref: NetworkRef) -> None:
    """Answer the frame that the browser sent. Called before the fragment runs."""
    sent = st.session_state[_KEY].get("frame")
    if not sent:
        return
    try:
        frame = shots.checked_frame(sent)
    except CnnkitError as error:
        st.session_state[_ANSWER] = {"error": str(error)}
        return
    answer = {"run": frame.run, "number": frame.number}
    try:
        network = cache.opened_network(ref)
        image = prepare(decode_image(frame.image), network.card.input_shape)
        answer["bars"] = bars(ref, network, image)
        if st.session_state.get(_MAP):
            answer |= _map(ref, image)
    except CnnkitError as error:
        answer["error"] = str(error)
    st.session_state[_ANSWER] = answer


def bars(ref: NetworkRef, network: Predictor, image: np.ndarray) -> list[dict[str, Any]]:
    """Name and probability of each class, or of the most probable ones.

    Few classes keep their order, so that each bar stays where it is.

    Args:
        ref: of the network.
        network: opened.
        image: uint8, of its input shape.
    """
    logits, seconds = network.timed_logits(image[None])
    events.count_prediction(str(ref), seconds)
    shares, names = softmax(logits[0]), network.card.class_names
    order = range(len(names)) if len(names) <= BARS else np.argsort(-shares)[:BARS].tolist()
    return [{"name": names[k], "share": round(float(shares[k]), 4)} for k in order]


def _map(ref: NetworkRef, image: np.ndarray) -> dict[str, str]:
    """A Grad-CAM map that has come, over its frame, and words on it; one is computed at a time."""
    worker = cache.visualization_worker()
    session, explained = st.session_state.get(_ASKED, ("", None))
    state = worker.state(session) if session else None
    if state is not None and not state.over:
        return {}
    found = worker.frame(session) if state is not None else None
    st.session_state[_ASKED] = worker.ask_class_map(ref, image), image
    if state is None:
        return {"words": "Starting the process that computes Grad-CAM …"}
    if found is None:
        return {"words": state.reason}
    over = overlay(explained, found[0, ..., 0].astype(np.float32), signed=False, strength=STRENGTH)
    return {"map": _jpeg(over), "words": "Grad-CAM of the predicted class"}


def _jpeg(image: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=85)
    return base64.b64encode(stream.getvalue()).decode()
