"""A session that finds the images which activate each unit of a layer most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import StorageError, UnknownLayerError
from cnnkit.jobs.sessions import refused, write_frame
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress
from cnnkit.visualize.network import target_layers
from cnnkit.visualize.top_activations import (
    Collection,
    collection_for,
    collection_of_dataset,
    find_top_activations,
)

if TYPE_CHECKING:
    from cnnkit.jobs.session_server import WorkerContext

# Arrays in the session's folder, once it is finished.
IMAGES = "images.npy"  # uint8 (images, height, width, channels): all that were asked about
PLACES = "places.npy"  # int64 (units, most): which of them
VALUES = "values.npy"  # float32 (units, most): the largest value of the unit's map
POSITIONS = "positions.npy"  # int64 (units, most, 2): its row and column


class TopActivationsTask:
    """The top activating images of all units of a "layer" of a "network".

    They are among the test images of a "dataset", or of the example photos where it is "".
    """

    quick = False

    def __init__(self, spec: Mapping[str, Any], folder: Path, context: WorkerContext):
        self.spec, self.folder, self.context = spec, folder, context
        self._found: dict[str, Any] = {}

    def events(self) -> Iterator[Progress]:
        """See `SessionTask`: one step for each batch of images."""
        opened = NetworkRef.parse(self.spec["network"]).open(self.context.networks)
        collection = self._collection(opened.card.input_shape)
        layer = self.spec["layer"]
        size = opened.card.input_shape[:2]
        counts = {one.name: one.units for one in target_layers(opened.model, size)}
        if layer not in counts:
            raise UnknownLayerError(layer, counts)
        units = range(counts[layer])
        search = find_top_activations(opened.model, layer, units, collection.images)
        steps = collection.batches
        yield Progress(steps=steps)
        while True:
            try:
                done = next(search)
            except StopIteration as end:
                top = end.value
                break
            yield Progress(step=done, steps=steps)
        arrays = {PLACES: top.places, VALUES: top.values, POSITIONS: top.positions}
        for name, array in ({IMAGES: collection.images} | arrays).items():
            if array is not None:
                write_frame(self.folder / name, array)
        self._found = {
            "title": collection.title,
            "names": list(collection.names),
            "dead": [int(unit) for unit in np.flatnonzero(top.dead)],
            "units": len(units),
        }

    def obey(self, command: str, values: Mapping[str, Any]) -> Progress:
        """See `SessionTask`: it knows "restart" alone."""
        if command != "restart":
            raise refused(command, "A search for top activating images")
        return Progress()

    def frame(self) -> np.ndarray | None:
        """Its images are in arrays of their own."""
        return None

    def details(self) -> dict[str, Any]:
        """What was found; empty until it is there."""
        return self._found

    def _collection(self, shape: tuple[int, int, int]) -> Collection:
        if self.spec["dataset"]:
            return collection_of_dataset(shape, self.spec["dataset"])
        photos = collection_for(shape, data_dir=self.context.settings.data_dir)
        if photos is None:
            raise StorageError("There are no images on this machine that fit the network.")
        return photos
