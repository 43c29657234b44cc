"""The pieces of the Inside page: a digit to look at, and every layer's answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnnkit import anatomy
from cnnkit.datasets import DatasetSpec, dataset_info
from cnnkit.errors import CnnkitError, IncompatibleError
from cnnkit.models import ModelCard, Predictor
from cnnkit.predict import prepare, softmax
from cnnkit.runs import Run
from cnnkit.ui.common import cache, charts, handwriting, inputs, messages
from cnnkit.ui.fine_tune import test_set

if TYPE_CHECKING:
    from keras import Model

SOURCES = {"test": "Test image", "drawing": "Draw", "photo": "Upload a photo"}  # as on Draw
LOOK = {"colours": "diverging"}
COLOURS = ":blue[Blue] is positive, no colour is zero, :orange[orange] is negative."
VALUES = 200_000  # of feature maps that a browser draws at once
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


def digit_picker(run: Run, card: ModelCard) -> Digit | None:
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
    """What a network was tested on, or other digits where that is not here: images and labels.

    Raises:
        IncompatibleError: it is not here, and the network does not read digits.
    """
    spec = dataset_info(card.dataset)
    if spec.available:
        return spec, *test_set.part(run)
    digits = cache.digits()
    if digits.spec.input_shape != card.input_shape:
        raise IncompatibleError(
            f"The images of {spec.title} are not on this machine, so there is none to show. "
            "Choose another network."
        )
    return digits.spec, *digits.part("test")


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


def _from_data(run: Run, card: ModelCard) -> Digit:
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
    found = np.flatnonzero(labels == label)
    number = inputs.image_picker(len(found), label=f"Which of its {len(found):,} test images")
    words = f"Test image {found[number]:,} of {data.title}: “{name}”"
    # Training and evaluation bring the images to the network's size too.
    return Digit(prepare(images[found[number]], card.input_shape, "stretch"), words, label)


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
    from cnnkit.figures.network import draw_network

    stages = anatomy.stages(model)
    weights = sum(stage.parameters for stage in stages)
    st.html(draw_network(stages, found, softmax(found[stages[-1].name]), class_names))
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
    initial = _initial(run_id)
    shown = {"after": kernels}
    if initial is not None:
        shown = {"before": anatomy.filters(initial, layer)} | shown
    for place, (when, kernel) in zip(st.columns(2), shown.items(), strict=False):
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
    initial = _initial(run_id)
    shown = {"after": after}
    if initial is not None:
        shown = {"before": anatomy.templates(initial, layer)} | shown
    count = min(TEMPLATES, after.shape[-1])
    for place, (when, kernel) in zip(st.columns(2), shown.items(), strict=False):
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
                scale=_scale(maps.shape[0]),
                alt=f"{maps.shape[-1]} feature maps of {layer} for this digit",
                **LOOK,
            )
            rows = -(-maps.shape[-1] // columns)
            st.caption(f"**{layer}**: {rows}×{columns} maps of {maps.shape[0]}×{maps.shape[1]}")


def show_layer(model: Model, found: dict[str, np.ndarray]) -> None:
    """All feature maps of a chosen layer, every value to be read by hovering."""
    from cnnkit.figures.maps import map_grid

    layers = anatomy.image_layers(model)
    fitting = [name for name in layers if found[name].size <= VALUES]
    pools = [name for name in fitting if name.endswith("pool")] or fitting
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
    if maps.size > VALUES:
        fit = max(1, VALUES // maps[..., 0].size)
        st.caption(f"The first {fit} of its {maps.shape[-1]} maps: all would be too much to draw.")
        maps = maps[..., :fit]
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


def _scale(side: int) -> int:
    """Screen pixels for each of a map's, so that a grid of maps is no larger than a page."""
    return 8 if side <= 12 else 4 if side <= 56 else 1


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


def _initial(run_id: str) -> Model | None:
    """The network as it was before training; None, said in words: it cannot be had any more."""
    card = cache.model(run_id).card
    try:
        return _initial_model(run_id, card)
    except CnnkitError as error:
        st.caption(f"What it was before training cannot be shown: {error}")
        return None


@st.cache_resource(max_entries=4, show_spinner="Building the network as it was …")
def _initial_model(run_id: str, _card: ModelCard) -> Model:
    """Recipe and seed give the same weights again; fine-tuning began with trained ones."""
    from cnnkit.models import create_model
    from cnnkit.training import Recipe
    from cnnkit.training.transfer import TransferRecipe, build_network

    if "phases" in _card.recipe:
        tuned = TransferRecipe.from_dict(_card.recipe)
        return build_network(
            tuned, len(_card.class_names), lambda: cache.model(tuned.run).model
        ).whole
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
