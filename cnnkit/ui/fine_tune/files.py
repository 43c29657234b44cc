"""What can be taken away of a fine-tuned network."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st

from cnnkit.predict import prepare
from cnnkit.runs import Run
from cnnkit.training import Recipe, write_script
from cnnkit.ui.common import cache

EXPORTS = {"litert": "LiteRT (.tflite)", "onnx": "ONNX (.onnx)"}
CHECKED = 8  # images that an exported file is asked about


def files(run: Run) -> None:
    """Downloads, each read or made only when it is clicked."""
    from cnnkit.training.export import available_formats

    store, stem = cache.store(), f"{run.spec.get('model')}-{run.id[:8]}"
    with st.popover("Download", icon=":material/download:"):
        for label, data, name in (
            (
                "Network (.keras)",
                lambda: store.artifact(run.id, "model.keras").read_bytes(),
                f"{stem}.keras",
            ),
            ("Names of its classes (.txt)", lambda: _labels(run), f"{stem}-labels.txt"),
            *(
                (f"{EXPORTS[kind]}, checked by running it", _exporter(run, kind), f"{stem}{end}")
                for kind, end in (("litert", ".tflite"), ("onnx", ".onnx"))
                if kind in available_formats()
            ),
            (
                "Python script",
                write_script(Recipe.from_dict(run.spec), run.name),
                f"{stem}.py",
            ),
            (
                "Curves (.csv)",
                lambda: store.artifact(run.id, "history.csv").read_bytes(),
                f"{stem}-history.csv",
            ),
        ):
            st.download_button(
                label,
                data,
                file_name=name,
                icon=":material/download:",
                on_click="ignore",
                key=f"take_{name}",
            )


def _exporter(run: Run, kind: str) -> Callable[[], bytes]:
    """Makes a file for other programs, and compares its answers with the network's."""

    def made() -> bytes:
        from cnnkit.training.export import export_network

        images, _ = cache.test_images(run)
        opened = cache.model(run.id)
        seen = np.stack([prepare(image, opened.card.input_shape) for image in images[:CHECKED]])
        with tempfile.TemporaryDirectory() as folder:
            return export_network(opened.model, Path(folder), kind, seen).path.read_bytes()

    return made


def _labels(run: Run) -> str:
    """One name a line, in the order of the logits."""
    return "".join(f"{name}\n" for name in cache.card(run.id).class_names)
