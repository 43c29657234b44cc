"""The image of the point under the mouse, beside it."""

from __future__ import annotations

import base64
from importlib import resources

from streamlit.components.v2 import component

from cnnkit.embedding import Embedding
from cnnkit.embedding.sample import thumbnail_columns

DIGIT, PHOTO = 112, 144  # pixels of a thumbnail on the screen
SHARP = 32  # pixels a side up to which single pixels are to be seen

_component = component(
    "cnnkit_hover_thumbnails",
    js=(resources.files("cnnkit.ui.embedding") / "hover.js").read_text("utf-8"),
)


def show_thumbnails(embedding: Embedding, container: str, *, key: str) -> None:
    """Let the charts of a container show the image of the point under the mouse.

    Args:
        embedding: whose positions are the first of a point's `customdata`.
        container: key of the Streamlit container.
        key: of this element.
    """
    packed = embedding.thumbnails.tobytes()
    sharp = embedding.images.shape[1] <= SHARP
    data = {
        "container": container,
        "image": base64.b64encode(packed).decode(),
        "type": "image/png" if packed[1:4] == b"PNG" else "image/webp",
        "columns": thumbnail_columns(len(embedding)),
        "width": DIGIT if sharp else PHOTO,
        "sharp": sharp,
    }
    _component(key=key, data=data)
