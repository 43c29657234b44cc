"""The images that an author asked his network about, and what one of ours answers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.datasets import Dataset, dataset_info
from cnnkit.figures.bars import top_k_bars
from cnnkit.predict import prepare, top_k
from cnnkit.published.example_answers import DATASET, FLOWERS, SOURCE, PublishedAnswer
from cnnkit.runs import Run, Status
from cnnkit.ui.common import cache, charts, inputs, messages

CARD_WIDTH = 210  # pixels, the least
NOBODY = "nobody"
PARTS = {
    "train": ":orange[It learnt from this image.]",
    "validation": "It was validated on this image.",
    "test": "It had never seen this image.",
}


def show() -> None:
    """A card for each image: his network's answer, and under it one of ours."""
    st.subheader("Five images that the author showed to his VGG16", anchor=False)
    runs = _flower_runs()
    if not dataset_info(DATASET).available:
        st.caption("The images themselves are not on this machine: Home says how to get them.")
        runs = {}
    elif not runs:
        st.caption("Run one of the rows on flowers, and what it answers stands under his.")
    run = _chosen(runs) if runs else None
    with st.grid("auto", min_column_width=CARD_WIDTH):
        for one in FLOWERS:
            with st.container(border=True, gap="xsmall"), messages.shown_errors(stop=False):
                _card(one, run)
    messages.source(f"{SOURCE}.")


def _flower_runs() -> dict[str, Run]:
    finished = cache.learning_runs(statuses=[Status.FINISHED])
    return {run.id: run for run in finished if run.spec.get("dataset") == DATASET}


def _chosen(runs: dict[str, Run]) -> Run | None:
    name = inputs.choice(
        "Ask one of your networks as well",
        [*runs, NOBODY],
        parameter="asked",
        title=lambda name: runs[name].name if name in runs else "None",
    )
    return runs.get(name)


def _card(one: PublishedAnswer, run: Run | None) -> None:
    if dataset_info(DATASET).available:
        images = cache.dataset(DATASET)
        charts.photo(images.images[one.row], alt=f"{one.file}: {one.true}", width=CARD_WIDTH)
    st.markdown(f"**{one.true}** :gray[{one.file}]")
    _bars("His VGG16", one.answers, key=f"published_{one.number}")
    if run is None:
        return
    network = cache.model(run.id)
    images = _divided(int(run.spec.get("split_seed", 0)), run.spec.get("per_class"))
    seen = prepare(images.images[one.row], network.card.input_shape)
    found = top_k(network.logits(seen[None])[0], network.card.class_names)
    _bars(run.name, [(a.name, a.probability) for a in found], key=f"asked_{one.number}")
    st.caption(PARTS[_part(images, one.row)])


def _bars(title: str, answers: Sequence[tuple[str, float]], key: str) -> None:
    names, values = zip(*answers, strict=True)
    st.caption(title)
    words = ", ".join(f"{name} {value:.2%}" for name, value in answers)
    charts.chart(top_k_bars(values, names), alt=f"{title}: {words}", key=key)


@st.cache_resource(max_entries=4, show_spinner=False)
def _divided(split_seed: int, per_class: int | None) -> Dataset:
    from cnnkit.datasets import load_dataset

    return load_dataset(DATASET, split_seed=split_seed, per_class=per_class)


def _part(images: Dataset, row: int) -> str:
    """Of the images that a network does not learn from, all are unseen."""
    parts = ("train", "validation")
    return next((part for part in parts if row in images.indices(part)), "test")
