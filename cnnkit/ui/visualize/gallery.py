"""What was made here before: the newest finished images, each a way back to its settings."""

from __future__ import annotations

import streamlit as st

from cnnkit.errors import StorageError
from cnnkit.studio.record import IMAGE, KIND
from cnnkit.ui.common import cache, page

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
                    image = cache.store().artifact(run.id, IMAGE)
                except StorageError:
                    continue  # deleted meanwhile, or still being written
                st.image(image.read_bytes(), width=WIDTH, alt=run.name)
                page.link("pages/visualize.py", run.name, **run.spec.get("address", {}))
