"""The pieces of the Inside page: a digit to look at, and every layer's answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnnkit import anatomy
from cnnkit.datasets import Dataset, dataset_info
from cnnkit.models import ModelCard, Predictor
from cnnkit.predict import softmax
from cnnkit.runs import Run
from cnnkit.ui.common import cache, charts, handwriting, inputs, messages

if TYPE_CHECKING:
    from keras import Model

SOURCES = {"test": "Test image", "drawing": "Draw", "photo": "Upload a photo"}  # as on Draw
LOOK = {"colours": "diverging"}
COLOURS = ":blue[Blue] is positive, no colour is zero, :orange[orange] is negative."
TEMPLATES = 100  # units drawn of a dense layer on the pixels


@dataclass(frozen=True, eq=False)
class Digit:
    """An image to look at.

    Args:
        image: uint8 (height, width, channels), 0 to 255.
        words: what it is, for people.
        label: its true class, or None where nobody knows.
    """

    image: np.ndarray
    words: str
    label: int | None = None


def digit_picker(card) -> Digit | None:
    """An image for a network: of the test part, drawn, or from a photo; None: none yet.

    Args:
        card: the network's `ModelCard`.
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
    return _uploaded() if source == "photo" else _from_data(card)


def test_data(card) -> Dataset:
    """The data set a network learnt from, or the embedded digits where that is not here."""
    available = dataset_info(card.dataset).available
    return cache.dataset(card.dataset) if available else cache.digits()


def address(run: Run, labels: np.ndarray, index: int, class_names: Sequence[str]) -> dict[str, str]:
    """What a link to the Inside page must carry to open on one test image.

    Args:
        run: the network.
        labels: of the whole test part.
        index: of the image in the test part.
        class_names: in the order of the labels.
    """
    number = int(np.flatnonzero(np.flatnonzero(labels == labels[index]) == index)[0])
    return {"run": run.id, "digit": class_names[int(labels[index])], "image": str(number)}


def _from_data(card) -> Digit:
    data = test_data(card)
    messages.embedded_notice(data.name)
    images, labels = data.part("test")
    name = inputs.choice(
        "Class",
        data.class_names,
        parameter="digit",
        default="7",  # the digit of the Theano post
        widget=st.pills,
        required=True,
    )
    label = data.class_names.index(name)
    found = np.flatnonzero(labels == label)
    number = inputs.image_picker(len(found), label=f"Which of its {len(found):,} test images")
    words = f"Test image {found[number]:,} of {data.title}: “{name}”"
    return Digit(images[found[number]], words, label)


def say_decision(digit: Digit, probabilities: np.ndarray, class_names: Sequence[str]) -> None:
    """One sentence: what the network says, how sure it is, and whether that is right."""
    best = int(np.argmax(probabilities))
    said = f"The network says **{class_names[best]}**, with {probabilities[best]:.1%}."
    if digit.label is None:
        st.info(said, icon=":material/chat:")
    elif digit.label == best:
        st.success(f"{said} That is right.", icon=":material/check:")
    else:
        true = class_names[digit.label]
        st.error(f"{said} It is a **{true}** ({probabilities[digit.label]:.1%}).")


def answers(run_id: str, image: np.ndarray) -> dict[str, np.ndarray]:
    """What every layer of a run's network answers to one image.

    Returns:
        Layer name → float32 (height, width, channels) or (units,).
    """
    network = cache.model(run_id)
    probe = _probe(run_id, network)
    with network.lock:
        return {name: answer[0] for name, answer in probe(image[np.newaxis]).items()}


def has_convolutions(model: Model) -> bool:
    """Whether there are feature maps to look at."""
    return bool(anatomy.kernel_layers(model))


def show_network(model: Model, found: dict[str, np.ndarray], class_names: Sequence[str]) -> None:
    """The figure of the whole network with this digit's own answers in it."""
    from cnnkit.figures.network import network

    stages = anatomy.stages(model)
    weights = sum(stage.parameters for stage in stages)
    st.html(network(stages, found, softmax(found[stages[-1].name]), class_names))
    st.caption(
        f"Drawn from the network's real shapes: {weights:,} weights in all. The sheets are the "
        "maps that answer this image most; a row of numbers is folded into a block."
    )


def show_filters(run_id: str, model: Model) -> None:
    """The kernels of the first convolution and of another, before and after training."""
    layers = anatomy.kernel_layers(model)
    if not layers:
        _show_templates(run_id, model)
        return
    st.markdown(
        "A filter is a small image that slides over its input and answers strongly where "
        "the input looks like it. Nobody draws the filters: they begin as the noise on the left, "
        f"and training turns them into what stands on the right. {COLOURS}"
    )
    _before_and_after(run_id, layers[0], "")
    if len(layers) == 1:
        return
    other = layers[1]
    if len(layers) > 2:
        other = inputs.choice("Convolution", layers[1:], parameter="filters")
    _before_and_after(
        run_id,
        other,
        "Each column is one filter, each row one of its input maps: a filter has a layer for every "
        "map below it and adds up what they find. ",
    )


