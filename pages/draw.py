"""Draw or photograph a digit, and see what every trained network makes of it."""

import streamlit as st

from cnnkit.ui.common import cache, charts, handwriting, inputs, messages
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.draw.answers import answers, warm

# Name in the address -> words on the button, what to do first.
SOURCES = {
    "drawing": ("Draw", "Write a digit from 0 to 9 and lift the pen."),
    "photo": ("Upload a photo", "Upload a photo of one handwritten digit."),
    "camera": ("Camera", "Hold a digit before the camera and take its image."),
    "test": ("Test image", ""),
}

open_page("Draw", "Write a digit, and see what every trained network makes of it.")

with messages.shown_errors():
    runs = cache.finished_runs(input_shape=(28, 28, 1))
if not runs:
    messages.empty_state(
        "No trained network yet",
        "Train one: the fast recipes take a minute or two. Then draw here and see it answer.",
        "pages/train.py",
        "Train a network",
    )
    end_page()

source = inputs.choice(
    "Where the digit comes from",
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
                handwriting.drawn()
                if source == "drawing"
                else handwriting.photographed(camera=source == "camera", key=source)
            )
            image = None if digit is None else digit.image
        if image is not None:
            what = "The exact 28×28 image that the networks see"
            charts.image(image, width=168, alt=what)
            st.caption(f"{what}: digit in a 20×20 box, centre of mass in the middle, as in MNIST.")
    with right, messages.shown_errors():
        chosen = inputs.runs_picker(runs, label="Networks to ask") if len(runs) > 1 else runs
        if not chosen:
            st.info("Choose at least one network above.", icon=":material/arrow_upward:")
        elif image is None:
            st.subheader(SOURCES[source][1], anchor=False)
            st.markdown(":gray[The networks answer here at once.]")
            warm(chosen)
        else:
            answers(image, chosen, label)


ask()
