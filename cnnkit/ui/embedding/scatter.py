"""The scatter plot: colors, the images of a selected group, and what can be downloaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from cnnkit.embedding import Embedding
from cnnkit.embedding.placement import METHODS_OF_PLACING
from cnnkit.embedding.settings import TEST
from cnnkit.figures.points import embedding_scatter
from cnnkit.ui.common import cache, charts, image_choice, inputs, page
from cnnkit.ui.common.messages import chart_label, literal
from cnnkit.ui.embedding.hover import SHARP, show_thumbnails
from cnnkit.ui.embedding.placing import PlacedImage
from cnnkit.ui.embedding.selection import EmbeddingSelection
from cnnkit.ui.explain.links import why_link

CLASS, CORRECT = "class", "correct"
COLORS = {CLASS: "True class", CORRECT: "Correct or misclassified"}
RIGHT, WRONG = "correct", "misclassified"
CHART = "embedding_chart"  # key of the container
PER_PAGE = 24  # images
NAMED = 4  # classes of a selected group


@st.fragment
def show_scatter(
    selection: EmbeddingSelection, embedding: Embedding, placed: PlacedImage | None
) -> None:
    """The points, and beside them the images of those that are selected."""
    left, right = st.columns([2, 1], gap="large")
    with left:
        color = _color_picker(embedding)
        with st.container(key=CHART):
            points = charts.selected_points(
                embedding_scatter(
                    embedding.coordinates,
                    groups_of(embedding, color),
                    describe(embedding),
                    axes=_axis_titles(embedding),
                    placed=placed.coordinates if placed else None,
                    neighbors=placed.neighbors if placed else (),
                    errors=WRONG if color == CORRECT else "",
                ),
                alt=f"{selection.settings.method_title} of {len(embedding):,} images",
                key=f"points_{selection.key}_{color}",
                file=f"embedding-{selection.settings.method}",
            )
        show_thumbnails(embedding, CHART, key="hover")
        _explain(selection, embedding)
    with right:
        places = sorted({point["customdata"][0] for point in points if point.get("customdata")})
        if places:
            _show_group(embedding, places)
            if len(places) == 1:
                _links(selection, embedding, places[0])
        elif placed:
            _show_placed(placed)
        else:
            st.markdown("**Selected images**")
            st.caption(
                "Point at a dot to see its image; click it to look at the image closely. Draw "
                "around a group with the mouse to see all of its images here."
            )


def groups_of(embedding: Embedding, color: str = CLASS) -> dict[str, np.ndarray]:
    """Name of each group that has a color of its own → positions of its points."""
    correct = embedding.correct
    if color == CORRECT and correct is not None:
        return {RIGHT: np.flatnonzero(correct), WRONG: np.flatnonzero(~correct)}
    return {
        chart_label(name): np.flatnonzero(embedding.labels == label)
        for label, name in enumerate(embedding.class_names)
        if (embedding.labels == label).any()
    }


def describe(embedding: Embedding) -> list[str]:
    """What is shown of each point under the mouse."""
    return [chart_label(_caption(embedding, place)) for place in range(len(embedding))]


def _color_picker(embedding: Embedding) -> str:
    if embedding.correct is None:
        return CLASS
    return inputs.choice(
        "Color",
        list(COLORS),
        parameter="color",
        title=COLORS.__getitem__,
        widget=st.segmented_control,
    )


def _axis_titles(embedding: Embedding) -> tuple[str, str]:
    shares = embedding.facts.get("explained")
    if not shares:
        return "", ""
    first, second = (f"{share:.0%} of the variance" for share in shares)
    return f"principal component 1 ({first})", f"principal component 2 ({second})"


def _explain(selection: EmbeddingSelection, embedding: Embedding) -> None:
    """How it was made, and what must not be read from it."""
    size, count = embedding.facts["features"], len(embedding)
    correct = embedding.correct
    right = "" if correct is None else f" The network classifies {correct.mean():.1%} correctly."
    warning = {
        "pca": "PCA turns the axes and drops all but two of them: points that look close may be "
        "far apart in the others.",
        "tsne": "Neighbors in t-SNE are neighbors in feature space; the sizes of groups and the "
        "distances between them mean little.",
        "umap": "Neighbors in UMAP are neighbors in feature space; distances between groups mean "
        "little.",
    }[selection.settings.method]
    st.caption(
        f"{count:,} images, {size:,} features each, computed in {embedding.facts['seconds']:.0f} s."
        f"{right} {warning}"
    )


def _show_group(embedding: Embedding, places: Sequence[int]) -> None:
    counts = Counter(embedding.label(place) for place in places).most_common()
    words = ", ".join(f"{count:,} × {literal(name)}" for name, count in counts[:NAMED])
    more = f" and {len(counts) - NAMED} other classes" if len(counts) > NAMED else ""
    title = "1 image" if len(places) == 1 else f"{len(places):,} images"
    st.markdown(f"**{title} selected**")
    st.caption(f"{words}{more}. Below each: {_captions_mean(embedding)}.")
    limit = st.session_state.setdefault("selected_shown", PER_PAGE)
    _show_images(embedding, list(places[:limit]))
    if limit < len(places):
        st.button("Show more", key="selected_more", on_click=_show_more)


def _links(selection: EmbeddingSelection, embedding: Embedding, place: int) -> None:
    """Ways to the pages that look at one test image closely."""
    settings = selection.settings
    if settings.split != TEST or settings.split_seed:
        return  # the other pages number the test images of the usual split
    dataset = cache.dataset(settings.dataset)
    tests = dataset.indices(TEST)
    index = int(np.flatnonzero(tests == embedding.rows[place])[0])
    labels = dataset.labels[tests]
    ref = replace(selection.ref, epoch=None)
    address = image_choice.address(ref, labels, index, dataset.class_names)
    epoch = {} if selection.ref.epoch is None else {"epoch": str(selection.ref.epoch)}
    with st.container(horizontal=True, gap="small"):
        if len(embedding.predicted) and not epoch:
            why_link(**address, data=dataset.name)
        page.link("pages/inside.py", "Inside", **address, **epoch, data=dataset.name)


def _show_placed(placed: PlacedImage) -> None:
    """An image that was placed, and its nearest neighbors in feature space."""
    st.markdown("**The image and its nearest neighbors**")
    charts.photo(placed.image, alt=placed.words, caption=literal(placed.words), width=112)
    st.caption(METHODS_OF_PLACING[placed.embedding.settings.method])
    captions = [
        f"{literal(placed.embedding.label(one))} · {distance:.3g}"
        for one, distance in zip(placed.neighbors, placed.placement.distances, strict=True)
    ]
    _show_images(placed.embedding, placed.neighbors, captions)
    st.caption(
        "Below each: its class and its distance in feature space. Every image was compared, so "
        "these are exactly the nearest, wherever the points lie."
    )


def _show_images(
    embedding: Embedding, places: Sequence[int], captions: Sequence[str] | None = None
) -> None:
    """Thumbnails with the class below each, or other captions."""
    captions = captions or [literal(_caption(embedding, place)) for place in places]
    sharp = embedding.images.shape[1] <= SHARP
    draw_images = charts.thumbnails if sharp else charts.photos
    draw_images(
        embedding.images[list(places)],
        captions,
        alts=[f"Image {embedding.rows[place]}: {embedding.label(place)}" for place in places],
        width=64 if sharp else 84,
    )


def _captions_mean(embedding: Embedding) -> str:
    return "true class → predicted class" if len(embedding.predicted) else "its class"


def _caption(embedding: Embedding, place: int) -> str:
    true, predicted = embedding.label(place), embedding.prediction(place)
    return f"{true} → {predicted}" if predicted else true


def _show_more() -> None:
    st.session_state["selected_shown"] += PER_PAGE