def _before_and_after(run_id: str, layer: str, words: str) -> None:
    kernels = anatomy.filters(cache.model(run_id).model, layer)
    height, width, channels, count = kernels.shape
    size = f"{count} filters" + (f" × {channels} input maps" if channels > 1 else "")
    st.markdown(f"**{layer}** · {size} of {height}×{width}")
    columns = count if channels > 1 else _columns(count) * 2
    before = anatomy.filters(_initial_model(run_id, cache.model(run_id).card), layer)
    for place, when, kernel in zip(
        st.columns(2), ("before", "after"), (before, kernels), strict=True
    ):
        tiles, full = _cut(kernel.transpose(2, 3, 0, 1).reshape(-1, height, width))
        with place:
            charts.montage(
                tiles,
                columns=columns,
                scale=12 if channels == 1 else 4,
                alt=f"{size} of {layer} {when} training",
                **LOOK,
            )
            st.caption(f"{when.capitalize()} training, full colour at ±{full:.2f}")
    if words:
        st.caption(words)


def _show_templates(run_id: str, model: Model) -> None:
    layer = anatomy.pixel_layer(model)
    if layer is None:
        st.info("This network has no filters that could be drawn.")
        return
    st.markdown(
        "This network has no convolutions: each unit has one weight for every pixel, so its "
        f"weights are an image of what it wants to see. {COLOURS}"
    )
    after = anatomy.templates(model, layer)
    before = anatomy.templates(_initial_model(run_id, cache.model(run_id).card), layer)
    count = min(TEMPLATES, after.shape[-1])
    for place, when, kernel in zip(
        st.columns(2), ("before", "after"), (before, after), strict=True
    ):
        tiles, full = _cut(kernel[..., 0, :count].transpose(2, 0, 1))
        with place:
            charts.montage(
                tiles,
                columns=_columns(count),
                alt=f"Weights of {count} units of {layer} {when} training",
                **LOOK,
            )
            st.caption(
                f"{when.capitalize()} training: {count} of {after.shape[-1]} units of {layer}, "
                f"full colour at ±{full:.2f}"
            )


