"""Optimising images in a process of its own, steered from a page while it runs.

    studio = Studio(get_settings())
    session = studio.start(Source("imagenet", "mobilenet_v2"), plan)
    studio.steer(session, {"terms/1/weight": -0.5})
    look = studio.look(session)

One child process keeps the networks and the compiled steps between starts, and takes a
step of each running session in turn, so that nobody's image waits for the end of
another's. What it does can be read from a folder: `state.json` and images, each written
aside and renamed. The child ends with its parent.

Importing this loads neither Keras nor TensorFlow.
"""

from cnnkit.studio.sources import Source, keep_brought
from cnnkit.studio.status import Look
from cnnkit.studio.studio import Studio

__all__ = ["Look", "Source", "Studio", "keep_brought"]
