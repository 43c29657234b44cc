"""Files of an embedding: coordinates, features, and a script that makes it again."""

from __future__ import annotations

import io
from dataclasses import asdict

import numpy as np
import streamlit as st

from cnnkit.embedding import Embedding
from cnnkit.ui.embedding.placing import read_features
from cnnkit.ui.embedding.selection import EmbeddingSelection


def offer_files(selection: EmbeddingSelection, embedding: Embedding) -> None:
    """Buttons for CSV, NPZ and script; the chart saves its own PNG."""
    name = f"embedding-{selection.ref.name}-{selection.settings.layer}".replace("/", ".")
    with st.container(horizontal=True, vertical_alignment="center"):
        _button("CSV", embedding.to_csv(), f"{name}.csv", "text/csv")
        _button("Features", lambda: _features(selection, embedding), f"{name}.npz", None)
        _button("Script", script(selection), f"{name}.py", "text/x-python")
        st.caption("PNG: the camera above the chart.", width="content")


def script(selection: EmbeddingSelection) -> str:
    """Python that makes the same embedding."""
    values = ",\n".join(
        f"    {name}={value!r}" for name, value in asdict(selection.settings).items()
    )
    return f'''"""Embed a data set through a layer of a network."""

from cnnkit.embedding import EmbeddingSettings, embed
from cnnkit.networks import NetworkRef

settings = EmbeddingSettings(
{values},
)
network = NetworkRef.parse({str(selection.ref)!r}).open()
embedding = embed(network, settings)
print(embedding.to_csv())
'''


def _features(selection: EmbeddingSelection, embedding: Embedding) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        features=read_features(selection),
        coordinates=embedding.coordinates,
        rows=embedding.rows,
        labels=embedding.labels,
        class_names=np.array(embedding.class_names),
    )
    return stream.getvalue()


def _button(label: str, data, file: str, mime: str | None) -> None:
    st.download_button(
        label,
        data,
        file,
        mime,
        icon=":material/download:",
        key=f"download_{label.lower()}",
        on_click="ignore",
    )
