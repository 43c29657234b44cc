"""Which network, which image: what is followed forward and back."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.backprop import Network, Trace, trace, train
from cnnkit.backprop.toy import AWAKE, Part, toy_network, toy_parts
from cnnkit.datasets import Dataset, dataset_info
from cnnkit.runs import Run
from cnnkit.ui.common import cache, charts, inputs
from cnnkit.ui.concepts._frame import one_thread

TOY = "toy"
BANDS = dataset_info("toy_patterns").class_names
# Networks of layers in a row, all of which have a twin.
TWINS = (
    "lenet_tutorial",
    "deep_mnist",
    "keras_mnist_cnn",
    "mlp_tutorial",
    "softmax_regression",
    "toy_cnn",
)
LEARNT = (0, 25, 50, 75, 100, 150, 200, 300)  # epochs offered of the toy network
USUAL = 100
BATCH = 32  # training images of a run's network that make a batch


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A network and an image of a known class."""

    network_key: str  # equal for equal networks
    image_key: str  # equal for equal images
    make_network: Callable[[], Network]  # a network of one's own, which may learn
    image: np.ndarray  # uint8 (height, width, channels)
    label: int
    class_names: tuple[str, ...]
    words: str  # what the image is
    batch: Part  # images to learn from at once

    @property
    def key(self) -> tuple[str, str]:
        """Equal for equal questions."""
        return self.network_key, self.image_key


def choose() -> Subject:
    """A network, `?network=`, and an image for it, `?class=` and `?image=`.

    Raises:
        StorageError, CorruptRunError, IncompatibleError, AssetUnavailableError
    """
    runs = {run.id: run for run in cache.finished_runs() if run.spec.get("model") in TWINS}
    left, right = st.columns([6, 1], vertical_alignment="center", gap="medium")
    with left:
        name = inputs.choice(
            "Network",
            [TOY, *runs],
            parameter="network",
            title=lambda name: (
                "Eleven small layers, 12×12 patterns"
                if name == TOY
                else inputs.run_title(runs[name])
            ),
        )
        _forget_what_was_of_another(name)
        subject = _toy() if name == TOY else _of_run(runs[name])
    with right:
        charts.image(subject.image, alt=subject.words, width=124)
    return subject


def followed(subject: Subject) -> Trace:
    """Every number of both directions; worked out once."""
    return _traced(subject.key, subject)


@st.cache_resource(max_entries=8, show_spinner=False)
def _traced(key: tuple[str, str], _subject: Subject) -> Trace:
    with one_thread():
        return trace(_subject.make_network(), _subject.image, _subject.label)


def _forget_what_was_of_another(network: str) -> None:
    """Drop class, layer and places from the address when another network was chosen here."""
    if st.session_state.setdefault("backprop_network", network) != network:
        st.session_state["backprop_network"] = network
        for parameter in ("class", "layer", "at", "weight"):
            st.query_params.pop(parameter, None)


def _toy() -> Subject:
    train_part, (images, labels) = toy_parts()
    left, middle, right = st.columns([4, 5, 4], vertical_alignment="bottom")
    with left:
        label = _class_picker(BANDS, "middle")
    found = np.flatnonzero(labels == label)
    with middle:
        number = inputs.image_picker(len(found), label=f"Which of {len(found)} patterns")
    with right:
        epochs = int(
            inputs.number(
                "Epochs it has learnt",
                min(LEARNT),
                max(LEARNT),
                parameter="learnt",
                default=USUAL,
                widget=st.select_slider,
                options=LEARNT,
                help="Before it has learnt anything its numbers are small and the answer is even.",
            )
        )
    return Subject(
        network_key=f"{TOY}-{epochs}",
        image_key=f"{TOY}-{found[number]}",
        make_network=lambda: copy.deepcopy(_learnt_toy(epochs)),
        image=images[found[number]],
        label=label,
        class_names=tuple(BANDS),
        words=f"Test pattern: {BANDS[label]}",
        batch=train_part,
    )


@st.cache_resource(max_entries=len(LEARNT), show_spinner="The network learns …")
def _learnt_toy(epochs: int) -> Network:
    """The toy network after some epochs; shared, so it is copied before it is used."""
    network = toy_network(AWAKE)
    if epochs:
        with one_thread():
            list(train(network, *toy_parts(), epochs=epochs))
    return network


def _of_run(run: Run) -> Subject:
    opened = cache.model(run.id)
    available = dataset_info(opened.card.dataset).available
    data = cache.dataset(opened.card.dataset) if available else cache.digits()
    images, labels = data.part("test")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        label = _class_picker(data.class_names, "7")
    found = np.flatnonzero(labels == label)
    with right:
        number = found[inputs.image_picker(len(found), label=_which(len(found), data))]
    return Subject(
        network_key=run.id,
        image_key=f"{data.name}-{number}",
        make_network=lambda: copy.deepcopy(_twin(run.id)),
        image=images[number],
        label=label,
        class_names=tuple(data.class_names),
        words=f"Test image {number:,}: “{data.class_names[label]}”",
        batch=_batch(data),
    )


@st.cache_resource(max_entries=3, show_spinner="Building its twin …")
def _twin(run_id: str) -> Network:
    network = cache.model(run_id)
    with network.lock:
        return Network.from_keras(network.model)


def _batch(data: Dataset) -> Part:
    images, labels = data.part("train" if "train" in data.splits else "test")
    return images[:BATCH], labels[:BATCH]


def _class_picker(names, default: str) -> int:
    name = inputs.choice(
        "Class",
        list(names),
        parameter="class",
        default=default if default in names else None,
        widget=st.pills,
        required=True,
    )
    return list(names).index(name)


def _which(count: int, data: Dataset) -> str:
    return f"Which of {count:,} ({data.title})"
