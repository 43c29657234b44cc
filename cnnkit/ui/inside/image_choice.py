"""The choice of an image for the Inside page: a test image, a drawing or a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.datasets import DatasetSpec, dataset_info
from cnnkit.errors import IncompatibleError
from cnnkit.models import ModelCard
from cnnkit.predict import prepare
from cnnkit.runs import Run
from cnnkit.ui.common import cache, handwriting, inputs, messages

SOURCES = {"test": "Test image", "drawing": "Draw", "photo": "Upload a photo"}  # as on Draw


@dataclass(frozen=True, eq=False)
class InputImage:
    """An image for the network.

    Args:
        image: uint8 (height, width, channels), 0 to 255.
        words: what it is, for people.
        label: its true class; None: unknown.
    """

    image: np.ndarray
    words: str
    label: int | None = None


def digit_picker(run: Run, card: ModelCard) -> InputImage | None:
    """An image for a network: of the test set, drawn, or from a photo; None: none yet.

    Args:
        run: that trained the network.
        card: the network's.
    """
    own = card.input_shape == (28, 28, 1)  # only the form of MNIST can be made of a drawing
    source = "test"
    if own:
        source = inputs.choice(
            "Digit",
            list(SOURCES),
            parameter="from",
            title=SOURCES.__getitem__,
            widget=st.segmented_control,
        )
    if source == "drawing":
        return _drawn()
    return _uploaded() if source == "photo" else _from_data(run, card)


def _test_set(run: Run, card: ModelCard) -> tuple[DatasetSpec, np.ndarray, np.ndarray]:
    """A network's test set, or other digits where it is missing: images and labels.

    Raises:
        IncompatibleError: it is missing, and the network does not take digits.
    """
    spec = dataset_info(card.dataset)
    if spec.available:
        return spec, *cache.test_images(run)
    digits = cache.digits()
    if digits.spec.input_shape != card.input_shape:
        raise IncompatibleError(
            f"The images of {spec.title} are not on this machine, so there is none to show. "
            "Choose another network."
        )
    return digits.spec, *digits.part("test")


def address(run: Run, labels: np.ndarray, index: int, class_names: Sequence[str]) -> dict[str, str]:
    """Parameters of a link to the Inside page for one test image.

    Args:
        run: the network.
        labels: of the whole test part.
        index: of the image in the test part.
        class_names: in the order of the labels.
    """
    number = int(np.flatnonzero(np.flatnonzero(labels == labels[index]) == index)[0])
    return {"run": run.id, "digit": class_names[int(labels[index])], "image": str(number)}


def _from_data(run: Run, card: ModelCard) -> InputImage:
    data, images, labels = _test_set(run, card)
    messages.embedded_notice(data.name)
    name = inputs.choice(
        "Class",
        data.class_names,
        parameter="digit",
        default="7",  # the digit of the Theano post
        widget=st.pills,
        required=True,
    )
    label = data.class_names.index(name)
    indices = np.flatnonzero(labels == label)
    number = inputs.image_picker(len(indices), label=f"Test image (of {len(indices):,})")
    words = f"Test image {indices[number]:,} of {data.title}: “{name}”"
    # Training and evaluation resize the images in the same way.
    return InputImage(prepare(images[indices[number]], card.input_shape, "stretch"), words, label)


def forget_other_network(run_id: str) -> None:
    """Drop the layer from the address when another network was chosen on this page."""
    if st.session_state.setdefault("inside_run", run_id) != run_id:
        st.session_state["inside_run"] = run_id
        for parameter in ("layer", "filters", "digit"):
            st.query_params.pop(parameter, None)


def _drawn() -> InputImage | None:
    digit = handwriting.drawing_input()
    if digit is not None:
        return InputImage(digit.image, "Your digit, as the network sees it")
    before = handwriting.last_drawing()
    return None if before is None else InputImage(before, "Your last drawing")


def _uploaded() -> InputImage | None:
    digit = handwriting.photo_input()
    return None if digit is None else InputImage(digit.image, "The digit in your photo")
