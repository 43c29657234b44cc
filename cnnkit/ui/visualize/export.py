"""Going back, and taking away: the film strip, and files of an image and how it was made."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from cnnkit.figures import rasters
from cnnkit.ui.common import cache, charts
from cnnkit.ui.visualize import session as sittings
from cnnkit.ui.visualize.session import Sitting
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan
from cnnkit.visualize.plan import script

SHEET = 448  # pixels, width of what is downloaded as one sheet
STRIP = 72  # pixels, of one image of the film strip
MOST_ON_STRIP = 7


def film_strip(sitting: Sitting) -> None:
    """The kept steps side by side, and a way back to any of them."""
    now = sittings.look(sitting)
    kept = list(now.kept)
    if len(kept) < 2:
        return
    st.markdown("##### How it came about")
    chosen = kept[:: math.ceil(len(kept) / MOST_ON_STRIP)]
    chosen += [] if chosen[-1] == kept[-1] else [kept[-1]]
    with st.container(horizontal=True, gap="small"):
        for number in chosen:
            frame = sittings.images(sitting, number)
            if frame is not None:
                sheet = rasters.mosaic(frame, columns=_columns(frame), width=STRIP)
                charts.image(
                    sheet, width=STRIP, caption=f"step {number}", alt=f"After step {number}"
                )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        back = st.select_slider("Kept step", kept, value=kept[-1], key="kept_step", width=320)
        if st.button("Go back to it", icon=":material/history:", key="back"):
            cache.studio().go_back(sitting.session, int(back))
            st.rerun()


def downloads(
    target: Target, plan: Plan, images: np.ndarray, sitting: Sitting | None = None
) -> None:
    """PNG, GIF, the parameters, and a script that makes the same image."""
    name = f"{target.network.key.rpartition('.')[2]}-{target.names[0].replace('/', '.')}"
    sheet = (
        images[0]
        if len(images) == 1
        else rasters.mosaic(images, columns=_columns(images), width=4 * images.shape[2])
    )
    if sitting and sittings.look(sitting).number and not sittings.look(sitting).key:
        st.caption(
            "It was steered while it grew: parameters and script hold the numbers as they are now, "
            "and begun with them another image grows."
        )
    with st.container(horizontal=True):
        flat = sheet[..., 0] if sheet.shape[-1] == 1 else sheet
        _button("PNG", rasters.png(flat), f"{name}.png", "image/png")
        if sitting:
            _button("GIF", lambda: _film(sitting), f"{name}.gif", "image/gif")
        _button("Parameters", plan.to_json(), f"{name}.json", "application/json")
        source = target.network.source
        _button("Script", script(source.kind, source.name, plan), f"{name}.py", "text/x-python")


def _button(label: str, data, file_name: str, mime: str) -> None:
    st.download_button(
        label,
        data,
        file_name,
        mime,
        icon=":material/download:",
        key=f"download_{label}",
        on_click="ignore",
    )


def _film(sitting: Sitting) -> bytes:
    kept = sittings.look(sitting).kept
    frames = [sittings.images(sitting, number) for number in kept]
    sheets = [
        rasters.mosaic(frame, columns=_columns(frame), width=SHEET)
        for frame in frames
        if frame is not None
    ]
    return rasters.gif(sheets)


def _columns(images: np.ndarray) -> int:
    return int(np.ceil(np.sqrt(len(images))))
