"""Short sessions that answer a question about networks: they are done at once, without a slot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import StorageError
from cnnkit.explain import get_method
from cnnkit.jobs.sessions import read_frame, refused
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress
from cnnkit.visualize.fooling import fooling_check
from cnnkit.visualize.network import target_layers

if TYPE_CHECKING:
    from cnnkit.jobs.session_server import WorkerContext


class Question:
    """A task of one step whose details hold an answer."""

    quick = True

    def __init__(self, spec: Mapping[str, Any], folder: Path, context: WorkerContext):
        self.spec, self.folder, self.context = spec, folder, context
        self._answer: dict[str, Any] = {}

    def answer(self) -> dict[str, Any]:
        """Work it out."""
        raise NotImplementedError

    def events(self) -> Iterator[Progress]:
        """See `SessionTask`."""
        self._answer = self.answer()
        yield Progress(step=1, steps=1)

    def obey(self, command: str, values: Mapping[str, Any]) -> Progress:
        """See `SessionTask`: it knows "restart" alone."""
        if command != "restart":
            raise refused(command, "A question")
        return Progress(steps=1)

    def frame(self) -> np.ndarray | None:
        """A question has no images."""
        return None

    def details(self) -> dict[str, Any]:
        """The answer; empty until it is there."""
        return self._answer


class LayersTask(Question):
    """Which layers a "network" has, and what it is: title, input_shape, class_names."""

    def answer(self) -> dict[str, Any]:
        """See `Question`."""
        opened = NetworkRef.parse(self.spec["network"]).open(self.context.networks)
        card = opened.card
        return {
            "title": card.title,
            "input_shape": list(card.input_shape),
            "class_names": list(card.class_names),
            "layers": [
                [layer.name, layer.kind, list(layer.shape)]
                for layer in target_layers(opened.model, card.input_shape[:2])
            ],
        }


class RecheckTask(Question):
    """The re-classification check of images by "networks", the first being their own.

    The images are those of a "session" as they are now, or `images.npy`; "targets" names the
    class of each.
    """

    def answer(self) -> dict[str, Any]:
        """See `Question`."""
        own, *others = [
            NetworkRef.parse(one).open(self.context.networks) for one in self.spec["networks"]
        ]
        if self.spec["session"]:
            images = self.context.images(self.spec["session"])
        else:
            images = read_frame(self.folder / "images.npy")
        if images is None:
            raise StorageError("The images to be checked are no longer kept. Ask again.")
        checked = [
            fooling_check(image, own, others, target=target)
            for image, target in zip(images, self.spec["targets"], strict=True)
        ]
        return {"checks": [[one.to_dict() for one in of_one] for of_one in checked]}


class ClassMapTask(Question):
    """The Grad-CAM map of `image.npy`, for the class that a "network" predicts."""

    def __init__(self, spec: Mapping[str, Any], folder: Path, context: WorkerContext):
        super().__init__(spec, folder, context)
        self._map: np.ndarray | None = None

    def answer(self) -> dict[str, Any]:
        """See `Question`: the largest value of the map, which becomes 255 in the frame."""
        model = NetworkRef.parse(self.spec["network"]).open(self.context.networks).model
        image = read_frame(self.folder / "image.npy")
        if image is None:
            raise StorageError("The image to be explained is no longer kept. Ask again.")
        maps = get_method("grad_cam")(model, image[None])
        highest = float(maps.max())
        scale = 255 / highest if highest > 0 else 0.0  # nothing may speak for the class
        self._map = np.rint(scale * maps[..., None]).astype(np.uint8)
        return {"highest": highest}

    def frame(self) -> np.ndarray | None:
        """The map."""
        return self._map
