"""Which layers, how many of their filters, and the job that makes what is not there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress, Run, Status
from cnnkit.ui.common import cache, inputs, messages, polling, run_monitor
from cnnkit.ui.visualize import form, targets
from cnnkit.ui.visualize.starter_examples import example_layers
from cnnkit.ui.visualize.targets import Network
from cnnkit.visualize.mosaics import ALL, SOME, USUAL, LayerMosaic, MosaicSettings, usual_layers

KIND = "mosaic"
LOOKED_AT = 20  # of the last jobs, to find the one that makes this


@dataclass(frozen=True)
class MosaicSelection:
    """What shall be on the page."""

    network: Network
    layers: tuple[str, ...]  # from shallow to deep
    way: MosaicSettings
    known: bool  # whether the network's layers have been read, and these are among them

    @property
    def keys(self) -> dict[str, str]:
        """Layer → name of its mosaic among the results."""
        weights = self.network.ref.digest()
        return {layer: self.way.key(weights, layer) for layer in self.layers}

    @property
    def spec(self) -> dict:
        """Of a job that makes it, but for its layers."""
        return {"network": str(self.network.ref), **self.way.to_dict()}


def settings_form() -> MosaicSettings:
    """How many filters, and how they are maximized; all of it in the address."""
    every = st.toggle(
        "All filters",
        key="all_filters",
        bind="query-params",
        help=f"Every filter of a layer instead of a random sample of {SOME}: it takes longer.",
    )
    with st.popover("Settings", icon=":material/tune:"):
        preset = form.recipe_picker()
        steps = inputs.number("Steps", 1, 2000, parameter="steps", default=preset.steps, step=16)
        seed = inputs.number(
            "Random seed",
            0,
            10**6,
            parameter="seed",
            default=0,
            help="Another seed samples other filters, and starts from another initial noise.",
        )
    units = ALL if every else SOME
    return MosaicSettings(units=units, preset=preset.name, steps=int(steps), seed=int(seed))


def select_layers(network: Network, way: MosaicSettings) -> MosaicSelection:
    """The layers that are chosen, `?layers=` in the address.

    While the network's layers are still being read, those that the address names, so that
    what was made before is shown at once.
    """
    _forget(network, way)
    layers = targets.layers(network)
    if layers is None:
        targets.wait_for_layers(network)
        named = st.query_params.get("layers", "").split(",")
        usual = USUAL.get(network.ref.name, ())
        return MosaicSelection(network, tuple(filter(None, named)) or usual, way, known=False)
    return MosaicSelection(network, _layer_picker(network, layers), way, known=True)


def read_mosaics(selection: MosaicSelection) -> dict[str, LayerMosaic]:
    """What is there already, from shallow to deep."""
    results = cache.visualization_worker().results
    found = {layer: LayerMosaic.read(results, key) for layer, key in selection.keys.items()}
    return {layer: one for layer, one in found.items() if one}


def offer_job(selection: MosaicSelection, made: Mapping[str, LayerMosaic]) -> None:
    """Offer to make what lacks, or follow the job that does."""
    lacking = [layer for layer in selection.layers if layer not in made]
    run = _unfinished(selection, lacking) if lacking else None
    if run:
        _follow(run, selection, len(made))
        lacking = [layer for layer in lacking if layer not in run.spec["layers"]]
    if not selection.known or not lacking:
        return
    if not made and not run:
        st.info(
            "Press **Make the mosaics** to optimize an image from noise for each filter. Every "
            "layer appears as soon as it is finished, and stays.",
            icon=":material/layers:",
        )
    count = "" if len(lacking) == len(selection.layers) else f" of {', '.join(lacking)}"
    if st.button(
        f"Make the mosaics{count}", type="primary", icon=":material/play_arrow:", key="make"
    ):
        name = f"Layers of {selection.network.title}"
        cache.jobs().submit(kind=KIND, spec=selection.spec | {"layers": lacking}, name=name)
        st.rerun()
    if not made and not run:
        example_layers()


def _forget(network: Network, way: MosaicSettings) -> None:
    """What was chosen of another network or draw is not there: begin with the usual."""
    before = st.session_state.get("layers_of", (network.key, way))
    st.session_state["layers_of"] = (network.key, way)
    gone = ("layer", "unit") if before != (network.key, way) else ()
    if before[0] != network.key:
        gone = ("layers", *gone)
        st.session_state.pop(inputs.key_of("layers"), None)
    for parameter in gone:
        st.query_params.pop(parameter, None)


def _layer_picker(network: Network, layers: Sequence) -> tuple[str, ...]:
    shapes = {name: "×".join(map(str, shape)) for name, _, shape in layers}
    kinds = {name: kind for name, kind, _ in layers}
    named = [name for name in st.query_params.get("layers", "").split(",") if name]
    unknown = [name for name in named if name not in kinds]
    if unknown:
        st.warning(
            f"The address asks for layers that {network.title} does not have: "
            f"{', '.join(unknown)}. They are left out.",
            icon=":material/link_off:",
        )
        if len(unknown) == len(named):
            del st.query_params["layers"]
    chosen = inputs.several(
        "Layers",
        list(kinds),
        parameter="layers",
        title=lambda name: f"{name} · {kinds[name]} {shapes[name]}",
        default=usual_layers(network.ref.name, layers),
        placeholder="Choose layers",
    )
    if not chosen:
        st.info("Choose at least one layer.", icon=":material/layers:")
    return tuple(name for name in kinds if name in chosen)


def _unfinished(selection: MosaicSelection, lacking: Sequence[str]) -> Run | None:
    """The last job that makes some of what lacks, or would if it were resumed."""
    for run in cache.store().list(kind=KIND, limit=LOOKED_AT):
        same = (NetworkRef.from_spec(run.spec), MosaicSettings.from_dict(run.spec)) == (
            selection.network.ref,
            selection.way,
        )
        if same and run.status is not Status.FINISHED and set(lacking) & set(run.spec["layers"]):
            return run
    return None


def _follow(run: Run, selection: MosaicSelection, shown: int) -> None:
    """How far the job is, renewed until it is over; the page runs anew for each layer."""
    results, keys = cache.visualization_worker().results, selection.keys.values()

    def draw(now: Run) -> None:
        with st.container(border=True):
            progress = now.progress or Progress()
            st.progress(progress.fraction, _in_words(now, progress))
            if now.reason:
                st.error(now.reason.partition("\n")[0], icon=":material/error:")
            with st.container(horizontal=True, vertical_alignment="center"):
                messages.status_chip(now.status, _WISHES.get(now.wish or "", ""))
                run_monitor.controls(now)
        if sum(map(results.has, keys)) != shown:
            st.rerun()

    polling.follow(run.id, draw)


def _in_words(run: Run, progress: Progress) -> str:
    if run.status is Status.QUEUED:
        return "Queued"
    if not progress.epochs:
        return "Opening the network" if not run.status.over else "Not started"
    layer = run.spec["layers"][progress.epoch - 1]
    steps = f"{layer}, layer {progress.epoch} of {progress.epochs}"
    if run.status.over or progress.seconds_left is None:
        return steps
    return f"{steps} · about {polling.duration(progress.seconds_left)} left"


_WISHES = {"pause": "pausing after this layer", "cancel": "stopping"}
