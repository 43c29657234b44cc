"""The author's example images: predictions of his network and of one trained here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.datasets import Dataset, dataset_info, load_dataset
from cnnkit.figures.bars import top_k_bars
from cnnkit.predict import prepare, top_k
from cnnkit.published.reproductions import (
    EXAMPLE_ANSWERS,
    EXAMPLES_DATASET,
    EXAMPLES_SOURCE,
    PublishedAnswer,
)
from cnnkit.runs import Run, Status
from cnnkit.ui.common import cache, charts, inputs, messages, tasks

CARD_WIDTH = 210  # pixels, the least
NOBODY = "nobody"
PARTS = {
    "train": ":orange[This image is in its training set.]",
    "validation": "This image is in its validation set.",
    "test": "This image is in its test set.",
}


def show_example_answers() -> None:
    """A card for each image: his network's predictions, and below them ours."""
    st.subheader("The author's five example images", anchor=False)
    runs = _flower_runs()
    if not dataset_info(EXAMPLES_DATASET).available:
        st.caption("The images themselves are not on this machine: Home says how to get them.")
        runs = {}
    elif not runs:
        st.caption("Run one of the flower rows to see its predictions below the published ones.")
    run = _select_run(runs) if runs else None
    if dataset_info(EXAMPLES_DATASET).available:
        # The first time, all images of the archive are decoded: half a minute.
        name = EXAMPLES_DATASET
        reading = tasks.image_tasks().ask(("read", name), lambda: load_dataset(name))
        tasks.when_ready(
            reading,
            lambda images: _show_cards(run, images),
            waiting="Preparing the images, once for all visits …",
        )
    else:
        _show_cards(run, None)
    messages.source(f"{EXAMPLES_SOURCE}.")


def _show_cards(run: Run | None, images: Dataset | None) -> None:
    with st.grid("auto", min_column_width=CARD_WIDTH):
        for one in EXAMPLE_ANSWERS:
            with st.container(border=True, gap="xsmall"), messages.shown_errors(stop=False):
                _card(one, run, images)


def _flower_runs() -> dict[str, Run]:
    finished = cache.learning_runs(statuses=[Status.FINISHED])
    return {run.id: run for run in finished if run.spec.get("dataset") == EXAMPLES_DATASET}


def _select_run(runs: dict[str, Run]) -> Run | None:
    name = inputs.choice(
        "Compare with one of your runs",
        [*runs, NOBODY],
        parameter="asked",
        title=lambda name: runs[name].name if name in runs else "None",
    )
    return runs.get(name)


def _card(one: PublishedAnswer, run: Run | None, images: Dataset | None) -> None:
    if images is not None:
        charts.photo(images.images[one.row], alt=f"{one.file}: {one.true}", width=CARD_WIDTH)
    st.markdown(f"**{one.true}** :gray[{one.file}]")
    _bars("Published VGG16", one.answers, key=f"published_{one.number}")
    if run is None:
        return
    network = cache.model(run.id)
    split = _split_dataset(int(run.spec.get("split_seed", 0)), run.spec.get("per_class"))
    pixels = prepare(split.images[one.row], network.card.input_shape)
    predictions = top_k(network.logits(pixels[None])[0], network.card.class_names)
    _bars(run.name, [(a.name, a.probability) for a in predictions], key=f"asked_{one.number}")
    st.caption(PARTS[_part(split, one.row)])


def _bars(title: str, answers: Sequence[tuple[str, float]], key: str) -> None:
    names, values = zip(*answers, strict=True)
    st.caption(title)
    words = ", ".join(f"{name} {value:.2%}" for name, value in answers)
    charts.chart(top_k_bars(values, names), alt=f"{title}: {words}", key=key)


@st.cache_resource(max_entries=4, show_spinner=False)
def _split_dataset(split_seed: int, per_class: int | None) -> Dataset:
    return load_dataset(EXAMPLES_DATASET, split_seed=split_seed, per_class=per_class)


def _part(images: Dataset, row: int) -> str:
    """Of the images that a network does not learn from, all are unseen."""
    parts = ("train", "validation")
    return next((part for part in parts if row in images.indices(part)), "test")
