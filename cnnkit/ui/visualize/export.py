"""Snapshots to go back to, files of an image and how it was made, and images made before."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import streamlit as st

from cnnkit.errors import StorageError
from cnnkit.figures import rasters
from cnnkit.jobs.kinds import IMAGE_RUN, RECORDED_IMAGE, snapshot_file
from cnnkit.ui.common import cache, charts, page
from cnnkit.ui.common.person import own_id
from cnnkit.ui.visualize.session import OwnSession
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan
from cnnkit.visualize.plan import script

FILM_WIDTH = 448  # pixels, of a frame of the GIF
STRIP = 72  # pixels, of one image of the film strip
MOST_ON_STRIP = 7
RECENT, RECENT_WIDTH = 8, 128  # images made before, and pixels of one


def film_strip(own: OwnSession) -> None:
    """The snapshots side by side, and a way back to any of them."""
    snapshots = list(own.state.details.get("snapshots", ()))
    if len(snapshots) < 2:
        return
    st.markdown("##### Snapshots")
    chosen = snapshots[:: math.ceil(len(snapshots) / MOST_ON_STRIP)]
    chosen += [] if chosen[-1] == snapshots[-1] else [snapshots[-1]]
    with st.container(horizontal=True, gap="small"):
        for step in chosen:
            frame = _snapshot(own, step)
            if frame is not None:
                charts.image(
                    rasters.mosaic(frame, columns=_columns(frame), width=STRIP),
                    width=STRIP,
                    caption=f"step {step}",
                    alt=f"After step {step}",
                )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        back = st.select_slider("Step", snapshots, value=snapshots[-1], key="snapshot", width=320)
        if st.button("Go back", icon=":material/history:", key="back"):
            cache.visualization_worker().command(own.id, "go_back", step=back)
            st.rerun()


def downloads(
    target: Target,
    plan: Plan,
    images: np.ndarray,
    own: OwnSession | None = None,
) -> None:
    """PNG, GIF, the plan, and a script that makes the same image.

    Args:
        target: what was maximized.
        plan: how.
        images: uint8 (images, height, width, channels).
        own: the session that made them.
    """
    name = f"{target.network.key.rpartition('.')[2]}-{target.names[0].replace('/', '.')}"
    mosaic = (
        images[0]
        if len(images) == 1
        else rasters.mosaic(images, columns=_columns(images), width=4 * images.shape[2])
    )
    if own and own.state.details.get("steered"):
        st.caption(
            "The settings were changed while this image was optimized. Plan and script hold their "
            "current values, and starting from these gives another image."
        )
    with st.container(horizontal=True):
        flat = mosaic[..., 0] if mosaic.shape[-1] == 1 else mosaic
        _button("PNG", rasters.png(flat), f"{name}.png", "image/png")
        if own:
            _button("GIF", lambda: _film(own), f"{name}.gif", "image/gif")
        _button("Plan", plan.to_json(), f"{name}.json", "application/json")
        _button("Script", script(str(target.network.ref), plan), f"{name}.py", "text/x-python")


def recent_images() -> None:
    """The newest finished images, each a link to its settings; nothing where there is none."""
    runs = cache.list_runs(kind=IMAGE_RUN, owner=own_id(), limit=RECENT)
    if not runs:
        return
    st.markdown("##### Recent images")
    with st.container(horizontal=True, gap="small"):
        for run in runs:
            with st.container(width=RECENT_WIDTH, gap="xsmall", key=f"made_{run.id}"):
                try:
                    image = cache.store().artifact(run.id, RECORDED_IMAGE)
                except StorageError:
                    continue  # deleted meanwhile, or still being written
                st.image(image.read_bytes(), width=RECENT_WIDTH, alt=run.name)
                page.link("pages/visualize.py", run.name, **run.spec.get("address", {}))


def _button(label: str, data: str | bytes | Callable[[], bytes], file: str, mime: str) -> None:
    st.download_button(
        label,
        data,
        file,
        mime,
        icon=":material/download:",
        key=f"download_{label}",
        on_click="ignore",
    )


def _film(own: OwnSession) -> bytes:
    frames = [_snapshot(own, step) for step in own.state.details["snapshots"]]
    return rasters.gif(
        [
            rasters.mosaic(frame, columns=_columns(frame), width=FILM_WIDTH)
            for frame in frames
            if frame is not None
        ]
    )


def _snapshot(own: OwnSession, step: int) -> np.ndarray | None:
    return cache.visualization_worker().frame(own.id, snapshot_file(step))


def _columns(images: np.ndarray) -> int:
    return int(np.ceil(np.sqrt(len(images))))
