"""Filters, feature maps and activations of every layer for one image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnnkit import anatomy
from cnnkit.errors import CnnkitError
from cnnkit.models import ModelCard, Predictor
from cnnkit.networks import RUN, NetworkRef
from cnnkit.predict import no_answer, softmax
from cnnkit.ui.common import cache, charts, inputs
from cnnkit.ui.inside import activations
from cnnkit.ui.inside.activations import Activations
from cnnkit.ui.inside.blocks import COLORS, SCALES

if TYPE_CHECKING:
    from keras import Model

LOOK = {"colors": "diverging"}
PIPELINE_STAGES, PIPELINE_CLASSES = 14, 20  # at most, in one row
VALUES = 200_000  # of feature maps that a browser draws at once
MOST_KERNELS = 4096  # of a layer, drawn at once
TEMPLATES = 100  # units drawn of a dense layer on the pixels


def show_prediction(
    probabilities: np.ndarray, class_names: Sequence[str], label: int | None = None
) -> None:
    """Predicted class, its probability, and whether it is correct."""
    if words := no_answer(probabilities):
        st.error(words, icon=":material/error:")
        return
    best = int(np.argmax(probabilities))
    prediction = f"Prediction: **{class_names[best]}** ({probabilities[best]:.1%})."
    if label is None:
        st.info(prediction, icon=":material/chat:")
    elif label == best:
        st.success(f"{prediction} Correct.", icon=":material/check:")
    else:
        true = class_names[label]
        st.error(f"{prediction} The true class is **{true}** ({probabilities[label]:.1%}).")


def fits_pipeline(model: Model, card: ModelCard) -> bool:
    """Whether the whole network can be drawn as one row of layers with their maps."""
    flat = not any(hasattr(layer, "layers") for layer in model.layers)
    few_classes = 0 < len(card.class_names) <= PIPELINE_CLASSES
    return flat and few_classes and len(anatomy.stages(model)) <= PIPELINE_STAGES


def forget_other_network(ref: NetworkRef) -> None:
    """Drop the layer from the address when another network was chosen on this page."""
    if st.session_state.setdefault("inside_network", str(ref)) != str(ref):
        st.session_state["inside_network"] = str(ref)
        for parameter in ("layer", "filters", "block", "map", "row", "column", "input"):
            st.query_params.pop(parameter, None)


def has_convolutions(model: Model) -> bool:
    """Whether there are feature maps to look at."""
    return bool(anatomy.kernel_layers(model))


def show_network(model: Model, activations: Activations, class_names: Sequence[str]) -> None:
    """The whole network with the feature maps of this image."""
    from cnnkit.figures.network import draw_network

    stages = anatomy.stages(model)
    weights = sum(stage.parameters for stage in stages)
    st.html(draw_network(stages, activations, softmax(activations[stages[-1].name]), class_names))
    st.caption(
        f"{weights:,} parameters in total. Of each layer the feature maps that vary most are "
        "shown; a vector is folded into a block."
    )


def show_filters(ref: NetworkRef, network: Predictor, *, first_only: bool = False) -> None:
    """The kernels of the first convolution and of another, before training and now."""
    model = network.model
    layers = anatomy.kernel_layers(model)
    if not layers:
        _show_templates(ref, network)
        return
    st.markdown(
        "A filter slides over its input; its feature map is large where the input resembles the "
        "filter. Filters are initialized with random numbers, and training changes them. "
        f"{COLORS}"
    )
    _show_kernels(ref, network, layers[0])
    others = [name for name in layers[1:] if _kernels(model, name) <= MOST_KERNELS]
    if not others or first_only:
        return
    other = others[0]
    if len(others) > 1:
        other = inputs.choice("Convolution", others, parameter="filters")
    _show_kernels(ref, network, other)
    st.caption(
        "Each column is one filter, each row one of its input maps: a filter has a kernel for "
        "every input map, and adds up the results."
    )


def _kernels(model: Model, layer: str) -> int:
    *_, channels, count = model.get_layer(layer).kernel.shape
    return channels * count


def _show_kernels(ref: NetworkRef, network: Predictor, layer: str) -> None:
    height, width, channels, count = anatomy.filters(network.model, layer).shape
    colors = activations.reader(network).colors_read_by(layer) if channels == 3 else None
    size = f"{count} filters" + (f" × {channels} input maps" if channels > 1 else "")
    st.markdown(f"**{layer}** · {size} of {height}×{width}")
    if colors:
        order = np.argsort(colors)
        _before_and_after(
            ref,
            network,
            lambda model: anatomy.filters(model, layer)[:, :, order].transpose(3, 0, 1, 2),
            f"{count} filters of {layer} in color, gray is zero",
            columns=_columns(count) * 2,
        )
        return
    _before_and_after(
        ref,
        network,
        lambda model: (
            anatomy.filters(model, layer).transpose(2, 3, 0, 1).reshape(-1, height, width)
        ),
        f"{size} of {layer}",
        columns=count if channels > 1 else _columns(count) * 2,
        scale=12 if channels == 1 else 4,
    )


def _show_templates(ref: NetworkRef, network: Predictor) -> None:
    model = network.model
    layer = anatomy.pixel_layer(model)
    if layer is None:
        st.info("This network has no filters that can be shown as images.")
        return
    st.markdown(
        "This network has no convolutions: each unit has one weight for every pixel, so its "
        f"weights can be shown as an image. {COLORS}"
    )
    units = anatomy.templates(model, layer).shape[-1]
    count = min(TEMPLATES, units)
    _before_and_after(
        ref,
        network,
        lambda model: anatomy.templates(model, layer)[..., 0, :count].transpose(2, 0, 1),
        f"Weights of {count} of {units} units of {layer}",
        columns=_columns(count),
    )


def _before_and_after(
    ref: NetworkRef,
    network: Predictor,
    tiles_of: Callable[[Model], np.ndarray],
    what: str,
    *,
    columns: int,
    scale: int = 4,
) -> None:
    """Weights as images before training (if they can be had) and after it, side by side.

    Args:
        ref: the trained network.
        network: it, or what it was after an epoch.
        tiles_of: from a network to (images, height, width), or to (images, height, width, 3).
        what: the images are, in words.
        columns: images in a row.
        scale: pixels on the screen for each weight.
    """
    epoch = st.query_params.get("epoch")
    now = f"after epoch {epoch}" if epoch else "after training"
    models = {"before training": _initial(ref), now: network.model}
    shown = {when: model for when, model in models.items() if model is not None}
    for place, (when, model) in zip(st.columns(2), shown.items(), strict=False):
        tiles = tiles_of(model)
        # Cut where one in two hundred lies outside, lest those make the rest pale.
        full = float(np.quantile(np.abs(tiles), 0.995)) or 1.0
        with place:
            _draw_tiles(np.clip(tiles / full, -1, 1), f"{what} {when}", columns, scale)
            st.caption(f"{when.capitalize()}: {what}, full color at ±{full:.2g}")


def _draw_tiles(tiles: np.ndarray, alt: str, columns: int, scale: int) -> None:
    """Weights from -1 to 1 as images: (images, height, width), or with three colors."""
    if tiles.ndim == 4:
        pixels = np.rint(127.5 + 127.5 * tiles).astype(np.uint8)
        charts.mosaic(pixels, alt=alt, columns=columns, width=540)
    else:
        charts.montage(tiles, columns=columns, scale=scale, alt=alt, **LOOK)


def show_convolutions(model: Model, activations: Activations) -> None:
    """Feature maps of the first two convolutions."""
    layers = anatomy.kernel_layers(model)[:2]
    st.markdown(
        "Every filter gives a *feature map* of the image: large where the image resembles the "
        "filter. The second convolution reads the feature maps of the first instead of pixels, "
        "so its maps stand for combinations of strokes."
    )
    if model.name == "lenet_tutorial":
        st.caption(
            "Whether bias and activation come before or after max pooling makes no difference "
            "here: the bias is the same for a whole map and tanh is monotonic, so the largest of "
            "four stays the largest. After pooling they are computed for a quarter of the numbers."
        )
    for place, layer in zip(st.columns(2), layers, strict=False):
        maps = activations[layer]
        columns = _columns(maps.shape[-1])
        with place:
            charts.montage(
                maps.transpose(2, 0, 1),
                columns=columns,
                scale=_scale(maps.shape[0]),
                alt=f"{maps.shape[-1]} feature maps of {layer} for this image",
                **LOOK,
            )
            rows = -(-maps.shape[-1] // columns)
            st.caption(f"**{layer}**: {rows}×{columns} maps of {maps.shape[0]}×{maps.shape[1]}")


def layer_picker(activations: Activations, layers: Sequence[str], default: str | None) -> str:
    """One of some layers, `?layer=` in the address."""
    return inputs.choice(
        "Layer",
        layers,
        parameter="layer",
        title=lambda name: f"{name} · {'×'.join(map(str, activations[name].shape))}",
        default=default,
    )


def show_layer(model: Model, activations: Activations) -> str:
    """All feature maps of a chosen layer; hovering shows the values. Returns the layer."""
    from cnnkit.figures.heatmaps import map_grid

    layers = anatomy.image_layers(model)
    fitting = [name for name in layers if activations[name].size <= VALUES]
    pools = [name for name in fitting if name.endswith("pool")] or fitting
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        layer = layer_picker(activations, layers, pools[0] if pools else None)
    with right:
        scale = inputs.choice(
            "Color scale",
            list(SCALES),
            parameter="scale",
            title=SCALES.__getitem__,
            widget=st.segmented_control,
        )
    maps = activations[layer]
    if maps.size > VALUES:
        fit = max(1, VALUES // maps[..., 0].size)
        st.caption(f"The first {fit} of its {maps.shape[-1]} maps are shown.")
        maps = maps[..., :fit]
    what = anatomy.describe(model.get_layer(layer))
    st.caption(f"**{layer}** ({what}). {_scale_words(maps, scale == 'shared')} {COLORS}")
    charts.chart(
        map_grid(maps, columns=_wide_columns(maps), together=scale == "shared"),
        alt=f"{maps.shape[-1]} feature maps of {layer}, from {maps.min():.2f} to {maps.max():.2f}",
        key="layer_maps",
    )
    return layer


def show_units(model: Model, activations: Activations) -> None:
    """The activations of every layer that is a vector, as a strip of colors."""
    from cnnkit.figures.heatmaps import unit_strip

    st.markdown(
        "The feature maps are flattened to one vector, and every unit of a dense (fully "
        f"connected) layer depends on all of its numbers. {COLORS}"
    )
    for layer in anatomy.vector_layers(model)[:-1]:
        what = anatomy.describe(model.get_layer(layer))
        values = activations[layer]
        charts.chart(
            unit_strip(values, f"{layer} · {len(values)} · {what}"),
            alt=f"{len(values)} activations of {layer}, {values.min():.2f} to {values.max():.2f}",
            key=f"units_{layer}",
        )


def show_logits(logits: np.ndarray, class_names: Sequence[str], label: int | None = None) -> None:
    """Logits and predicted probabilities as bars."""
    from cnnkit.figures.bars import class_bars

    st.markdown(
        "The last layer gives one *logit* for each class. Softmax raises e to each and divides by "
        "the sum: a logit larger by 1 makes a class *e* = 2.7 times as probable."
    )
    best = class_names[int(np.argmax(logits))]
    probabilities = softmax(logits)
    for column, title, values, alt in zip(
        st.columns(2),
        ("Logits", "Probabilities"),
        (logits, probabilities),
        (
            f"Logits of all classes; the largest is that of {best}",
            f"Predicted probabilities; {best} has {probabilities.max():.1%}",
        ),
        strict=True,
    ):
        percent = title == "Probabilities"
        with column:
            charts.chart(
                class_bars(values, class_names, title, percent=percent, true=label),
                alt=alt,
                key=title.lower(),
            )


def _scale_words(maps: np.ndarray, shared: bool) -> str:
    if shared:
        return f"All maps share one scale, up to ±{np.abs(maps).max():.2f}: faint maps are weak."
    return "Each map is stretched to its own largest value: patterns show, strengths do not."


def _scale(side: int) -> int:
    """Screen pixels for each of a map's, so that a grid of maps is no larger than a page."""
    return 8 if side <= 12 else 4 if side <= 56 else 1


