"""A network of a run as it was after an epoch, where the run kept its weights."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from cnnkit.networks import NetworkRef

END = "end"  # in the address and on the slider: the trained network
HELP = (
    "The whole page shows the network as it was then. 0: before the first epoch. The trained "
    "network has the best epoch's weights, if its recipe restores them."
)


def epoch_picker(
    ref: NetworkRef, *, parameter: str = "epoch", label: str = "Epoch", default: str = END
) -> NetworkRef:
    """The network, or what it was after the epoch of a slider, `?epoch=` in the address.

    Args:
        ref: a trained network; one whose run kept no weights of epochs is returned as it is.
        parameter: name in the address.
        label: of the slider.
        default: an epoch, or `END`.

    Raises:
        CnnkitError: it cannot be read which epochs there are; says why.
    """
    kept = ref.kept_epochs()
    if not kept:
        st.query_params.pop(parameter, None)
        return ref
    options = [*map(str, kept), END]
    asked = st.query_params.get(parameter, default)
    if asked not in options:
        st.warning(
            f"The address asks for epoch “{asked}”, whose weights were not kept. The trained "
            "network is shown instead.",
            icon=":material/link_off:",
        )
        asked = END
    st.session_state[parameter] = asked
    chosen = st.select_slider(
        label,
        options,
        key=parameter,
        on_change=partial(_write_address, parameter, default),
        format_func=words_of_epoch,
        help=HELP,
    )
    return ref if chosen == END else replace(ref, epoch=int(chosen))


def words_of_epoch(epoch: str | int | None) -> str:
    """As it stands on the slider."""
    return "trained network" if epoch in (END, None) else f"after epoch {epoch}"


def _write_address(parameter: str, default: str) -> None:
    chosen = st.session_state[parameter]
    if chosen == default:
        st.query_params.pop(parameter, None)
    else:
        st.query_params[parameter] = chosen
