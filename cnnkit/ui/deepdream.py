"""The pieces of DeepDream: an image, how to dream on it, and the dream beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from cnnkit.figures import curves, rasters
from cnnkit.image_io import decode_image, resized
from cnnkit.jobs.sessions import SessionState
from cnnkit.predict import example_photos
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.ui.common import cache, charts, inputs, page
from cnnkit.ui.common.handwriting import IMAGE_MB, TYPES
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.visualize import session_view, targets
from cnnkit.ui.visualize.starter_examples import example_dream
from cnnkit.ui.visualize.targets import Network
from cnnkit.visualize.deepdream_presets import PRESETS, Dream, usual_dream

# Field of `Dream`, parameter in the address, label, range and step of the slider.
SETTINGS = (
    ("octaves", "octaves", "Octaves", 1, 8, 1),
    ("steps", "steps", "Steps per octave", 1, 200, 1),
    ("learning_rate", "rate", "Learning rate, gray levels per step", 0, 20, 0.25),
    ("jitter", "jitter", "Jitter, pixels", 0, 64, 1.0),
    ("continuity", "continuity", "Continuity", 0, 10, 0.05),
    ("l2", "l2", "L2", 0, 10, 0.01),
)
OWN = "own"  # recipe for any network: layers from its middle
WIDTH = 560  # pixels, of the image on the page
GUIDE_SIDE = 224  # pixels
EVERY = 0.5  # seconds between two frames
SOURCES = {"example": "Example", "upload": "Upload", "noise": "Noise"}
_KEY, _GUIDE = "dream", "guide_image"


def image(side: int, channels: int) -> np.ndarray | None:
    """What to dream on: uint8 (height, width, channels); None while there is none.

    Args:
        side: pixels of the longer side.
        channels: 1 or 3.
    """
    source = inputs.choice(
        "Image",
        list(SOURCES),
        parameter="from",
        title=SOURCES.__getitem__,
        widget=st.segmented_control,
    )
    if source == "noise":
        seed = inputs.number("Random seed", 0, 10**6, parameter="seed", default=0)
        draw = np.random.default_rng(int(seed))
        return draw.integers(96, 160, (side, side, channels), np.uint8)
    if source == "example":
        photos = example_photos(get_settings().data_dir)
        name = inputs.choice("Example", list(photos), parameter="example", default="china")
        return _sized(photos[name].read_bytes(), side, channels)
    return _upload("Upload an image", "dream_upload", side, channels)


def guide_image(channels: int) -> np.ndarray | None:
    """A second image that guides the dream, or None."""
    return _upload(
        "Guide image (optional)",
        _GUIDE,
        GUIDE_SIDE,
        channels,
        help="The dream raises what the layers' activations have in common with those of this "
        "image, instead of whatever they already detect.",
    )


def _upload(
    label: str, key: str, side: int, channels: int, help: str | None = None
) -> np.ndarray | None:
    file = st.file_uploader(label, type=TYPES, max_upload_size=IMAGE_MB, key=key, help=help)
    with shown_errors(stop=False):
        return _sized(file.getvalue(), side, channels) if file else None
    return None


def recipe(network: Network) -> tuple[Dream, int] | None:
    """How to dream, and the longer side; None while the network's layers are being read."""
    layers = targets.layers(network)
    if layers is None:
        targets.wait_for_layers(network)
        return None
    names = [name for name, _, shape in layers if len(shape) == 3]
    fitting = {key: p for key, p in PRESETS.items() if set(p.dream.layers) <= set(names)}
    chosen = inputs.choice(
        "Preset",
        [*fitting, OWN],
        parameter="recipe",
        title=lambda key: fitting[key].title if key in fitting else "middle layers",
        default=network.ref.name if network.ref.name in fitting else None,
    )
    preset = fitting.get(chosen)
    base = preset.dream if preset else usual_dream(names)
    if preset:
        st.caption(f":material/menu_book: {preset.source}.")
    return _settings_form(base, names, preset.side if preset else _side(network))


