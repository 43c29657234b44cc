"""Which network, which layer, which unit: pickers that offer only what there is."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnnkit import assets
from cnnkit.jobs.sessions import SessionState
from cnnkit.models import imagenet_class_names, list_pretrained, pretrained_info
from cnnkit.networks import BUILT, PRETRAINED, RUN, WITHOUT_TOP, NetworkRef
from cnnkit.runs import Run, Status
from cnnkit.ui.common import cache, inputs, network_list, page, polling, uploads
from cnnkit.ui.common.messages import shown_errors
from cnnkit.visualize import Objective, channel, class_logit, diversity, layer_energy, neuron
from cnnkit.visualize.components import OUTPUT

ANSWER = "answer"  # in the address: the network's answer, whatever its last layer is called
MANY = 16  # units at random, as in the post
FEW = 4  # images of one filter that shall differ
DIFFER = 100.0  # weight of their diversity, beside a filter's own values of some hundreds
FILTER, NEURON, LAYER = "filter", "neuron", "layer"
AIMS = {FILTER: "Whole filter", NEURON: "Center neuron", LAYER: "Whole layer"}
COUNTS = {1: "One", MANY: f"{MANY} random", FEW: f"{FEW} diverse"}
SHOWN_UNTRAINED = ("vgg16",)  # with random weights, where the official ones are not here
FIRST = "googlenet"  # where its weights are here: its classes are the clearest


@dataclass(frozen=True)
class Network:
    """One network of the list."""

    ref: NetworkRef
    title: str
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    note: str = ""  # what one must know before trusting its images

    @property
    def key(self) -> str:
        """In the address."""
        return str(self.ref)


@dataclass(frozen=True)
class Target:
    """Which units of a network are maximized."""

    network: Network
    layer: str  # "" is the logits
    units: tuple[int, ...]  # one for each image
    aim: str = FILTER  # what of a hidden layer: one of AIMS
    differ: bool = False  # the images are of one filter, and shall be unlike each other

    def to_dict(self) -> dict[str, Any]:
        """Plain values, from which `target_from` makes it again."""
        values = {name: getattr(self, name) for name in ("layer", "aim", "differ")}
        return values | {"network": self.network.key, "units": list(self.units)}

    @property
    def objective(self) -> Objective:
        """The objective that is maximized."""
        if not self.layer:
            return class_logit(self.units)
        if self.aim == LAYER:
            return layer_energy(self.layer)
        unit = neuron if self.aim == NEURON else channel
        objective = unit(self.layer, self.units)
        return objective + DIFFER * diversity(self.layer) if self.differ else objective

    @property
    def names(self) -> tuple[str, ...]:
        """Of the units, as people call them."""
        if not self.layer:
            return tuple(self.network.class_names[unit] for unit in self.units)
        if self.aim == LAYER:
            return (f"whole layer {self.layer}",)
        where = ", center neuron" if self.aim == NEURON else ""
        return tuple(f"{self.layer} {unit}{where}" for unit in self.units)


def target_from(values: Mapping[str, Any], networks: Sequence[Network]) -> Target | None:
    """The inverse of `Target.to_dict`; None where its network is no longer among them."""
    for network in networks:
        if network.key == values.get("network"):
            return Target(**{**values, "network": network, "units": tuple(values["units"])})
    return None


def network_picker(networks: Sequence[Network]) -> Network:
    """A network, `?network=` in the address; the first is one that is on this machine.

    Beside it a place to upload a file.

    Args:
        networks: from `networks`.
    """
    keys = {network.key: network for network in networks}
    preferred = str(NetworkRef(PRETRAINED, FIRST))
    network_list.translate_address("network")
    chosen = inputs.choice(
        "Network",
        list(keys),
        parameter="network",
        title=lambda key: keys[key].title,
        default=preferred if preferred in keys else None,
    )
    uploads.offer("network", several=False)
    return keys[chosen]


def target_picker(network: Network, *, several: bool = True) -> Target | None:
    """Layer and unit; None while the layers are still being read.

    Args:
        network: chosen before.
        several: offer many units at once.
    """
    layer = _layer_picker(network)
    if layer is None:
        return None
    name, units, maps = layer
    aim = _aim_picker() if maps and several else FILTER
    if aim == LAYER:
        return Target(network, name, (0,), aim)
    count = _count_picker(maps) if several else 1
    if count == MANY:
        sample = random.Random(f"{network.key}:{name}").sample(range(units), min(MANY, units))
        return Target(network, name, tuple(sample), aim)
    unit = _unit_picker(network, name, units)
    return Target(network, name, count * (unit,), aim, differ=count == FEW)


def layers(network: Network) -> list[tuple[str, str, tuple[int, ...]]] | None:
    """(name, kind, shape) of each layer; None while they are being read.

    A network whose layers cannot be read ends the page with the reason.
    """
    state = _layers_state(network)
    if state is None or not state.over:
        return None
    if state.status is not Status.FINISHED:
        st.error(state.reason, icon=":material/error:")
        page.end_page()
    return [(name, kind, tuple(shape)) for name, kind, shape in state.details["layers"]]


def _layers_state(network: Network) -> SessionState | None:
    worker, asked = cache.visualization_worker(), st.session_state.setdefault("layer_questions", {})
    state = worker.state(asked.get(network.ref, ""))
    if state is None or state.status is Status.INTERRUPTED:
        asked[network.ref] = worker.ask_layers(network.ref)
        state = worker.state(asked[network.ref])
    return state


def _aim_picker() -> str:
    return inputs.choice("Unit", list(AIMS), parameter="of", title=AIMS.__getitem__)


def _count_picker(maps: bool) -> int:
    counts = {str(count): title for count, title in COUNTS.items() if maps or count != FEW}
    chosen = inputs.choice(
        "Images", list(counts), parameter="images", title=counts.__getitem__, default="1"
    )
    return int(chosen)


def _layer_picker(network: Network) -> tuple[str, int, bool] | None:
    """Name and number of units of the chosen layer, and whether they are maps."""
    from_address = st.query_params.get("layer", ANSWER)
    classes = len(network.class_names)
    # The output of a network without top is maps, which are among its layers.
    units_of: Mapping[str, int] = {ANSWER: classes} if classes else {}
    maps = set()
    titles = {ANSWER: f"Logits ({classes})"}
    read = layers(network)
    if read is None:
        wait_for_layers(network)
        if from_address != ANSWER or not classes:
            return None
    else:
        for name, kind, shape in read:
            units_of = {**units_of, name: shape[-1]}
            maps |= {name} if len(shape) == 3 else set()
            titles[name] = f"{name} · {kind} {'×'.join(map(str, shape))}"
    chosen = inputs.choice(
        "Layer", list(units_of), parameter="layer", title=titles.__getitem__, default=ANSWER
    )
    return (OUTPUT if chosen == ANSWER else chosen), units_of[chosen], chosen in maps


def wait_for_layers(network: Network) -> None:
    """Say that they are being read, and run the page again when they are there."""

    def draw(state: SessionState | None) -> None:
        st.caption(":material/progress_activity: Reading the network's layers …")

    polling.poll(
        lambda: _layers_state(network),
        draw,
        moves=lambda state: state is None or not state.over,
        every=0.5,
    )


def _unit_picker(network: Network, layer: str, units: int) -> int:
    if layer:
        return inputs.number("Filter", 0, units - 1, parameter="unit", default=min(30, units - 1))
    names = network.class_names
    default = names.index("goldfish") if "goldfish" in names else min(7, units - 1)
    chosen = inputs.choice(
        "Class",
        [str(unit) for unit in range(units)],
        parameter="unit",
        title=lambda unit: f"{names[int(unit)]} · {unit}",
        default=str(default),
        help="Open the list and type to search it.",
    )
    return int(chosen)


def networks(runs: Sequence[Run]) -> list[Network]:
    """All networks whose units can be visualized, those on this machine first.

    Args:
        runs: finished ones, offered beside the pretrained networks.
    """
    available = [_pretrained(name) for name in list_pretrained() if pretrained_info(name).available]
    own = [_own(run) for run in runs]
    untrained = [name for name in SHOWN_UNTRAINED if not pretrained_info(name).available]
    missing = [name for name in list_pretrained() if not pretrained_info(name).available]
    small = {name: assets.without_top_asset(name) for name in missing}
    topless = [n for n, asset in small.items() if asset in assets.ASSETS and assets.find(asset)]
    return [
        *available,
        *own,
        *_uploaded(),
        *map(_without_top, topless),
        *map(_untrained, untrained),
    ]


def _pretrained(name: str) -> Network:
    spec = pretrained_info(name)
    ref = NetworkRef(PRETRAINED, name)
    shape = (spec.size, spec.size, 3)
    return Network(ref, f"{spec.title} · ImageNet", imagenet_class_names(), shape)


def _without_top(name: str) -> Network:
    spec = pretrained_info(name)
    ref, shape = NetworkRef(WITHOUT_TOP, name), (spec.size, spec.size, 3)
    return Network(ref, f"{spec.title} without top · ImageNet", (), shape)


def _own(run: Run) -> Network:
    card, ref = cache.card(run.id), NetworkRef(RUN, run.id)
    return Network(ref, inputs.run_title(run), card.class_names, card.input_shape)


def _uploaded() -> list[Network]:
    """The network that this visitor uploaded, if it can be opened."""
    with shown_errors(stop=False):
        ref = uploads.ref()
        if ref:
            card = ref.card()
            return [Network(ref, card.title, card.class_names, card.input_shape)]
    return []


def _untrained(name: str) -> Network:
    spec = pretrained_info(name)
    return Network(
        NetworkRef(BUILT, name),
        f"{spec.title} · untrained",
        imagenet_class_names(),
        (spec.size, spec.size, 3),
        note=f"The official weights of {spec.title} with its dense layers are not on this machine, "
        "so its weights are random numbers: these images show the architecture at work, not "
        "anything learned. Predict offers to download them.",
    )
