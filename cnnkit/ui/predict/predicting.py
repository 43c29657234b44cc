"""The pieces of the Predict page: images in, top-k predictions out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import accumulate

import streamlit as st

from cnnkit.figures.bars import top_k_bars
from cnnkit.image_io import DecodedImage, read_image
from cnnkit.models import Predictor
from cnnkit.models.imagenet import kind
from cnnkit.networks import NetworkRef
from cnnkit.predict import (
    FilePrediction,
    Prediction,
    example_photos,
    no_answer,
    predict_files,
    prepare,
    top_k,
)
from cnnkit.settings import get_settings
from cnnkit.ui.common import cache, charts, events, inputs
from cnnkit.ui.common.handwriting import IMAGE_MB, TYPES
from cnnkit.ui.common.image_choice import File
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.explain.links import why_button, why_link
from cnnkit.ui.inside.links import inside_button
from cnnkit.ui.predict.expected_pixels import ask_for_pixels

SOURCES = {"upload": "Upload", "paste": "Paste", "camera": "Camera", "example": "Example"}
CARD_WIDTH = 300  # pixels, the least
PHOTO_WIDTH, PHOTO_HEIGHT = 240, 340  # pixels, at most
MOST_FILES = 500
MOST_BYTES = 400_000_000  # of all files together: they stay in memory for the visit
PROGRESS_EVERY = 0.1  # seconds: each move of the bar is a message to the browser
MOST_CACHED = 3000  # predictions for one visit, 16 kB each: six networks for the most files


def files() -> list[File]:
    """What to predict: uploaded, pasted, photographed, or an example (`?from=`)."""
    source = inputs.choice(
        "Image source",
        list(SOURCES),
        parameter="from",
        title=SOURCES.__getitem__,
        widget=st.segmented_control,
        label_visibility="collapsed",
    )
    return {"upload": _uploaded, "paste": _pasted, "camera": _taken, "example": _example}[source]()


def show_one(file: File, networks: Mapping[NetworkRef, str], fit: str, count: int) -> None:
    """One image: the top-k predictions of each network, side by side."""
    with shown_errors(stop=False):
        began = time.perf_counter()
        image = read_image(file.data)
        decoding = time.perf_counter() - began
        for ref in networks:
            with shown_errors(stop=False):
                ask_for_pixels(ref, image, fit)
        row = st.container(horizontal=True, gap="large")
        with row.container(width=PHOTO_WIDTH):
            _original(file, image, decoding)
        with row.container(), st.grid("auto", min_column_width=CARD_WIDTH):
            for ref in networks:
                key = f"prediction_{str(ref).replace('.', '_')}"
                with st.container(border=True, gap="xsmall", key=key), shown_errors(stop=False):
                    _card(ref, image, fit, count, key)
                    _next_steps(file, ref, fit, key)


def _next_steps(file: File, ref: NetworkRef, fit: str, key: str) -> None:
    """The ways to the explanation of an answer, and to the feature maps behind it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.query_params.get("from") == "example":
            address = {"networks": str(ref), "from": "example", "example": file.name, "fit": fit}
            why_link(**address)
        else:
            why_button(file, key=f"{key}_why", networks=str(ref), fit=fit)
        inside_button(file, ref, fit, key=f"{key}_inside")


def show_many(
    files: Sequence[File], networks: Mapping[NetworkRef, str], fit: str, count: int
) -> None:
    """Many images: a table with thumbnails, and the same as a CSV file."""
    from cnnkit.ui.predict import prediction_table

    tables = {}
    for ref, title in networks.items():
        with shown_errors(stop=False):
            tables[title] = _cached_predictions(files, ref, title, fit)
    if tables:
        prediction_table.show_prediction_table(tables, count)


def describe_class(prediction: Prediction, network: Predictor) -> str:
    """A class in words: "Egyptian cat, domestic cat"."""
    if network.card.dataset == "imagenet":
        return f"{prediction.name} <i>({kind(prediction.index)})</i>"
    return prediction.name


def _cached_predictions(
    files: Sequence[File], ref: NetworkRef, title: str, fit: str
) -> tuple[list[FilePrediction], tuple[str, ...]]:
    """Predictions and class names, cached for this visit: a rerun classifies nothing again."""
    key = (ref, fit, tuple(file.key for file in files))
    cached = st.session_state.setdefault("predictions", {})
    result = cached.pop(key, None)
    if result is None:
        network = cache.network(ref)
        began = time.perf_counter()
        result = _predict(files, network, fit, title), network.card.class_names
        events.record_prediction(str(ref), time.perf_counter() - began, images=len(files))
    while cached and len(files) + sum(len(one) for one, _ in cached.values()) > MOST_CACHED:
        cached.pop(next(iter(cached)))  # the least recently used
    cached[key] = result
    return result


