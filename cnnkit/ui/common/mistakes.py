"""How a network did on its test set: accuracy, confusion matrix, misclassified images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.durations import duration
from cnnkit.errors import CorruptRunError, IncompatibleError, StorageError
from cnnkit.networks import RUN, NetworkRef
from cnnkit.runs import Run
from cnnkit.training.predictions import Predictions, evaluation_dataset
from cnnkit.ui.common import cache, charts, image_choice, page
from cnnkit.ui.common.messages import literal
from cnnkit.ui.explain.links import why_link
from cnnkit.ui.fine_tune import relabeling

PER_PAGE = 16  # images
DIGIT = 64  # pixels; larger images are photos


@dataclass(frozen=True, eq=False)
class EvaluatedImages:
    """The images a run was tested on, all of them or those that ship with it.

    Args:
        images: uint8, (images, height, width, 1).
        indices: their positions in the test set; None: `images` is the whole test set.
    """

    images: np.ndarray
    indices: np.ndarray | None = None

    def at(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those of some images that are here: their places and the images."""
        if self.indices is None:
            return places, self.images[places]
        rows = {int(index): row for row, index in enumerate(self.indices)}
        stored = [int(place) for place in places if int(place) in rows]
        return np.array(stored, np.int64), self.images[[rows[place] for place in stored]]


def show_test_metrics(run: Run) -> None:
    """Test accuracy with its confidence interval, loss, best epoch and training time of a run."""
    metrics = run.metrics
    with st.container(horizontal=True):
        if "test_error" in metrics:
            st.metric(
                "Test accuracy",
                f"{100 * (1 - metrics['test_error']):.2f} %",
                help="Share of the test images whose class is predicted correctly.",
            )
            _confidence_interval(run)
            if "test_loss" in metrics:
                st.metric("Test loss", f"{metrics['test_loss']:.4f}")
        elif "val_error" in metrics:
            st.metric("Validation accuracy", f"{100 * (1 - metrics['val_error']):.2f} %")
        if "best_epoch" in metrics:
            st.metric(
                "Best epoch",
                f"{metrics['best_epoch']:.0f}",
                help="The weights of this epoch were restored at the end.",
            )
        if "seconds" in metrics:
            st.metric("Training time", duration(metrics["seconds"]))
        if metrics.get("features_seconds"):
            st.metric(
                "Feature time",
                duration(metrics["features_seconds"]),
                help="Time to compute the outputs of the frozen layers. Those that were in the "
                "feature cache took none.",
            )


def show_mistakes(run: Run, *, key: str) -> None:
    """Confusion matrix, the images of its cells, and the most confident errors.

    Args:
        run: finished, with predictions.
        key: of the widgets, so that two runs can be on one page.
    """
    predictions = cache.predictions(run.id)
    images = images_of(run, predictions)
    names = cache.run_classes(run)
    matrix, images_column = st.columns([1.15, 1], gap="large")
    with matrix:
        st.markdown("**Confusion matrix**")
        st.caption(
            "Rows: true class. Columns: predicted class. Click a cell to see its images, and to "
            "visualize its classes."
        )
        cell = charts.confusion_matrix(
            predictions.confusion, names, key=f"{key}_{run.id}_confusion"
        )
    with images_column:
        if cell is None:
            wrong = predictions.misclassified()
            st.markdown("**Most confident errors**")
            _thumbnails(wrong, run, predictions, images, f"{key}_{run.id}_all")
        else:
            true, predicted = cell
            st.markdown(f"**True class {names[true]}, predicted class {names[predicted]}**")
            _visualize_links(run, cell, names)
            places, cell_key = predictions.cell(true, predicted), f"{key}_{run.id}_{cell}"
            _thumbnails(places, run, predictions, images, cell_key)
            if len(places):
                _offer_correction(run, places, predicted, cell_key)


def show_class_scores(run: Run) -> None:
    """Recall of each class, with the counts behind it."""
    predictions = cache.predictions(run.id)
    names = cache.run_classes(run)
    scores = predictions.by_class()
    st.dataframe(
        {
            "Class": [names[score.number] for score in scores],
            "Recall": [100 * score.accuracy for score in scores],
            "Correct": [score.correct for score in scores],
            "Misclassified": [score.images - score.correct for score in scores],
            "Most often confused with": [
                "–" if score.most_confused is None else names[score.most_confused]
                for score in scores
            ],
        },
        hide_index=True,
        height="content",
        alt="Recall of each class",
        column_config={
            # From 0, a class of 97 % and one of 99 % would look alike.
            "Recall": st.column_config.ProgressColumn(
                help="Share of the images of this class that are predicted as this class.",
                format="%.2f %%",
                min_value=_floor(scores),
                max_value=100,
            ),
        },
    )


