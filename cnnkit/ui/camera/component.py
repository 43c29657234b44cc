"""The two components of the Camera page, in plain JavaScript: see `capture.js` and `live.js`."""

from __future__ import annotations

from importlib import resources

from streamlit.components.v2 import component

_FOLDER = resources.files("cnnkit.ui.camera")


def _text(*files: str) -> str:
    return "\n".join((_FOLDER / file).read_text("utf-8") for file in files)


capture_component = component(
    "cnnkit_camera_capture", js=_text("camera.js", "capture.js"), css=_text("camera.css")
)
live_component = component(
    "cnnkit_camera_live", js=_text("camera.js", "live.js"), css=_text("camera.css")
)
