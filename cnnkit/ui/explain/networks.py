"""The networks that are asked, each with the image as it receives it and what it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnnkit.errors import ExplanationError
from cnnkit.explain.request import images_digest
from cnnkit.models import ModelCard
from cnnkit.networks import NetworkRef
from cnnkit.predict import Prediction, no_answer, softmax
from cnnkit.ui.common import cache, network_list
from cnnkit.ui.common.image_choice import ChosenImage
from cnnkit.ui.common.messages import shown_errors

if TYPE_CHECKING:
    from cnnkit.visualize import TargetLayer

TOP = 5


@dataclass(frozen=True, eq=False)
class AskedNetwork:
    """A network, and the one image that it is asked about.

    Args:
        ref: which network.
        title: shown to people.
        card: what it is.
        words: what the image is, for people.
        image: uint8 (height, width, channels), its exact input.
        probabilities: (classes,), 0 to 1.
        label: the true class; None: unknown.
    """

    ref: NetworkRef
    title: str
    card: ModelCard
    words: str
    image: np.ndarray
    probabilities: np.ndarray
    label: int | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """One for each probability: a head of one logit tells two classes apart."""
        return class_names(self.card)

    @cached_property
    def digest(self) -> str:
        """Of the image."""
        return images_digest(self.image[np.newaxis])

    @property
    def top(self) -> list[Prediction]:
        """The most probable classes."""
        best = np.argsort(-self.probabilities, kind="stable")[:TOP]
        names = self.class_names
        return [Prediction(i, names[i], float(self.probabilities[i])) for i in map(int, best)]


def cards_of(networks: Mapping[NetworkRef, str]) -> dict[NetworkRef, ModelCard]:
    """The cards of networks; what is wrong with one is shown, and the others stay."""
    cards = {}
    for ref in networks:
        with shown_errors(stop=False):
            card = network_list.card(ref)
            card.check_classes()
            cards[ref] = card
    return cards


def ask_networks(
    networks: Mapping[NetworkRef, str], cards: Mapping[NetworkRef, ModelCard], chosen: ChosenImage
) -> list[AskedNetwork]:
    """Show the image to each network; one that fails says why, and is left out."""
    asked = []
    for ref, card in cards.items():
        with shown_errors(stop=False, about=networks[ref]):
            image = chosen.input_for(card)
            shares = _probabilities(str(ref), images_digest(image[np.newaxis]), ref, image)
            words, label = chosen.words, chosen.label_for(card)
            asked.append(AskedNetwork(ref, networks[ref], card, words, image, shares, label))
    return asked


def layers_of(network: AskedNetwork) -> list[TargetLayer]:
    """The layers of a network whose units can be explained, from the input to the logits."""
    return _layers(str(network.ref), network.ref)


def default_cam_layer(network: AskedNetwork) -> str:
    """The layer that class activation maps take by themselves.

    Raises:
        IncompatibleError: the network has none with feature maps.
    """
    return _default_cam_layer(str(network.ref), network.ref)


def class_names(card: ModelCard) -> tuple[str, ...]:
    """Of a network's classes: of one logit, the class and its absence."""
    names = card.class_names
    return (f"not {names[0]}", names[0]) if len(names) == 1 else names


def probabilities(logits: np.ndarray) -> np.ndarray:
    """From logits (images, classes); one logit z stands for two classes, -z/2 and z/2.

    Raises:
        ExplanationError: they are not finite.
    """
    if words := no_answer(logits):
        raise ExplanationError(words)
    two = logits.shape[-1] == 1
    return softmax(np.concatenate([-logits, logits], -1) / 2 if two else logits)


@st.cache_data(max_entries=256, show_spinner=False)
def _probabilities(name: str, digest: str, _ref: NetworkRef, _image: np.ndarray) -> np.ndarray:
    return probabilities(cache.network(_ref).logits(_image[np.newaxis]))[0]


@st.cache_data(max_entries=32, show_spinner="Reading the network's layers …")
def _layers(name: str, _ref: NetworkRef) -> list[TargetLayer]:
    from cnnkit.visualize import target_layers

    opened = cache.network(_ref)
    return target_layers(opened.model, opened.card.input_shape[:2])


@st.cache_data(max_entries=32, show_spinner=False)
def _default_cam_layer(name: str, _ref: NetworkRef) -> str:
    from cnnkit.explain.cam import default_layer

    opened = cache.network(_ref)
    return default_layer(opened.model, opened.card.input_shape[:2])
