"""A finished example of the starter network, where a page has nothing of its own to show yet."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.starter.visualizations import DIGIT, StarterVisualizations, load_visualizations
from cnnkit.ui.common import charts

IMAGE, MOSAIC, DREAM = 168, 320, 336  # pixels


@st.cache_data(show_spinner=False)
def _starter() -> StarterVisualizations:
    return load_visualizations()


def example_ladder() -> None:
    """The regularizer ladder of one class."""
    example = _starter()
    st.markdown("##### Example: the digit network that ships with cnnkit")
    st.caption(f"Each configuration maximizes the class {DIGIT} from the same noise.")
    with st.grid("auto", min_column_width=IMAGE):
        for title, image in example.ladder.items():
            with st.container(border=True, gap="xsmall"):
                st.markdown(f"**{title}**")
                charts.mosaic(image[None], columns=1, width=IMAGE, alt=f"{title}: {DIGIT}")
                st.caption(example.values[title])


def example_layers() -> None:
    """Mosaics of the convolutions."""
    st.markdown("##### Example: the digit network that ships with cnnkit")
    with st.container(horizontal=True, gap="medium"):
        for layer, images in _starter().layers.items():
            with st.container(width=MOSAIC, gap="xsmall"):
                columns = int(np.ceil(np.sqrt(len(images))))
                alt = f"Activation maximization of {len(images)} filters of {layer}"
                charts.mosaic(images, columns=columns, width=MOSAIC, alt=alt)
                st.caption(f"{len(images)} filters of {layer}")


def example_dream() -> None:
    """An image before and after DeepDream."""
    example = _starter()
    st.markdown("##### Example: the digit network that ships with cnnkit")
    with st.container(horizontal=True, gap="medium"):
        charts.photo(
            example.before, alt="The example before DeepDream", width=DREAM, caption="Before"
        )
        charts.photo(example.after, alt="The example after DeepDream", width=DREAM, caption="After")