def _columns(count: int) -> int:
    """Columns of a grid without gaps where there is one: 5 for 20, 10 for 50, 8 for 32."""
    rows = max(r for r in range(1, int(count**0.5) + 1) if count % r == 0)
    return count // rows if rows > 1 or count < 8 else round(count**0.5)


def _wide_columns(maps: np.ndarray) -> int:
    """More columns than rows: the page is wide."""
    columns = _columns(maps.shape[-1])
    rows = -(-maps.shape[-1] // columns)
    return columns * 2 if rows % 2 == 0 and columns < 2.5 * rows else columns


def _initial(ref: NetworkRef) -> Model | None:
    """The network as it was before training; None, said in words: it cannot be had any more."""
    if ref.kind != RUN:
        return None
    try:
        if 0 in ref.kept_epochs():
            return cache.network(replace(ref, epoch=0)).model
        return _initial_model(ref.name, cache.network(ref).card)
    except CnnkitError as error:
        st.caption(f"The initial weights cannot be shown: {error}")
        return None


@st.cache_resource(max_entries=4, show_spinner="Building the network with its initial weights …")
def _initial_model(run_id: str, _card: ModelCard) -> Model:
    """Recipe and seed give the same weights again; fine-tuning began with trained ones."""
    from cnnkit.training import Recipe, build_network

    recipe = Recipe.from_dict(_card.recipe)
    return build_network(
        recipe,
        len(_card.class_names),
        lambda: cache.model(recipe.run).model,
        image_shape=_card.input_shape,
    ).whole