def show_convolutions(model: Model, found: dict[str, np.ndarray]) -> None:
    """What the first two convolutions answer, before pooling, as two grids."""
    layers = anatomy.kernel_layers(model)[:2]
    st.markdown(
        "Every filter, slid over the digit, gives a *feature map*: bright where its pattern was "
        "found. The second convolution sees no pixels any more, only the maps of the first, so "
        "each of its maps stands for a combination of strokes."
    )
    if model.name == "lenet_tutorial":
        st.caption(
            "Do bias and activation belong before pooling or after it? It makes no difference "
            "here: one bias moves a whole map alike and tanh only rises, so the largest of four "
            "stays the largest. After pooling there are four times fewer numbers to work on."
        )
    for place, layer in zip(st.columns(2), layers, strict=False):
        maps = found[layer]
        columns = _columns(maps.shape[-1])
        with place:
            charts.montage(
                maps.transpose(2, 0, 1),
                columns=columns,
                scale=4 if maps.shape[0] > 12 else 8,
                alt=f"{maps.shape[-1]} feature maps of {layer} for this digit",
                **LOOK,
            )
            rows = -(-maps.shape[-1] // columns)
            st.caption(f"**{layer}**: {rows}×{columns} maps of {maps.shape[0]}×{maps.shape[1]}")


def show_layer(model: Model, found: dict[str, np.ndarray]) -> None:
    """All feature maps of a chosen layer, every value to be read by hovering."""
    from cnnkit.figures.maps import map_grid

    layers = anatomy.image_layers(model)
    pools = [name for name in layers if name.endswith("pool")]
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        layer = inputs.choice(
            "Layer",
            layers,
            parameter="layer",
            title=lambda name: f"{name} · {'×'.join(map(str, found[name].shape))}",
            default=pools[0] if pools else None,
        )
    with right:
        scale = inputs.choice(
            "Colours",
            ("shared", "own"),
            parameter="scale",
            title={"shared": "One scale for all maps", "own": "Each map its own"}.__getitem__,
            widget=st.segmented_control,
        )
    maps = found[layer]
    what = anatomy.describe(model.get_layer(layer))
    st.caption(f"**{layer}** ({what}). {_scale_words(maps, scale == 'shared')} {COLOURS}")
    charts.chart(
        map_grid(maps, columns=_wide_columns(maps), together=scale == "shared"),
        alt=f"{maps.shape[-1]} feature maps of {layer}, from {maps.min():.2f} to {maps.max():.2f}",
        key="layer_maps",
    )


def show_units(model: Model, found: dict[str, np.ndarray]) -> None:
    """Every layer that is a row of numbers, as a strip of colours."""
    from cnnkit.figures.maps import unit_strip

    st.markdown(
        "From here on there are no images, only rows of numbers. The maps are laid end to end, "
        f"and every dense unit sees all of them. {COLOURS}"
    )
    for layer in anatomy.vector_layers(model)[:-1]:
        what = anatomy.describe(model.get_layer(layer))
        values = found[layer]
        charts.chart(
            unit_strip(values, f"{layer} · {len(values)} · {what}"),
            alt=f"{len(values)} numbers of {layer}, {values.min():.2f} to {values.max():.2f}",
            key=f"units_{layer}",
        )


def show_decision(logits: np.ndarray, class_names: Sequence[str], label: int | None = None) -> None:
    """Logits and the probabilities that softmax makes of them, as bars side by side."""
    from cnnkit.figures.maps import class_bars

    st.markdown(
        "The last layer gives one number a class, the *logits*. Softmax raises e to each and "
        "divides by the sum: what is larger by 1 becomes *e* = 2.7 times as probable."
    )
    left, right = st.columns(2)
    best = class_names[int(np.argmax(logits))]
    probabilities = softmax(logits)
    with left:
        charts.chart(
            class_bars(logits, class_names, "Logits", true=label),
            alt=f"Logits; the largest is that of {best}",
            key="logits",
        )
    with right:
        charts.chart(
            class_bars(probabilities, class_names, "Probabilities", percent=True, true=label),
            alt=f"Probabilities; {best} has {probabilities.max():.1%}",
            key="probabilities",
        )


def forget_layers_of_another_network(run_id: str) -> None:
    """Drop the layer from the address when another network was chosen on this page."""
    if st.session_state.setdefault("inside_run", run_id) != run_id:
        st.session_state["inside_run"] = run_id
        for parameter in ("layer", "filters", "digit"):
            st.query_params.pop(parameter, None)


def _scale_words(maps: np.ndarray, shared: bool) -> str:
    if shared:
        return f"All maps share one scale, up to ±{np.abs(maps).max():.2f}: faint maps say little."
    return "Each map is stretched to its own largest value: patterns show, strengths do not."


def _cut(tiles: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights cut where one in two hundred lies outside, lest those make the rest pale."""
    full = float(np.quantile(np.abs(tiles), 0.995))
    return np.clip(tiles, -full, full), full


def _columns(count: int) -> int:
    """Columns of a grid without gaps where there is one: 5 for 20, 10 for 50, 8 for 32."""
    rows = max(r for r in range(1, int(count**0.5) + 1) if count % r == 0)
    return count // rows if rows > 1 or count < 8 else round(count**0.5)


def _wide_columns(maps: np.ndarray) -> int:
    """More columns than rows: the page is wide."""
    columns = _columns(maps.shape[-1])
    rows = -(-maps.shape[-1] // columns)
    return columns * 2 if rows % 2 == 0 and columns < 2.5 * rows else columns


@st.cache_resource(max_entries=8, show_spinner="Opening the layers …")
def _probe(run_id: str, _network: Predictor) -> anatomy.Probe:
    probe = anatomy.Probe(_network.model)
    with _network.lock:
        probe(np.zeros((1, *_network.card.input_shape), np.uint8))  # the first call is the slow one
    return probe


@st.cache_resource(max_entries=8, show_spinner=False)
def _initial_model(run_id: str, _card: ModelCard) -> Model:
    """The network as it was before training: recipe and seed give the same weights again."""
    from cnnkit.models import create_model
    from cnnkit.training import Recipe

    recipe = Recipe.from_dict(_card.recipe)
    return create_model(
        recipe.model,
        input_shape=_card.input_shape,
        classes=len(_card.class_names),
        seed=recipe.seed,
        **recipe.model_options,
    )


def _drawn() -> Digit | None:
    digit = handwriting.drawn()
    if digit is not None:
        return Digit(digit.image, "Your digit, as the network sees it")
    before = handwriting.drawn_before()
    return None if before is None else Digit(before, "The digit you drew last")


def _uploaded() -> Digit | None:
    digit = handwriting.photographed()
    return None if digit is None else Digit(digit.image, "Found in your photo")