def _predict(
    files: Sequence[File], network: Predictor, fit: str, title: str
) -> list[FilePrediction]:
    bar, predictions = st.progress(0.0, f"{title}: 0 of {len(files)}"), []
    began = shown = time.perf_counter()
    sources = [(file.name, lambda file=file: file.data) for file in files]
    for prediction in predict_files(sources, network, fit=fit):
        predictions.append(_small(prediction))
        now = time.perf_counter()
        done = len(predictions)
        if now - shown > PROGRESS_EVERY or done == len(files):
            words = f"{title}: {done} of {len(files)}, {done / (now - began):.0f} a second"
            bar.progress(done / len(files), words)
            shown = now
    bar.empty()
    return predictions


def _small(prediction: FilePrediction) -> FilePrediction:
    if prediction.seen is None:
        return prediction
    return FilePrediction(
        name=prediction.name,
        logits=prediction.logits,
        seen=prepare(prediction.seen, (64, 64, prediction.seen.shape[-1])),
        notes=prediction.notes,
    )


def _original(file: File, image: DecodedImage, seconds: float) -> None:
    height, width = image.array.shape[:2]
    shown = min(PHOTO_WIDTH, round(PHOTO_HEIGHT * width / height))
    charts.photo(image.array, alt=f"Your image {file.name}", width=max(shown, 40))
    st.caption(f"{file.name}, {width}×{height}, read in {1000 * seconds:.0f} ms")
    for note in image.notes:
        st.caption(f":material/info: {note}")


def _card(ref: NetworkRef, image: DecodedImage, fit: str, count: int, key: str) -> None:
    network = cache.network(ref)
    network.card.check_classes()
    seen = prepare(image.array, network.card.input_shape, fit)
    logits, seconds = network.timed_logits(seen[None])
    events.record_prediction(str(ref), seconds)
    st.markdown(f"**{network.card.title}** :gray[{1000 * seconds:.0f} ms]")
    if words := no_answer(logits):
        st.error(words, icon=":material/error:")
        return
    predictions = top_k(logits[0], network.card.class_names, count)
    charts.chart(
        top_k_bars(
            [a.probability for a in predictions], [describe_class(a, network) for a in predictions]
        ),
        alt=f"{network.card.title}: "
        + ", ".join(f"{a.name} {a.probability:.1%}" for a in predictions),
        key=f"{key}_bars",
    )
    height, width, channels = network.card.input_shape
    charts.photo(
        seen,
        alt=f"The exact {width}×{height} image that {network.card.title} classified",
        width=width if 96 < width < 240 else 168,
        caption=f"Network input: {width}×{height} {'RGB' if channels == 3 else 'gray'}",
    )


def _uploaded() -> list[File]:
    uploaded = st.file_uploader(
        "Drop images here",
        accept_multiple_files=True,
        max_upload_size=IMAGE_MB,
        key="images",
        help=f"Any images: {', '.join(TYPES)}; 20 MB each, {MOST_FILES} at once.",
    )
    return [File(file.name, file.getvalue()) for file in _at_most(uploaded)]


def _pasted() -> list[File]:
    message = st.chat_input(
        "Click here, then press Ctrl+V (or ⌘V) to paste an image, and Enter",
        accept_file="multiple",
        file_type=TYPES,
        max_upload_size=IMAGE_MB,
        key="pasted",
    )
    if message and message.files:
        st.session_state["pasted_files"] = [
            File(file.name, file.getvalue()) for file in _at_most(message.files)
        ]
    return st.session_state.get("pasted_files", [])


def _taken() -> list[File]:
    photo = st.camera_input("Take a photo", key="predict_camera")
    return [File("camera.jpg", photo.getvalue())] if photo else []


def _example() -> list[File]:
    photos = example_photos(get_settings().data_dir)
    name = inputs.choice("Example", list(photos), parameter="example")
    return [File(name, photos[name].read_bytes())]


def _at_most(uploaded: Sequence) -> Sequence:
    together = accumulate(file.size for file in uploaded)
    fitting = sum(size <= MOST_BYTES for size in together)
    taken = uploaded[: min(fitting, MOST_FILES)]
    if len(taken) < len(uploaded):
        st.warning(
            f"{len(uploaded)} files were uploaded; the first {len(taken)} are classified: at most "
            f"{MOST_FILES} files and {MOST_BYTES / 1e6:.0f} MB at once."
        )
    return taken
