"""What a network got wrong on its test images: cells to click, images to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.errors import CorruptRunError, IncompatibleError
from cnnkit.runs import Run
from cnnkit.training.predictions import Predictions
from cnnkit.ui.common import cache, charts
from cnnkit.ui.fine_tune import test_set

SHOWN = 16  # images at once
DIGIT = 64  # pixels; larger images are photos


@dataclass(frozen=True, eq=False)
class SeenImages:
    """The images a run was tested on, all of them or those that ship with it.

    Args:
        images: uint8, (images, height, width, 1).
        indices: their places in the test part; None: `images` is the whole part.
    """

    images: np.ndarray
    indices: np.ndarray | None = None

    def at(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those of some images that are here: their places and the images."""
        if self.indices is None:
            return places, self.images[places]
        rows = {int(index): row for row, index in enumerate(self.indices)}
        here = [int(place) for place in places if int(place) in rows]
        return np.array(here, np.int64), self.images[[rows[place] for place in here]]


def mistakes(run: Run, *, key: str) -> None:
    """Confusion matrix, the images of its cells, and the most confident mistakes.

    Args:
        run: finished, with predictions.
        key: of the widgets, so that two runs can be on one page.
    """
    answers = cache.predictions(run.id)
    images = images_of(run, answers)
    names = cache.run_classes(run)
    matrix, shown = st.columns([1.15, 1], gap="large")
    with matrix:
        st.markdown("**Confusion matrix**")
        st.caption("Click a cell to see its images.")
        cell = charts.confusion_matrix(answers.confusion, names, key=f"{key}_{run.id}_confusion")
    with shown:
        if cell is None:
            wrong = answers.misclassified()
            st.markdown("**Most confident errors**")
            _thumbnails(wrong, answers, images, names, f"{key}_{run.id}_all")
        else:
            true, predicted = cell
            verb = "correctly predicted as" if true == predicted else "predicted as"
            st.markdown(f"**{names[true]} {verb} {names[predicted]}**")
            _thumbnails(
                answers.cell(true, predicted), answers, images, names, f"{key}_{run.id}_{cell}"
            )


def class_scores(run: Run) -> None:
    """How well each class is recognised, with the counts behind it."""
    answers = cache.predictions(run.id)
    names = cache.run_classes(run)
    scores = answers.by_class()
    st.dataframe(
        {
            "Class": [names[score.number] for score in scores],
            "Accuracy": [100 * score.accuracy for score in scores],
            "Correct": [score.correct for score in scores],
            "Wrong": [score.images - score.correct for score in scores],
            "Most frequent error": [
                "–" if score.most_confused is None else names[score.most_confused]
                for score in scores
            ],
        },
        hide_index=True,
        height="content",
        alt="Accuracy of each class",
        column_config={
            # From 0, a class of 97 % and one of 99 % would look alike.
            "Accuracy": st.column_config.ProgressColumn(
                format="%.2f %%", min_value=_floor(scores), max_value=100
            ),
        },
    )


def images_of(run: Run, answers: Predictions) -> SeenImages:
    """The images that a run was tested on.

    Raises:
        AssetUnavailableError: they are not on this machine, and none ship with the run.
        IncompatibleError: the data set here is not the one the run was tested on.
    """
    name = str(run.spec["dataset"])
    if run.starter and not dataset_info(name).available:
        return _shipped(run.id)
    images, labels = test_set.part(run)
    if not np.array_equal(labels, answers.labels):
        raise IncompatibleError(
            f"The test images of {dataset_info(name).title} on this machine are not those "
            "that this run was tested on."
        )
    return SeenImages(images)


@st.cache_resource(max_entries=4, show_spinner=False)
def _shipped(run_id: str) -> SeenImages:
    path = cache.store().artifact(run_id, "examples.npz")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return SeenImages(file["images"], file["indices"])
    except (OSError, ValueError, KeyError) as error:
        raise CorruptRunError(run_id, path, f"is damaged ({error})") from error


def _thumbnails(places, answers: Predictions, seen: SeenImages, names, key: str) -> None:
    if not len(places):
        st.caption("There is none.")
        return
    here, images = seen.at(places)
    wanted = st.session_state.setdefault(f"{key}_shown", SHOWN)
    _count(len(places), len(here), min(wanted, len(here)))
    truth, read = answers.labels[here], answers.predicted[here]
    chances = 100 * answers.confidence[here]
    small = images.shape[1] <= DIGIT
    show = charts.thumbnails if small else charts.photos
    show(
        images[:wanted],
        [
            f"{names[t]} → **{names[p]}** {_percent(c)}"
            for t, p, c in zip(truth[:wanted], read[:wanted], chances[:wanted], strict=True)
        ],
        alts=[
            f"An image of {names[t]}, predicted as {names[p]}"
            for t, p in zip(truth[:wanted], read[:wanted], strict=True)
        ],
        width=72 if small else 120,
    )
    if wanted < len(here):
        st.button("Show more", key=f"{key}_more", on_click=_show_more, args=(f"{key}_shown",))


def _count(images: int, here: int, shown: int) -> None:
    words = f"{images:,} image{'s' if images > 1 else ''}"
    if shown < here:
        words = f"The first {shown} of {words}"
    if here < images:
        words += f", {here} of which ship with this run; the others come with the data set"
    st.caption(f"{words}. Below each: true class → predicted class and its probability.")


def _show_more(name: str) -> None:
    st.session_state[name] += SHOWN


def _percent(chance: float) -> str:
    return ">99 %" if 99 < chance < 100 else f"{chance:.0f} %"


def _floor(scores) -> int:
    lowest = min(100 * score.accuracy for score in scores)
    return max(0, int(lowest // 5 * 5 - 5))
