"""What was made here before: the newest finished pictures, each a way back to its settings."""

from __future__ import annotations

import streamlit as st

from cnnkit.errors import StorageError
from cnnkit.studio.record import KIND, PICTURE
from cnnkit.ui import cache, page

SHOWN = 8
WIDTH = 128  # pixels


def show() -> None:
    """The last few, or nothing."""
    runs = cache.store().list(kind=KIND, limit=SHOWN)
    if not runs:
        return
    st.markdown("##### Made here before")
    with st.container(horizontal=True, gap="small"):
        for run in runs:
            with st.container(width=WIDTH, gap="xsmall", key=f"made_{run.id}"):
                try:
                    picture = cache.store().artifact(run.id, PICTURE)
                except StorageError:
                    continue  # deleted meanwhile, or still being written
                st.image(picture.read_bytes(), width=WIDTH, alt=run.name)
                page.link("pages/visualize.py", run.name, **run.spec.get("address", {}))
