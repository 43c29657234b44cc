"""A network of other origin among the runs: what is known of it, and the names of its classes."""

from __future__ import annotations

import streamlit as st

from cnnkit.errors import IncompatibleError
from cnnkit.models import PREPROCESSINGS
from cnnkit.models.class_names import clean_names
from cnnkit.runs import Run
from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import literal, shown_errors
from cnnkit.ui.common.person import person


def show_imported(run: Run) -> None:
    """What is known of the network, and its classes, which its owner may rename.

    Raises:
        CorruptRunError, CorruptAssetError: a file is missing or damaged.
    """
    card = cache.card(run.id)
    height, width, channels = card.input_shape
    with st.container(horizontal=True):
        st.metric("Classes", len(card.class_names) or "feature maps")
        st.metric("Image", f"{width}×{height} {'RGB' if channels == 3 else 'gray'}")
        if "parameters" in run.metrics:
            st.metric("Parameters", f"{run.metrics['parameters']:,.0f}")
    prepared = PREPROCESSINGS.get(str(run.spec.get("preprocessing_of_file")))
    st.caption(
        f"From the file {literal(str(run.spec.get('file', '')))}. It was not trained here, so it "
        "has no curves and no test images."
        + (f" Its own pixels are {prepared.title}; it converts them itself." if prepared else "")
    )
    if card.class_names:
        _class_names(run, card.class_names)


def _class_names(run: Run, names: tuple[str, ...]) -> None:
    if not person().may_change(run.owner):
        st.dataframe({"Class": names}, hide_index=True, alt="Names of the classes")
        return
    with st.form(f"class_names_{run.id}", border=False):
        text = st.text_area("Class names, one a line", "\n".join(names), key=f"names_{run.id}")
        saved = st.form_submit_button("Rename the classes", icon=":material/edit:")
    if not saved:
        return
    with shown_errors(stop=False):
        new = clean_names((text or "").splitlines())
        if len(new) != len(names):
            raise IncompatibleError(f"The network has {len(names)} classes. Received: {len(new)}.")
        cache.rename_classes(run.id, new)
        st.success("The classes are renamed.")
