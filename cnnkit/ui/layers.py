"""The page Layers: mosaics of filters, one filter of each enlarged, and the job that makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.figures.rasters import POSITIVE
from cnnkit.networks import NetworkRef
from cnnkit.published.mosaics import ShippedMosaics
from cnnkit.runs import Progress, Run, Status
from cnnkit.ui.common import cache, charts, inputs, messages, page, polling, run_monitor
from cnnkit.ui.common.person import person
from cnnkit.ui.visualize import form, targets
from cnnkit.ui.visualize.shipped import example_of_official_weights, shipped_for
from cnnkit.ui.visualize.starter_examples import example_layers
from cnnkit.ui.visualize.targets import Network
from cnnkit.visualize.mosaics import (
    ALL,
    SOME,
    USUAL,
    LayerMosaic,
    MosaicSettings,
    default_settings,
    usual_layers,
)

KIND = "mosaic"
LOOKED_AT = 20  # of the last jobs, to find the one that makes this
WISHES = {"pause": "pausing after this layer", "cancel": "stopping"}
WIDTH, WIDER = 448, 640  # pixels, of a mosaic of sixteen and of more
LARGE = 288  # pixels, of the chosen filter and of its top activating images
PICKER = 280  # pixels
ABREAST = 3  # top activating images
MOST_NAMED = 4


@dataclass(frozen=True)
class MosaicSelection:
    """What shall be on the page."""

    network: Network
    layers: tuple[str, ...]  # from shallow to deep
    settings: MosaicSettings
    verified: bool  # whether the network's layers have been read, and these are among them
    shipped: ShippedMosaics | None = None  # what need not be made

    @property
    def keys(self) -> dict[str, str]:
        """Layer → name of its mosaic among the results."""
        weights = self.network.ref.digest()
        return {layer: self.settings.key(weights, layer) for layer in self.layers}

    @property
    def spec(self) -> dict:
        """Of a job that makes it, but for its layers."""
        return {"network": str(self.network.ref), **self.settings.to_dict()}


def settings_form(network: Network) -> MosaicSettings:
    """How many filters, and how they are maximized; all of it in the address."""
    usual = default_settings(network.ref.name).preset
    if st.session_state.get("usual_preset") != usual and "preset" not in st.query_params:
        st.session_state.pop(inputs.key_of("preset"), None)  # that of another network
    st.session_state["usual_preset"] = usual
    every = st.toggle(
        "All filters",
        key="all_filters",
        bind="query-params",
        help=f"Every filter of a layer instead of a random sample of {SOME}: it takes longer.",
    )
    with st.popover("Settings", icon=":material/tune:"):
        preset = form.recipe_picker(usual)
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


def select_layers(network: Network, settings: MosaicSettings) -> MosaicSelection:
    """The layers that are chosen, `?layers=` in the address.

    While the network's layers are still being read, those that the address names, so that
    what was made before is shown at once.
    """
    _forget(network, settings)
    shipped = shipped_for(network.ref, settings)
    usual = tuple(shipped.layers) if shipped else USUAL.get(network.ref.name, ())
    layers = targets.layers(network)
    if layers is None:
        targets.wait_for_layers(network)
        named = tuple(filter(None, st.query_params.get("layers", "").split(",")))
        return MosaicSelection(network, named or usual, settings, verified=False, shipped=shipped)
    default = list(usual) if shipped else usual_layers(network.ref.name, layers)
    chosen = _layer_picker(network, layers, default)
    return MosaicSelection(network, chosen, settings, verified=True, shipped=shipped)


def read_mosaics(selection: MosaicSelection) -> dict[str, LayerMosaic]:
    """What is there already, from shallow to deep: made on this machine, or shipped."""
    results, shipped = cache.visualization_worker().results, selection.shipped
    mosaics = {layer: LayerMosaic.read(results, key) for layer, key in selection.keys.items()}
    others = shipped.layers if shipped else {}
    found = {layer: one or others.get(layer) for layer, one in mosaics.items()}
    return {layer: one for layer, one in found.items() if one}


def offer_job(selection: MosaicSelection, made: Mapping[str, LayerMosaic]) -> None:
    """Offer to make what lacks, or follow the job that does."""
    lacking = [layer for layer in selection.layers if layer not in made]
    run = _unfinished(selection, lacking) if lacking else None
    if run:
        _follow(run, selection, len(made))
        lacking = [layer for layer in lacking if layer not in run.spec["layers"]]
    if not selection.verified or not lacking:
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
    if not made and not run and not example_of_official_weights(selection.network.ref):
        example_layers()


def _forget(network: Network, settings: MosaicSettings) -> None:
    """What was chosen of another network or draw is not there: begin with the usual."""
    before = st.session_state.get("layers_of", (network.key, settings))
    st.session_state["layers_of"] = (network.key, settings)
    gone = ("layer", "unit") if before != (network.key, settings) else ()
    if before[0] != network.key:
        gone = ("layers", *gone)
        st.session_state.pop(inputs.key_of("layers"), None)
    for parameter in gone:
        st.query_params.pop(parameter, None)


def _layer_picker(network: Network, layers: Sequence, default: list[str]) -> tuple[str, ...]:
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
        default=default,
        placeholder="Choose layers",
    )
    if not chosen:
        st.info("Choose at least one layer.", icon=":material/layers:")
    return tuple(name for name in kinds if name in chosen)


def _unfinished(selection: MosaicSelection, lacking: Sequence[str]) -> Run | None:
    """The last job that makes some of what lacks, or would if it were resumed."""
    for run in cache.list_runs(kind=KIND, limit=LOOKED_AT):
        same = (NetworkRef.from_spec(run.spec), MosaicSettings.from_dict(run.spec)) == (
            selection.network.ref,
            selection.settings,
        )
        # What somebody else has stopped or paused is not for the visitor to resume.
        same = same and (not run.status.over or person().may_change(run.owner))
        if same and run.status is not Status.FINISHED and set(lacking) & set(run.spec["layers"]):
            return run
    return None


def _follow(run: Run, selection: MosaicSelection, shown: int) -> None:
    """How far the job is, renewed until it is over; the page runs anew for each layer."""
    results, keys = cache.visualization_worker().results, selection.keys
    others = selection.shipped.layers if selection.shipped else {}

    def draw(now: Run) -> None:
        with st.container(border=True):
            progress = now.progress or Progress()
            st.progress(progress.fraction, _progress_text(now, progress))
            if now.reason:
                st.error(now.reason.partition("\n")[0], icon=":material/error:")
            with st.container(horizontal=True, vertical_alignment="center"):
                messages.status_chip(now.status, WISHES.get(now.wish or "", ""))
                run_monitor.controls(now)
        if sum(layer in others or results.has(key) for layer, key in keys.items()) != shown:
            st.rerun()

    polling.follow(run.id, draw)


def _progress_text(run: Run, progress: Progress) -> str:
    if run.status is Status.QUEUED:
        return "Queued"
    if not progress.epochs:
        return "Opening the network" if not run.status.over else "Not started"
    layer = run.spec["layers"][progress.epoch - 1]
    steps = f"{layer}, layer {progress.epoch} of {progress.epochs}"
    if run.status.over or progress.seconds_left is None:
        return steps
    return f"{steps} · about {polling.duration(progress.seconds_left)} left"


def show_mosaics(selection: MosaicSelection, made: Mapping[str, LayerMosaic]) -> None:
    """Every layer that is there, from shallow to deep.

    Args:
        selection: the layers to show.
        made: layer → its mosaic.
    """
    chosen = _of_address(selection, made)
    if selection.shipped and any(one in made.values() for one in selection.shipped.layers.values()):
        st.caption(
            ":material/inventory_2: These mosaics ship with cnnkit. They were made with these "
            "settings from exactly the weights of this network."
        )
    for layer, mosaic in made.items():
        with st.container(border=True):
            st.markdown(f"##### {layer}")
            st.caption(_description(selection, mosaic))
            with st.container(horizontal=True, vertical_alignment="center"):
                place = _filter_picker(mosaic, chosen.get(layer))
                _visualize_link(selection, mosaic, place)
            mosaic_column, large, top = st.columns([7, 4, 4], gap="medium")
            with mosaic_column:
                _grid(mosaic, place)
            with large:
                _large(mosaic, place)
            with top:
                _top_activating(mosaic, place)


def _of_address(selection: MosaicSelection, made: Mapping[str, LayerMosaic]) -> dict[str, int]:
    """`?layer=` and `?unit=`: the filter that was chosen last, if it is there."""
    layer, unit = st.query_params.get("layer"), st.query_params.get("unit")
    if layer is None or (layer in selection.layers and layer not in made):
        return {}
    if layer in made and unit in {str(one) for one in made[layer].units}:
        return {layer: int(unit)}
    st.warning(
        f"The address asks for filter “{unit}” of layer “{layer}”, which is not in these mosaics. "
        "Choose one of those below.",
        icon=":material/link_off:",
    )
    return {}


def _description(selection: MosaicSelection, mosaic: LayerMosaic) -> str:
    height, width, _ = selection.network.input_shape
    shape = "×".join(map(str, mosaic.shape))
    if mosaic.field is None:
        field = "receptive field not known"
    elif min(mosaic.field) >= max(height, width):
        field = "receptive field: the whole image"
    else:
        field = f"receptive field {'×'.join(map(str, mosaic.field))} of {height}×{width} pixels"
    count, every = len(mosaic.units), mosaic.shape[-1]
    return f"{shape} · {field} · {count} of {every} filters"


def _filter_picker(mosaic: LayerMosaic, chosen: int | None) -> int:
    """Place of a filter in its mosaic. Choosing one writes it into the address."""
    key = f"filter_{mosaic.layer}"
    if chosen is not None:
        st.session_state[key] = chosen
    if st.session_state.get(key) not in mosaic.units:
        st.session_state[key] = mosaic.units[0]
    unit = st.selectbox(
        "Filter",
        mosaic.units,
        format_func=lambda unit: f"Filter {unit} · {_where(mosaic, unit)}",
        key=key,
        on_change=_write_address,
        args=(key, mosaic.layer),
        label_visibility="collapsed",
        width=PICKER,
    )
    return mosaic.units.index(unit)


def _write_address(key: str, layer: str) -> None:
    st.query_params["layer"] = layer
    st.query_params["unit"] = str(st.session_state[key])


def _where(mosaic: LayerMosaic, unit: int) -> str:
    row, column = divmod(mosaic.units.index(unit), _columns(len(mosaic.units)))
    return f"row {row + 1}, column {column + 1}"


def _columns(count: int) -> int:
    return int(np.ceil(np.sqrt(count)))


def _grid(mosaic: LayerMosaic, place: int) -> None:
    count = len(mosaic.units)
    charts.mosaic(
        _framed(mosaic.images, place),
        columns=_columns(count),
        width=WIDTH if count <= SOME else WIDER,
        alt=f"Activation maximization of {count} filters of {mosaic.layer}; "
        f"filter {mosaic.units[place]} is framed",
    )


def _framed(images: np.ndarray, place: int) -> np.ndarray:
    """The same images in color, one of them with a frame."""
    colored = np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images.copy()
    border = max(1, images.shape[1] // 28)
    inside = colored[place, border:-border, border:-border].copy()
    colored[place] = POSITIVE[:3]
    colored[place, border:-border, border:-border] = inside
    return colored


def _large(mosaic: LayerMosaic, place: int) -> None:
    unit = mosaic.units[place]
    charts.mosaic(
        mosaic.images[place : place + 1],
        columns=1,
        width=LARGE,
        alt=f"Activation maximization of filter {unit} of {mosaic.layer}",
    )
    st.caption(f"Activation maximization of filter {unit}.")


def _visualize_link(selection: MosaicSelection, mosaic: LayerMosaic, place: int) -> None:
    unit = mosaic.units[place]
    page.link(
        "pages/visualize.py",
        f"Continue with filter {unit} in Visualize",
        network=selection.network.key,
        layer=mosaic.layer,
        unit=str(unit),
        preset=selection.settings.preset,
    )


def _top_activating(mosaic: LayerMosaic, place: int) -> None:
    best = mosaic.places[place]
    if not len(best):
        st.caption("No images on this machine fit this network's input, so none are shown here.")
        return
    names = list(dict.fromkeys(mosaic.names[one] for one in best))
    charts.mosaic(
        mosaic.shown[best],
        columns=ABREAST,
        width=LARGE,
        alt=f"Top activating images of filter {mosaic.units[place]}: {', '.join(names)}",
    )
    more = " and others" if len(names) > MOST_NAMED else ""
    st.caption(
        f"Top activating image patches of {mosaic.collection}: "
        f"{', '.join(names[:MOST_NAMED])}{more}."
    )
