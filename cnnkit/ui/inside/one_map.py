"""One feature map: enlarged over the image, with its filter, its values and what it is good for."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import numpy as np
import streamlit as st

from cnnkit.figures import rasters
from cnnkit.figures.feature_maps import overlaid
from cnnkit.models import ModelCard
from cnnkit.networks import NetworkRef
from cnnkit.ui.common import charts, inputs, page
from cnnkit.ui.inside.activations import Activations
from cnnkit.visualize.layer_activations import ActivationReader, box_of

WIDTH = 448  # pixels of the enlarged map
MOST_KERNELS = 64  # input maps whose kernels are drawn
KERNEL = 96  # pixels of a kernel on the screen, at least


class ChosenMap(NamedTuple):
    """One map of one layer."""

    layer: str
    number: int
    values: np.ndarray  # float32 (height, width)

    @property
    def peak(self) -> tuple[int, int]:
        """Row and column of its largest value."""
        row, column = np.unravel_index(int(self.values.argmax()), self.values.shape)
        return int(row), int(column)


def montage_of_layer(layer: str, maps: np.ndarray, number: int, *, together: bool) -> None:
    """All maps of a layer; a click on one chooses it."""
    from cnnkit.figures.feature_maps import montage_figure

    charts.clickable(
        montage_figure(maps, number, together=together),
        alt=f"{maps.shape[-1]} feature maps of {layer}; map {number} is chosen",
        key="layer_montage",
        clicked=lambda point: st.query_params.update(map=str(point["customdata"][0])),
    )


def map_picker(layer: str, maps: np.ndarray) -> ChosenMap:
    """A map by its number, `?map=` in the address; else the one with the largest value."""
    _forget_other("layer", layer, ("map", "row", "column", "input"))
    strongest = int(maps.max(axis=(0, 1)).argmax())
    count = maps.shape[-1]
    number = int(inputs.number("Map", 0, count - 1, parameter="map", default=strongest))
    _forget_other("map", number, ("input",))
    return ChosenMap(layer, number, maps[..., number])


def _forget_other(what: str, value: object, parameters: tuple[str, ...]) -> None:
    """Drop what the address says of another layer or map than the one that is shown now."""
    key = f"inside_{what}"
    if st.session_state.setdefault(key, value) != value:
        st.session_state[key] = value
        for parameter in parameters:
            st.query_params.pop(parameter, None)


def show_map(
    chosen: ChosenMap,
    ref: NetworkRef,
    card: ModelCard,
    reader: ActivationReader,
    image: np.ndarray,
    activations: Activations,
) -> None:
    """The map over the image, its filter, its histogram, downloads and a link to Visualize."""
    from cnnkit.figures.bars import histogram

    left, right = st.columns([WIDTH, 520], gap="large")
    with left:
        opacity = st.slider(
            "Opacity of the map", 0.0, 1.0, 0.75, 0.05, key="opacity", bind="query-params"
        )
        field = reader.field(chosen.layer)
        composed = overlaid(
            image,
            chosen.values,
            _extent(reader, chosen, image.shape[:2]),
            width=WIDTH,
            opacity=opacity,
            box=box_of(field, chosen.peak, image.shape[:2]),
        )
        charts.image(
            composed,
            width=WIDTH,
            alt=f"Map {chosen.number} of {chosen.layer} over the image, its peak framed",
        )
        st.caption(
            f"Green frame: the receptive field of the largest value, {chosen.values.max():.3g} at "
            f"row {chosen.peak[0]}, column {chosen.peak[1]}."
        )
    with right:
        _show_filter(chosen, card, reader)
        positive = float((chosen.values > 0).mean())
        charts.chart(
            histogram(chosen.values.ravel(), "activation", height=150),
            alt=f"Histogram of map {chosen.number}: {positive:.0%} of its values are positive",
            key="map_histogram",
        )
        st.caption(
            f"{positive:.0%} of the {chosen.values.size:,} values are positive; "
            f"{chosen.values.min():.3g} to {chosen.values.max():.3g}, mean "
            f"{chosen.values.mean():.3g}. Counts are on a logarithmic scale."
        )
        page.link(
            "pages/visualize.py",
            "Optimize an image for this filter",
            network=str(ref),
            layer=chosen.layer,
            images="1",
            unit=str(chosen.number),
        )
        _downloads(chosen, composed, activations[chosen.layer])


def _extent(
    reader: ActivationReader, chosen: ChosenMap, size: tuple[int, ...]
) -> tuple[float, float, float, float]:
    """Where the map lies on the image: each value around the center of its receptive field."""
    axes = reader.field(chosen.layer).axes
    if axes is None:
        return 0.0, 0.0, float(size[0]), float(size[1])
    edges = []
    for axis, count in zip(axes, chosen.values.shape, strict=True):
        half = float(axis.stride) / 2
        first, last = ((axis.first(i) + axis.last(i) + 1) / 2 for i in (0, count - 1))
        edges.append((first - half, last + half))
    (top, bottom), (left, right) = edges
    return top, left, bottom, right


def _show_filter(chosen: ChosenMap, card: ModelCard, reader: ActivationReader) -> None:
    """The kernel that made the map; in color where it sees the image's."""
    from cnnkit.anatomy.convolution import effective_kernel

    name = reader.convolution(chosen.layer)
    if name is None:
        st.caption(f"**{chosen.layer}** has no filter of its own.")
        return
    kernel = effective_kernel(reader.layer(name), chosen.number)
    height, width, channels = kernel.shape
    colors = reader.colors_read_by(name) if channels == 3 else None
    if colors:
        full = np.abs(kernel).max() or 1
        rgb = kernel[..., np.argsort(colors)]
        pixels = np.rint(127.5 + 127.5 * rgb / full).astype(np.uint8)
        scale = -(-KERNEL // max(height, width))
        charts.image(
            rasters.enlarged(pixels, scale),
            width=scale * width,
            alt=f"Filter {chosen.number} of {name} in color",
        )
        words = "in color: gray is zero, a color is the color that it looks for"
    else:
        shown = kernel[..., :MOST_KERNELS].transpose(2, 0, 1)
        columns = min(len(shown), 16)
        charts.montage(
            shown,
            columns=columns,
            scale=max(2, min(16, 380 // (columns * (width + 1)))),
            width="content",
            colors="diverging",
            alt=f"Filter {chosen.number} of {name}: a kernel for each input map",
        )
        more = f", the first {MOST_KERNELS} of them" if channels > MOST_KERNELS else ""
        words = f"a kernel for each of its {channels} input maps{more}" if channels > 1 else ""
    st.caption(
        f"Filter {chosen.number} of **{name}**, {height}×{width}" + f"; {words}" * bool(words)
    )


def _downloads(chosen: ChosenMap, composed: np.ndarray, maps: np.ndarray) -> None:
    name = f"{chosen.layer.replace('/', '_')}_{chosen.number}"
    with st.container(horizontal=True, gap="small"):
        for label, data, file in (
            ("Map over the image (PNG)", lambda: rasters.png(composed), f"{name}.png"),
            ("All maps of the layer (NPZ)", lambda: _npz(maps), f"{chosen.layer}.npz"),
            ("Values of the map (CSV)", lambda: _csv(chosen.values), f"{name}.csv"),
        ):
            st.download_button(
                label, data, file, icon=":material/download:", key=f"download_{file[-3:]}",
                on_click="ignore",
            )  # fmt: skip


def _npz(maps: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, maps=maps)
    return stream.getvalue()


def _csv(values: np.ndarray) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(values.tolist())
    return text.getvalue()
