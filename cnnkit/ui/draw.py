"""Predictions of several networks for one image, side by side."""

from __future__ import annotations

from collections import Counter

import numpy as np
import streamlit as st

from cnnkit.figures import rasters
from cnnkit.figures.bars import probability_bars
from cnnkit.networks import RUN, NetworkRef
from cnnkit.predict import softmax
from cnnkit.runs import Run
from cnnkit.ui.common import cache, events, image_choice
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.image_choice import File
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.explain.links import why_button, why_link

CARD_WIDTH = 210  # pixels, the least


def show_predictions(image: np.ndarray, runs: list[Run], label: int | None = None) -> None:
    """A card for each network with its probabilities, and one sentence about all.

    Args:
        image: uint8 (height, width, channels), 0 to 255.
        runs: finished ones whose networks take such images.
        label: the true class where it is known.
    """
    summary = st.container()  # above the cards
    predicted: list[tuple[str, float]] = []
    with st.grid("auto", min_column_width=CARD_WIDTH):
        for run in runs:
            with (
                st.container(border=True, gap="xsmall", key=f"answer_{run.id}"),
                shown_errors(stop=False),
            ):
                predicted.append(_card(image, run, label))
                _why(image, run, tested=label is not None)
    if predicted:
        summary.subheader(_heading(predicted, label), anchor=False)


def _why(image: np.ndarray, run: Run, *, tested: bool) -> None:
    """The way to the explanation of an answer: a test image is named by the address."""
    ref = NetworkRef(RUN, run.id)
    if tested:
        data, number = cache.digits(), st.session_state["image"]
        address = image_choice.address(ref, data.part("test")[1], number, data.class_names)
        why_link(**address, data=data.name)
    else:
        file = File("digit.png", rasters.png(image[..., 0]))
        why_button(file, key=f"why_{run.id}", networks=str(ref))


def load_networks(runs: list[Run]) -> None:
    """Load the networks beforehand, so that the first prediction comes at once."""
    for run in runs:
        with shown_errors(stop=False):
            cache.model(run.id)


def _card(image: np.ndarray, run: Run, label: int | None) -> tuple[str, float]:
    """Draw the probabilities; the predicted class and its probability."""
    network = cache.model(run.id)
    logits, seconds = network.timed_logits(image[None])
    events.record_prediction(f"{RUN}.{run.id}", seconds)
    values = softmax(logits[0])
    best = int(values.argmax())
    name = network.card.class_names[best]
    color = "primary" if label is None else ("green" if best == label else "red")
    st.markdown(f"**{run.name}** {_error(run)}")
    st.header(
        f":{color}[{name}] :gray[:small[{100 * values[best]:.1f} % confidence]]", anchor=False
    )
    chart(
        probability_bars(values, network.card.class_names, height=130),
        alt=f"Probabilities of {run.name}: {name} has {100 * values[best]:.1f} %",
        key=f"bars_{run.id}",
    )
    return name, float(values[best])


def _error(run: Run) -> str:
    error = run.metrics.get("test_error")
    return "" if error is None else f":gray-badge[{100 * error:.2f} % test error]"


def _heading(predicted: list[tuple[str, float]], label: int | None) -> str:
    counts = Counter(name for name, _ in predicted).most_common()
    truth = "" if label is None else f"True class {label}. "
    if len(predicted) == 1:
        name, confidence = predicted[0]
        return f"{truth}Predicted {name}, confidence {confidence:.1%}".replace("%", " %")
    if len(counts) == 1:
        return f"{truth}Predicted {counts[0][0]} by all {len(predicted)} networks"
    return f"{truth}The networks disagree: " + ", ".join(f"{n} × {name}" for name, n in counts)
