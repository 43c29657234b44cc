"""A digit that a user draws or photographs, or one of the test images."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.datasets.handwriting import Handwriting, from_drawing, from_photo
from cnnkit.figures import rasters
from cnnkit.image_io import MAX_BYTES, decode_image
from cnnkit.ui.common import cache, charts
from cnnkit.ui.common.inputs import image_picker
from cnnkit.ui.common.messages import embedded_notice, shown_errors

CANVAS = 280  # pixels, ten for each of MNIST's
PEN = 22  # pixels: about MNIST's strokes once the digit is in its box
TYPES = ["png", "jpg", "jpeg", "webp", "heic", "heif", "avif", "bmp", "gif", "tif", "tiff"]
IMAGE_MB = MAX_BYTES // 2**20  # of an uploaded image


def drawing_input(*, key: str = "canvas") -> Handwriting | None:
    """A canvas to draw a digit on.

    Returns:
        The digit in the form of MNIST, or None while nothing is drawn.
    """
    from streamlit_drawable_canvas import st_canvas

    # The canvas's own buttons float over its upper right corner: words fit at the left.
    st.caption("Draw a large digit")
    result = st_canvas(
        stroke_width=PEN,
        stroke_color="#FFFFFF",
        background_color="#000000",
        height=CANVAS,
        width=CANVAS,
        return_image_data=True,
        key=key,
    )
    st.caption("With mouse, pen or finger. The buttons above undo (arrow) and clear (bin).")
    if result.image_data is None:
        return None
    digit = from_drawing(result.image_data[..., :3].max(axis=2))
    if digit is not None:
        st.session_state["drawn_digit"] = digit.image
    return digit


def last_drawing() -> np.ndarray | None:
    """The digit that was drawn last in this visit, on whatever page: uint8 (28, 28, 1)."""
    return st.session_state.get("drawn_digit")


def photo_input(*, camera: bool = False, key: str = "photo") -> Handwriting | None:
    """A photo of a digit, with a frame around the digit in it.

    Args:
        camera: ask the camera instead of for a file.
        key: of the widget.

    Returns:
        The digit in the form of MNIST, or None while there is none.
    """
    if camera:
        file = st.camera_input(
            "Hold one digit, written with a thick pen, in front of the camera", key=key
        )
    else:
        file = st.file_uploader(
            "A photo of one handwritten digit",
            type=TYPES,
            max_upload_size=IMAGE_MB,
            key=key,
            help="The digit is located, inverted to light on dark and centered, as in MNIST.",
        )
    if file is None:
        return None
    with shown_errors(stop=False):
        return locate_digit(file.getvalue())
    return None


def locate_digit(data: bytes) -> Handwriting:
    """The digit in a photo, shown with a frame around it.

    Args:
        data: the image file.

    Raises:
        InvalidImageError: it cannot be read, or no writing was found.
    """
    photo = decode_image(data, channels=1, longest_side=1024)
    digit = from_photo(photo)
    charts.image(
        rasters.boxed(photo[..., 0], digit.box),
        width=CANVAS,
        alt="Your photo with a frame around the digit",
    )
    ink = "dark ink on light paper" if digit.inverted else "light ink on a dark ground"
    st.caption(f"Located in the blue frame: {ink}.")
    return digit


def tested() -> tuple[np.ndarray, int]:
    """A test image by its number: uint8 (28, 28, 1) and its true class."""
    dataset = cache.digits()
    embedded_notice(dataset.name)
    images, labels = dataset.part("test")
    number = image_picker(len(images), label=f"Test image of {dataset.title}")
    return images[number], int(labels[number])
