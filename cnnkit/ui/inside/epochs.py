"""The network of a run as it was after an epoch, where the run kept its weights."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnnkit import models
from cnnkit.errors import CorruptRunError, RunNotFoundError
from cnnkit.models import Predictor
from cnnkit.networks import RUN, NetworkRef
from cnnkit.training.epoch_weights import EPOCHS_FILE, epoch_file, load_epoch, read_epochs
from cnnkit.ui.common import cache

END = "end"  # in the address and on the slider: the trained network


def network_picker(ref: NetworkRef) -> Predictor:
    """The network, or what it was after the epoch of a slider, `?epoch=` in the address.

    Raises:
        CnnkitError: it cannot be had; says why.
    """
    kept = _kept_epochs(ref)
    if not kept:
        st.query_params.pop("epoch", None)
        return cache.network(ref)
    options = [*map(str, kept), END]
    asked = st.query_params.get("epoch", END)
    if asked not in options:
        st.warning(
            f"The address asks for epoch “{asked}”, whose weights were not kept. The trained "
            "network is shown instead.",
            icon=":material/link_off:",
        )
        asked = END
    st.session_state["epoch"] = asked
    chosen = st.select_slider(
        "Epoch",
        options,
        key="epoch",
        on_change=_write_address,
        format_func=lambda epoch: "trained network" if epoch == END else f"after epoch {epoch}",
        help="The whole page shows the network as it was then: filters, feature maps and "
        "prediction. 0: before the first epoch. The trained network has the best epoch's weights, "
        "if its recipe restores them.",
    )
    if chosen == END:
        return cache.network(ref)
    with st.spinner(f"Loading epoch {chosen} …"):
        return _network_after(ref, int(chosen))


def initial_network(ref: NetworkRef) -> Predictor | None:
    """The network before its first epoch, if the run kept it."""
    return _network_after(ref, 0) if 0 in _kept_epochs(ref) else None


def _kept_epochs(ref: NetworkRef) -> list[int]:
    if ref.kind != RUN or not cache.store().get(ref.name).spec.get("keep_checkpoints"):
        return []
    try:
        return read_epochs(_artifact(ref, EPOCHS_FILE))
    except (CorruptRunError, RunNotFoundError):  # so few epochs fit that none was kept
        return []


def _network_after(ref: NetworkRef, epoch: int) -> Predictor:
    def load() -> Predictor:
        model, card = models.load_model(cache.store().model_folder(ref.name))
        load_epoch(model, _artifact(ref, epoch_file(epoch)))
        return Predictor(model, card)

    return cache.networks().get(("epoch", str(ref), epoch), load, ref.bytes())


def _artifact(ref: NetworkRef, name: str) -> Path:
    return cache.store().artifact(ref.name, name)


def _write_address() -> None:
    chosen = st.session_state["epoch"]
    if chosen == END:
        st.query_params.pop("epoch", None)
    else:
        st.query_params["epoch"] = chosen
