"""Draw or photograph a digit, and see the prediction of every trained network."""

import streamlit as st

from cnnkit.ui.common import cache, charts, handwriting, inputs, messages
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.draw import load_networks, show_predictions

# Name in the address → title of the button, instruction.
SOURCES = {
    "drawing": ("Draw", "Draw a digit from 0 to 9, then lift the pen."),
    "photo": ("Upload a photo", "Upload a photo of one handwritten digit."),
    "camera": ("Camera", "Hold a digit in front of the camera and take a photo."),
    "test": ("Test image", ""),
}

open_page("Draw", "Draw a digit, and see the prediction of every trained network.")

with messages.shown_errors():
    runs = cache.finished_runs(input_shape=(28, 28, 1))
if not runs:
    messages.empty_state(
        "No trained network yet",
        "Train one: the fast recipes take a minute or two. Then draw here and see its predictions.",
        "pages/train.py",
        "Train a network",
    )
    end_page()

source = inputs.choice(
    "Source of the digit",
    list(SOURCES),
    parameter="from",
    title=lambda name: SOURCES[name][0],
    widget=st.segmented_control,
    label_visibility="collapsed",
)


@st.fragment
def ask() -> None:
    row = st.container(horizontal=True, gap="large")
    left, right = row.container(width=handwriting.CANVAS + 4), row.container()
    label = None
    with left:
        if source == "test":
            image, label = handwriting.tested()
        else:
            digit = (
                handwriting.drawing_input()
                if source == "drawing"
                else handwriting.photo_input(camera=source == "camera", key=source)
            )
            image = None if digit is None else digit.image
        if image is not None:
            what = "The 28×28 image that the networks receive"
            charts.image(image, width=168, alt=what)
            st.caption(f"{what}: digit in a 20×20 box, center of mass in the middle, as in MNIST.")
    with right, messages.shown_errors():
        chosen = inputs.runs_picker(runs, label="Networks") if len(runs) > 1 else runs
        if not chosen:
            st.info("Choose at least one network above.", icon=":material/arrow_upward:")
        elif image is None:
            st.subheader(SOURCES[source][1], anchor=False)
            st.markdown(":gray[The predictions appear here.]")
            load_networks(chosen)
        else:
            show_predictions(image, chosen, label)


ask()
