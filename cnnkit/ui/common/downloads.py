"""Getting a file that is not on this machine, with a bar that moves as the bytes come."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnnkit import assets
from cnnkit.settings import get_settings
from cnnkit.ui.common.messages import shown_errors


def offer_download(*names: str, primary: bool = True) -> None:
    """A button that fetches assets; the page runs again when they are there.

    Where one cannot be fetched, the error says from where to where to copy it by hand.

    Args:
        *names: keys of `assets.ASSETS`, at least one; several are the files of one data set.
        primary: whether this is what one should do here.
    """
    wanted = [assets.ASSETS[name] for name in names]
    first = wanted[0]
    title = first.title if len(wanted) == 1 else first.title.partition(":")[0]
    size = sum(asset.bytes for asset in wanted)
    pressed = st.button(
        f"Download {title} ({size / 1e6:.0f} MB)",
        icon=":material/download:",
        type="primary" if primary else "secondary",
        key=f"download_{names[0]}",
    )
    folder = (get_settings().data_dir or Path("CNNKIT_DATA_DIR")) / first.data_folder
    links = ", ".join(f"[{asset.filename}]({asset.url})" for asset in wanted)
    st.caption(f"{first.source} · {first.license} · Or put {links} into {folder}.")
    if not pressed:
        return
    bar = st.progress(0.0, f"Downloading {first.filename} …")

    def update_bar(done: int, total: int) -> None:
        text = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
        bar.progress(min(1.0, done / max(total, 1)), text)

    with shown_errors(stop=False):
        for name in names:
            assets.fetch(name, update_bar)
        st.rerun()
    bar.empty()
