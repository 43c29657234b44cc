"""What is explained: the predicted class, any other, one against another, or a hidden unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.errors import IncompatibleError
from cnnkit.explain import contrast
from cnnkit.ui.common import inputs
from cnnkit.ui.explain.networks import AskedNetwork, layers_of
from cnnkit.visualize import Objective, channel, class_logit, neuron

PREDICTED, NONE, SECOND = "predicted", "none", "second"  # in the address
CLASS, UNIT = "class", "unit"
AIMS = {CLASS: "A class", UNIT: "A hidden unit"}
CHANNEL, NEURON = "channel", "neuron"
PARTS = {CHANNEL: "Whole channel", NEURON: "One position"}


@dataclass(frozen=True)
class ClassTarget:
    """A class, perhaps against another.

    Args:
        number: of the class among `names`; None: what each network predicts.
        against: of the other class; None: none; -1: the most probable other class.
        names: of the classes that were offered.
    """

    number: int | None
    against: int | None
    names: tuple[str, ...]

    def classes(self, network: AskedNetwork) -> tuple[int, int | None]:
        """The two classes among those of a network.

        Raises:
            IncompatibleError: it does not know one of them, or they are the same.
        """
        order = [int(one) for one in np.argsort(-network.probabilities, kind="stable")]
        one = order[0] if self.number is None else self._of(network, self.number)
        if self.against is None:
            return one, None
        others = [number for number in order if number != one]
        other = others[0] if self.against < 0 else self._of(network, self.against)
        if one == other:
            raise IncompatibleError(
                f"“{network.class_names[one]}” cannot be compared with itself. Choose another "
                "class to compare with."
            )
        return one, other

    def objective(self, network: AskedNetwork) -> Objective:
        """For a network. Raises as `classes`."""
        one, other = self.classes(network)
        return class_logit(one) if other is None else contrast(one, other)

    def words(self, network: AskedNetwork) -> str:
        """Such as "tabby, not tiger cat". Raises as `classes`."""
        one, other = self.classes(network)
        names = network.class_names
        return names[one] if other is None else f"{names[one]}, not {names[other]}"

    def _of(self, network: AskedNetwork, number: int) -> int:
        names = network.class_names
        if names == self.names:
            return number
        if self.names[number] not in names:
            raise IncompatibleError(f"This network has no class “{self.names[number]}”.")
        return names.index(self.names[number])


@dataclass(frozen=True)
class UnitTarget:
    """A channel or a neuron of a layer.

    Args:
        layer: its name.
        unit: channel of feature maps, or unit of a dense layer.
        position: row and column of a neuron; None: the whole channel.
    """

    layer: str
    unit: int
    position: tuple[int, int] | None = None

    def objective(self, network: AskedNetwork) -> Objective:
        """For a network."""
        if self.position is None:
            return channel(self.layer, self.unit)
        return neuron(self.layer, self.unit, *self.position)

    def words(self, network: AskedNetwork) -> str:
        """Such as "channel 30 of block3_conv1"."""
        if self.position is None:
            return f"unit {self.unit} of {self.layer}"
        row, column = self.position
        return f"unit {self.unit} of {self.layer} at row {row}, column {column}"


ChosenTarget = ClassTarget | UnitTarget


def target_picker(first: AskedNetwork, *, several: bool = False) -> ChosenTarget:
    """What to explain: by default what is predicted. All of it stands in the address.

    Args:
        first: its classes and layers are offered.
        several: whether other images are explained too, each for what is predicted for it.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        aim = inputs.choice(
            "Explain",
            list(AIMS),
            parameter="aim",
            title=AIMS.__getitem__,
            widget=st.segmented_control,
        )
        return _class_picker(first, several) if aim == CLASS else _unit_picker(first)


def _class_picker(first: AskedNetwork, several: bool) -> ClassTarget:
    names, titles = first.class_names, _titles(first)
    best = first.top[0]
    titles[PREDICTED] = f"Predicted class: {best.name} · {best.probability:.1%}"
    if several:
        titles[PREDICTED] = "Predicted class of each image"
    titles |= {NONE: "– nothing", SECOND: "the most probable other class"}
    top = [str(one.index) for one in first.top]
    numbers = [*top, *(str(n) for n in range(len(names)) if str(n) not in top)]
    chosen = inputs.choice(
        "Class",
        [PREDICTED, *numbers],
        parameter="target",
        title=titles.__getitem__,
        width=270,
        help="The most probable classes come first. Open the list and type to search it.",
    )
    other = inputs.choice(
        "Compared with",
        [NONE, SECOND, *numbers],
        parameter="against",
        title=titles.__getitem__,
        width=270,
        help="Why this class and not that: what speaks for the difference of the two logits.",
    )
    against = {NONE: None, SECOND: -1}
    return ClassTarget(
        None if chosen == PREDICTED else int(chosen),
        against[other] if other in against else int(other),
        names,
    )


def _titles(network: AskedNetwork) -> dict[str, str]:
    titles = {str(number): f"{name} · {number}" for number, name in enumerate(network.class_names)}
    return titles | {
        str(one.index): f"{place}. {one.name} · {one.probability:.1%}"
        for place, one in enumerate(network.top, start=1)
    }


def _unit_picker(first: AskedNetwork) -> UnitTarget:
    layers = {layer.name: layer for layer in layers_of(first)}
    name = inputs.choice(
        "Layer",
        list(layers),
        parameter="layer",
        title=lambda name: f"{name} · {'×'.join(map(str, layers[name].shape))}",
        default=list(layers)[-2 if len(layers) > 1 else -1],
        width=270,
    )
    shape = layers[name].shape
    unit = inputs.number("Channel", 0, shape[-1] - 1, parameter="unit", default=0)
    if len(shape) != 3:
        return UnitTarget(name, int(unit))
    part = inputs.choice("Of it", list(PARTS), parameter="of", title=PARTS.__getitem__)
    if part == CHANNEL:
        return UnitTarget(name, int(unit))
    height, width, _ = shape
    row = inputs.number("Row", 0, height - 1, parameter="row", default=height // 2)
    column = inputs.number("Column", 0, width - 1, parameter="column", default=width // 2)
    return UnitTarget(name, int(unit), (int(row), int(column)))
