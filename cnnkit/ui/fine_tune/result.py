"""The result of fine-tuning: metrics, mistakes, the network before, downloads, class names."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from cnnkit.errors import CorruptRunError, StorageError
from cnnkit.figures import curves
from cnnkit.figures.bars import top_k_bars
from cnnkit.jobs.kinds.train import BASELINE
from cnnkit.predict import prepare, top_k
from cnnkit.runs import Run, Status
from cnnkit.training import Recipe, write_script
from cnnkit.ui.common import cache, charts, inputs, page
from cnnkit.ui.common.dialogs import close_dialog, dialog_button
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.mistakes import show_class_scores, show_mistakes, show_test_metrics
from cnnkit.ui.common.person import person
from cnnkit.ui.fine_tune.importing import class_names_area
from cnnkit.ui.runs.run_list import unique_names
from cnnkit.ui.train.training import suggest_more_epochs

TOP = 5  # classes of a prediction
MOST = 6  # curves that are compared
METRIC = "val_accuracy"
EXPORTS = {"litert": ("LiteRT (.tflite)", ".tflite"), "onnx": ("ONNX (.onnx)", ".onnx")}
CHECKED = 8  # images that an exported file is asked about


def show_result(run_id: str) -> None:
    """All of it; nothing while the run is not finished.

    Raises:
        RunNotFoundError, CorruptRunError, AssetUnavailableError
    """
    run = cache.store().get(run_id)
    if run.status is not Status.FINISHED:
        return
    show_test_metrics(run)
    suggest_more_epochs(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        page.link("pages/predict.py", "Predict your images", networks=f"run.{run.id}")
        page.link("pages/camera.py", "Ask it live", mode="live", network=f"run.{run.id}")
        page.link("pages/visualize.py", "Visualize it", network=f"run.{run.id}")
        page.link("pages/runs.py", "Compare", run=run.id)
        _downloads(run)
        if person().may_change(run.owner):
            dialog_button(
                "Rename classes",
                lambda: _rename(run),
                title="Rename the classes",
                of=run.id,
                key="rename_classes",
                icon=":material/label:",
            )
    wrong, classes, before, others = st.tabs(
        ["Confusion matrix", "Classes", "Before and after", "Comparison"]
    )
    with wrong:
        show_mistakes(run, key="result")
    with classes:
        show_class_scores(run)
    with before:
        _show_baseline_predictions(run)
    with others:
        _show_comparison(run)


def _show_baseline_predictions(run: Run) -> None:
    """One test image, and what the network predicts before and after fine-tuning."""
    from cnnkit.training.results import BaselinePredictions

    try:
        before = BaselinePredictions.read(cache.store().artifact(run.id, BASELINE))
    except CorruptRunError:  # there is no such file
        st.caption("It started from random weights, so there are no earlier predictions.")
        return
    images, labels = cache.test_images(run)
    number = inputs.image_picker(
        min(len(images), len(before.names)), label="Test image", parameter="test_image"
    )
    names, after = cache.card(run.id).class_names, cache.predictions(run.id)
    image, left, right = st.columns([1.3, 2, 2], gap="medium")
    with image:
        truth = names[labels[number]]
        charts.photo(
            images[number], alt=f"A test image of {truth}", width=160, caption=f"It is {truth}."
        )
    with left:
        _predictions(f"{before.network} before", before.names[number], before.probabilities[number])
    with right:
        now = top_k(after.logits[number], names, TOP)
        _predictions("Now", [one.name for one in now], [one.probability for one in now])
    st.caption(
        "Before, it can only answer with one of the classes that it knew: ImageNet has daisies, "
        "but no sunflower."
    )


def _predictions(words: str, names: Sequence[str], shares: Sequence[float]) -> None:
    st.markdown(f"**{words}**")
    charts.chart(
        top_k_bars(list(shares), list(names)),
        alt=f"{words}: "
        + ", ".join(f"{name} {share:.1%}" for name, share in zip(names, shares, strict=True)),
        key=f"before_{words}",
    )


def _show_comparison(run: Run) -> None:
    """The curve of a finished run and of the newest others on its data set and split."""
    finished = cache.learning_runs(statuses=[Status.FINISHED])
    others = [one for one in finished if _images(one) == _images(run) and one.id != run.id]
    if not others:
        st.caption(
            "No other network was trained on these images and this split. Switch on **Also train a "
            "small network from scratch** before you press Fine-tune, or choose another network or "
            "depth: their curves are shown here together."
        )
        return
    shown = [run, *others][:MOST]
    histories = {
        name: cache.store().history(one.id)
        for name, one in zip(unique_names(shown), shown, strict=True)
    }
    charts.chart(
        curves.comparison(histories, METRIC),
        alt=f"Validation accuracy of {', '.join(histories)}, epoch by epoch",
        key="beside",
    )
    page.link("pages/runs.py", "Compare their settings", run=",".join(one.id for one in shown))


def _images(run: Run) -> tuple[object, ...]:
    """What it was trained on: data set and split."""
    return run.spec.get("dataset"), run.spec.get("split_seed", 0)


def checked_names(names: list[str], classes: int) -> tuple[str, ...]:
    """Names as they can be kept.

    Args:
        names: as somebody typed them.
        classes: how many there must be.

    Raises:
        StorageError: there are too many or too few, or one is empty or there twice; says which.
    """
    stripped = [name.strip() for name in names]
    if len(stripped) != classes:
        raise StorageError(f"{classes} classes need {classes} names. Received: {len(stripped)}.")
    if not all(stripped):
        raise StorageError(f"Class {stripped.index('') + 1} needs a name.")
    twice = sorted({name for name in stripped if stripped.count(name) > 1})
    if twice:
        raise StorageError(f"Two classes cannot both be called {twice[0]!r}.")
    return tuple(stripped)


def _rename(run: Run) -> None:
    names = cache.card(run.id).class_names
    st.caption("Only the names of the classes change; the weights stay as they are.")
    new = class_names_area(names, key="class_names")
    if st.button("Keep these names", type="primary", key="rename_classes_now"):
        with shown_errors():
            cache.rename_classes(run.id, checked_names(new, len(names)))
        close_dialog()


def _downloads(run: Run) -> None:
    """Downloads, each read or made only when it is clicked."""
    from cnnkit.training.export import available_formats

    stem = f"{run.spec.get('model')}-{run.id[:8]}"
    artifact = functools.partial(cache.store().artifact, run.id)
    exports = {
        f"{title}, checked by running it": (_exporter(run, kind), ending)
        for kind, (title, ending) in EXPORTS.items()
        if kind in available_formats()
    }
    downloads = {
        "Network (.keras)": (lambda: artifact("model.keras").read_bytes(), ".keras"),
        "Names of its classes (.txt)": (lambda: _labels(run), "-labels.txt"),
        **exports,
        "Python script": (write_script(Recipe.from_dict(run.spec), run.name), ".py"),
        "Curves (.csv)": (lambda: artifact("history.csv").read_bytes(), "-history.csv"),
    }
    with st.popover("Download", icon=":material/download:"):
        for label, (data, ending) in downloads.items():
            st.download_button(
                label,
                data,
                file_name=f"{stem}{ending}",
                icon=":material/download:",
                on_click="ignore",
                key=f"take_{stem}{ending}",
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
