"""Getting a file that is not on this machine, with a bar that moves as the bytes come."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnnkit import assets
from cnnkit.settings import get_settings
from cnnkit.ui.common.messages import shown_errors


def offer_download(name: str, *, primary: bool = True) -> None:
    """A button that fetches an asset; the page runs again when it is there.

    Where it cannot be fetched, the error says from where to where to copy it by hand.

    Args:
        name: key of `assets.ASSETS`.
        primary: whether this is what one should do here.
    """
    asset = assets.ASSETS[name]
    pressed = st.button(
        f"Download {asset.title} ({asset.bytes / 1e6:.0f} MB)",
        icon=":material/download:",
        type="primary" if primary else "secondary",
        key=f"download_{name}",
    )
    folder = (get_settings().data_dir or Path("CNNKIT_DATA_DIR")) / asset.data_folder
    st.caption(
        f"{asset.source} · {asset.license} · Or put [{asset.filename}]({asset.url}) into {folder}."
    )
    if not pressed:
        return
    bar = st.progress(0.0, f"Downloading {asset.filename} …")

    def update_bar(done: int, total: int) -> None:
        text = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
        bar.progress(min(1.0, done / max(total, 1)), text)

    with shown_errors(stop=False):
        assets.fetch(name, update_bar)
        st.rerun()
    bar.empty()