def images_of(run: Run, predictions: Predictions) -> EvaluatedImages:
    """The images that a run was tested on.

    Raises:
        AssetUnavailableError: they are not on this machine, and none ship with the run.
        IncompatibleError: the data set here is not the one the run was tested on.
    """
    name = str(run.spec["dataset"])
    if run.starter and not dataset_info(name).available:
        return _shipped_images(run.id)
    images, labels = cache.test_images(run)
    if not np.array_equal(labels, predictions.labels):
        raise IncompatibleError(
            f"The test images of {dataset_info(name).title} on this machine are not those "
            "that this run was tested on."
        )
    return EvaluatedImages(images)


def _offer_correction(run: Run, places: np.ndarray, predicted: int, key: str) -> None:
    """A way to move images of a cell to the class that the network predicts, or another."""
    spec = dataset_info(str(run.spec["dataset"]))

    def load() -> relabeling.Numbered:
        dataset = evaluation_dataset(run.spec)
        return dataset, dataset.indices("test")[places].tolist()

    relabeling.offer(spec, load, key=key, suggested=spec.class_names[predicted])


@st.cache_resource(max_entries=4, show_spinner=False)
def _shipped_images(run_id: str) -> EvaluatedImages:
    path = cache.store().artifact(run_id, "examples.npz")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return EvaluatedImages(file["images"], file["indices"])
    except (OSError, ValueError, KeyError) as error:
        raise CorruptRunError(run_id, path, f"is damaged ({error})") from error


def _confidence_interval(run: Run) -> None:
    try:
        predictions = cache.predictions(run.id)
    except StorageError:  # the tab of the misclassified images says what is wrong with the file
        return
    low, high = predictions.interval
    st.metric(
        "95 % confidence interval",
        f"{100 * low:.1f} to {100 * high:.1f} %",
        help=f"Wilson score interval of the test accuracy on {len(predictions.labels):,} images.",
    )


def _visualize_links(run: Run, classes: Sequence[int], names: Sequence[str]) -> None:
    """A link for each class to the page that maximizes it in this network."""
    with st.container(horizontal=True, gap="small"):
        for number in dict.fromkeys(classes):
            page.link(
                "pages/visualize.py",
                f"Visualize {literal(names[number])}",
                network=f"run.{run.id}",
                layer="answer",
                images="1",
                unit=str(number),
            )


def _thumbnails(
    places, run: Run, predictions: Predictions, tested: EvaluatedImages, key: str
) -> None:
    """Images with their true and predicted classes, each with a link to its explanation."""
    if not len(places):
        st.caption("No images.")
        return
    names = cache.run_classes(run)
    stored, images = tested.at(places)
    limit = st.session_state.setdefault(f"{key}_shown", PER_PAGE)
    _count(len(places), len(stored), min(limit, len(stored)))
    true, predicted = predictions.labels[stored], predictions.predicted[stored]
    chances = 100 * predictions.confidence[stored]

    def why(number: int) -> None:
        why_link(**_address(run, predictions.labels, int(stored[number])))

    small = images.shape[1] <= DIGIT
    draw_images = charts.thumbnails if small else charts.photos
    draw_images(
        images[:limit],
        [
            f"{names[t]} → **{names[p]}** {_percent(c)}"
            for t, p, c in zip(true[:limit], predicted[:limit], chances[:limit], strict=True)
        ],
        alts=[
            f"True class {names[t]}, predicted class {names[p]}"
            for t, p in zip(true[:limit], predicted[:limit], strict=True)
        ],
        width=72 if small else 120,
        # Images that ship with a run are in no data set here, which a link could name.
        below=None if tested.indices is not None else why,
    )
    if limit < len(stored):
        st.button("Show more", key=f"{key}_more", on_click=_show_more, args=(f"{key}_shown",))


def _address(run: Run, labels: np.ndarray, index: int) -> dict[str, str]:
    """Of a test image, for pages on which an image is chosen."""
    dataset = dataset_info(str(run.spec["dataset"]))
    ref = NetworkRef(RUN, run.id)
    address = image_choice.address(ref, labels, index, dataset.class_names)
    return address | {"data": dataset.name}


def _count(images: int, stored: int, visible: int) -> None:
    words = f"{images:,} image{'s' if images > 1 else ''}"
    if visible < stored:
        words = f"The first {visible} of {words}"
    if stored < images:
        words += f", {stored} of which ship with this run; the others come with the data set"
    st.caption(f"{words}. Below each: true class → predicted class and its probability.")


def _show_more(name: str) -> None:
    st.session_state[name] += PER_PAGE


def _percent(chance: float) -> str:
    return ">99 %" if 99 < chance < 100 else f"{chance:.0f} %"


def _floor(scores) -> int:
    lowest = min(100 * score.accuracy for score in scores)
    return max(0, int(lowest // 5 * 5 - 5))
