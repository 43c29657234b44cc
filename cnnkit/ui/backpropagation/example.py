"""The choice of a network and an image for the forward and backward pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.backprop import BackpropTrace, NumpyModel, trace, train
from cnnkit.backprop.toy import RANDOM_LAST_LAYER, Part, toy_network, toy_parts
from cnnkit.backprop.training import one_thread
from cnnkit.datasets import Dataset, dataset_info
from cnnkit.models.builder import is_code
from cnnkit.runs import Run
from cnnkit.training.recipe import network_name
from cnnkit.ui.common import cache, charts, inputs

TOY = "toy"
BANDS = dataset_info("toy_patterns").class_names
# Sequential networks, all of whose layers the NumPy model has.
SEQUENTIAL = (
    "lenet_tutorial",
    "deep_mnist",
    "keras_mnist_cnn",
    "mlp_tutorial",
    "softmax_regression",
    "toy_cnn",
)
TRAINED_EPOCHS = (0, 25, 50, 75, 100, 150, 200, 300)  # epochs offered of the toy network
USUAL = 100
BATCH = 32  # training images of a run's network that make a batch


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """A network and an image of a known class."""

    network_key: str  # equal for equal networks
    image_key: str  # equal for equal images
    make_network: Callable[[], NumpyModel]  # a new copy, which may be trained
    image: np.ndarray  # uint8 (height, width, channels)
    label: int
    class_names: tuple[str, ...]
    words: str  # what the image is
    batch: Part  # training images

    @property
    def key(self) -> tuple[str, str]:
        """Equal for equal networks and images."""
        return self.network_key, self.image_key


def choose_example() -> Example:
    """A network, `?network=`, and an image for it, `?class=` and `?image=`.

    Raises:
        StorageError, CorruptRunError, IncompatibleError, AssetUnavailableError
    """
    runs = {run.id: run for run in cache.finished_runs() if _may_be_sequential(run)}
    left, right = st.columns([6, 1], vertical_alignment="center", gap="medium")
    with left:
        name = inputs.choice(
            "Network",
            [TOY, *runs],
            parameter="network",
            title=lambda name: (
                "Toy network of 11 layers, 12×12 patterns"
                if name == TOY
                else inputs.run_title(runs[name])
            ),
        )
        _forget_other_network(name)
        example = _toy() if name == TOY else _of_run(runs[name])
    with right:
        charts.image(example.image, alt=example.words, width=124)
    return example


def _may_be_sequential(run: Run) -> bool:
    """Whether its network may be one of NumPy: of definitions, opening them tells."""
    return run.spec.get("model") in SEQUENTIAL or is_code(network_name(run.spec))


def example_trace(example: Example) -> BackpropTrace:
    """The forward and backward pass; computed once."""
    return _traced(example.key, example)


@st.cache_resource(max_entries=8, show_spinner=False)
def _traced(key: tuple[str, str], _example: Example) -> BackpropTrace:
    with one_thread():
        return trace(_example.make_network(), _example.image, _example.label)


def _forget_other_network(network: str) -> None:
    """Drop class, layer and places from the address when another network was chosen here."""
    if st.session_state.setdefault("backprop_network", network) != network:
        st.session_state["backprop_network"] = network
        for parameter in ("class", "layer", "at", "weight"):
            st.query_params.pop(parameter, None)


def _toy() -> Example:
    train_part, (images, labels) = toy_parts()
    left, middle, right = st.columns([4, 5, 4], vertical_alignment="bottom")
    with left:
        label = _class_picker(BANDS, "middle")
    indices = np.flatnonzero(labels == label)
    with middle:
        number = inputs.image_picker(len(indices), label=f"Pattern (of {len(indices)})")
    with right:
        epochs = int(
            inputs.number(
                "Training epochs",
                min(TRAINED_EPOCHS),
                max(TRAINED_EPOCHS),
                parameter="learnt",
                default=USUAL,
                widget=st.select_slider,
                options=TRAINED_EPOCHS,
                help="At epoch 0 the weights are random, and all classes about equally probable.",
            )
        )
    return Example(
        network_key=f"{TOY}-{epochs}",
        image_key=f"{TOY}-{indices[number]}",
        make_network=lambda: copy.deepcopy(_trained_toy(epochs)),
        image=images[indices[number]],
        label=label,
        class_names=tuple(BANDS),
        words=f"Test pattern: {BANDS[label]}",
        batch=train_part,
    )


@st.cache_resource(max_entries=len(TRAINED_EPOCHS), show_spinner="Training the network …")
def _trained_toy(epochs: int) -> NumpyModel:
    """The toy network after some epochs; shared, so it is copied before it is used."""
    network = toy_network(RANDOM_LAST_LAYER)
    if epochs:
        with one_thread():
            list(train(network, *toy_parts(), epochs=epochs))
    return network


def _of_run(run: Run) -> Example:
    opened = cache.model(run.id)
    available = dataset_info(opened.card.dataset).available
    data = cache.dataset(opened.card.dataset) if available else cache.digits()
    images, labels = data.part("test")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        label = _class_picker(data.class_names, "7")
    indices = np.flatnonzero(labels == label)
    with right:
        number = indices[inputs.image_picker(len(indices), label=_which(len(indices), data))]
    return Example(
        network_key=run.id,
        image_key=f"{data.name}-{number}",
        make_network=lambda: copy.deepcopy(_numpy_model(run.id)),
        image=images[number],
        label=label,
        class_names=tuple(data.class_names),
        words=f"Test image {number:,}: “{data.class_names[label]}”",
        batch=_batch(data),
    )


@st.cache_resource(max_entries=3, show_spinner="Converting to NumPy …")
def _numpy_model(run_id: str) -> NumpyModel:
    network = cache.model(run_id)
    with network.lock:
        return NumpyModel.from_keras(network.model)


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
    return f"Image (of {count:,}, {data.title})"