def show_dream(network: Network, image: np.ndarray, plan: Dream, guide: np.ndarray | None) -> None:
    """Buttons, the dream as it grows, and before and after."""
    worker, session = cache.visualization_worker(), st.session_state.get(_KEY, "")
    state = worker.state(session)
    with st.container(horizontal=True):
        if st.button("Dream", type="primary", icon=":material/bedtime:", key="dream_start"):
            worker.command(session, "stop")
            whole = replace(plan, guided=guide is not None)
            st.session_state[_KEY] = worker.dream(network.ref, whole, image, guide=guide)
            st.rerun()
        if state and not state.over and st.button("Stop", icon=":material/stop:"):
            worker.command(session, "stop")
            st.rerun()
        if state and state.status is Status.CANCELLED:
            if st.button("Resume", icon=":material/resume:"):
                worker.command(session, "resume")
                st.rerun()
    if state is None:
        charts.photo(image, alt="The image as it is", width=_shown(image))
        example_dream()
        return
    session_view.poll_session(session, lambda state: _draw(session, state), every=EVERY)


def _draw(session: str, state: SessionState) -> None:
    worker, curve = cache.visualization_worker(), state.details.get("curves", {"step": ()})
    session_view.draw_progress(state)
    frame, before = worker.frame(session), worker.frame(session, "image.npy")
    if frame is None or before is None:
        if not state.over:
            st.caption(session_view.OPENING)
        return
    if not state.over:
        charts.photo(frame[0], alt="The dream so far", width=_shown(frame[0]))
        st.caption(" ".join(state.details["notes"]))
        return
    _compare(before.astype(np.uint8), frame[0])
    if len(curve["step"]) > 1:
        charts.chart(
            curves.lines(
                {"objective": (curve["step"], curve["value"])},
                x_title="step",
                y_title="objective",
                height=200,
            ),
            alt=f"Objective from {curve['value'][0]:.3g} to {curve['value'][-1]:.3g}; it falls "
            "where an octave begins",
            key="dream_curve",
        )


def _compare(before: np.ndarray, after: np.ndarray) -> None:
    share = st.slider("Before ↔ after", 0, 100, 100, format="%d %%", key="wipe", width=WIDTH)
    joined, edge = after.copy(), round(after.shape[1] * share / 100)
    if before.shape == after.shape:
        joined[:, edge:] = before[:, edge:]
    words = f"Left of {share} % of the width the dream, right of it the image as it was"
    charts.photo(joined, alt=words, width=_shown(after))
    flat = after[..., 0] if after.shape[-1] == 1 else after
    st.download_button(
        "PNG",
        rasters.png(flat),
        "dream.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
    )


def _settings_form(base: Dream, names: list[str], side: int) -> tuple[Dream, int]:
    chosen = inputs.several(
        "Layers", names, parameter="layers", default=list(base.layers), placeholder="Choose layers"
    )
    if not chosen:
        st.info("Choose at least one layer.", icon=":material/arrow_upward:")
        page.end_page()
    layers: dict[str, float] = {}
    changes: dict[str, int | float] = {}
    with st.expander("More settings"):
        for name in chosen:
            weight = float(base.layers.get(name, 1.0))
            layers[name] = inputs.number(
                f"Weight of {name}", 0, 100, parameter=f"w.{name}", default=weight, step=0.05
            )
        side = int(inputs.number("Longer side, pixels", 64, 1200, parameter="side", default=side))
        for field, parameter, label, low, high, step in SETTINGS:
            kind = type(step)  # whole numbers have whole steps
            value = kind(getattr(base, field))
            changes[field] = kind(
                inputs.number(label, low, high, parameter=parameter, default=value, step=step)
            )
    return replace(base, layers=layers, **changes), side  # pyright: ignore[reportArgumentType]


def _side(network: Network) -> int:
    return max(64, min(480, 2 * network.input_shape[0]))


def _sized(data: bytes, side: int, channels: int) -> np.ndarray:
    return resized(decode_image(data, channels=channels), side)


def _shown(image: np.ndarray) -> int:
    return min(WIDTH, max(240, image.shape[1]))
