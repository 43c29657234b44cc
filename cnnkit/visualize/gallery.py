"""A layer's filters with the images that excite them: made, kept, and found again.

Importing this loads no TensorFlow: pages find here what jobs have made.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.visualize.mosaics import Way, mosaic, receptive_fields, unit_count
from cnnkit.visualize.results import ResultCache
from cnnkit.visualize.top_activations import Collection, exciting, thumbnails

if TYPE_CHECKING:
    from cnnkit.models import OpenModel

FEWEST, MOST = 5, 7  # layers that are shown unless others are chosen
USUAL = {
    # Those of aidiary 2017, and the last one.
    "vgg16": (
        "block1_conv1",
        "block2_conv1",
        "block3_conv1",
        "block4_conv1",
        "block5_conv1",
        "block5_conv3",
    ),
}
ARRAYS = ("images", "shown", "places", "values")
PLAIN = ("layer", "shape", "field", "units", "collection", "names")


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerMosaic:
    """One layer's filters: what is climbed for each, and the images that excite it most."""

    layer: str
    shape: tuple[int, ...]  # (height, width, filters) or (units,)
    field: tuple[int, ...] | None  # receptive field in pixels; None: not known
    units: tuple[int, ...]
    images: np.ndarray  # uint8 (units, height, width, channels)
    collection: str = ""  # where the exciting images are from; "": none fits the network
    names: tuple[str, ...] = ()  # of the images in `shown`
    shown: np.ndarray  # uint8 (images, height, width, channels): each that excites a unit
    places: np.ndarray  # int64 (units, most): of the images in `shown`, the best first
    values: np.ndarray  # float32 (units, most): how much each excites

    def keep(self, cache: ResultCache, key: str) -> None:
        """Put it among the results."""
        card = {name: getattr(self, name) for name in PLAIN}
        cache.write(key, card, {name: getattr(self, name) for name in ARRAYS})

    @classmethod
    def read(cls, cache: ResultCache, key: str) -> LayerMosaic | None:
        """One that was kept, or None."""
        found = cache.read(key, ARRAYS)
        if found is None:
            return None
        card, arrays = found
        fields: dict[str, Any] = {name: _as_tuple(value) for name, value in card.items()}
        fields |= arrays
        return cls(**fields)


class Gallery:
    """Makes layers of one network, and says how many steps each takes.

    Args:
        opened: the network.
        way: which filters, and how.
        layers: all that shall be made.
        collection: images to show to the filters; None: none fits.

    Raises:
        UnknownLayerError: lists the layers there are.
    """

    def __init__(
        self, opened: OpenModel, way: Way, layers: Sequence[str], collection: Collection | None
    ):
        """Count, and make nothing yet."""
        self.model, self.way, self.collection = opened.model, way, collection
        self.shape = tuple(opened.card.input_shape)
        self._fields = receptive_fields(self.model, self.shape)
        counts = {layer: unit_count(self.model, layer, self.shape) for layer in layers}
        self._climbed = {name: len(way.batches(n)) * way.steps for name, n in counts.items()}
        asked = collection.batches if collection else 0
        self.steps = {name: steps + asked for name, steps in self._climbed.items()}

    def make(self, layer: str) -> Generator[int, None, LayerMosaic]:
        """One layer: first its mosaic, then the images that excite it.

        Yields:
            Steps done, of `steps`; a batch of the collection counts as one.

        Returns:
            What there is to be kept.
        """
        from cnnkit.visualize.network import Network

        field = self._fields.get(layer)
        images = yield from mosaic(self.model, layer, self.way, self.shape, field)
        height, width, _ = self.shape
        shape = Network(self.model, (layer,), (height, width)).shapes[layer]
        units = self.way.drawn(shape[-1])
        found = yield from self._found(layer, units)
        return LayerMosaic(
            layer=layer, shape=shape, field=field, units=units, images=images, **found
        )

    def finished(self, layer: str) -> LayerMosaic:
        """One layer at once, without telling its steps."""
        steps = self.make(layer)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def _found(self, layer: str, units: Sequence[int]) -> Generator[int, None, dict[str, Any]]:
        """The fields of `LayerMosaic` that say which images excite the units."""
        if self.collection is None:
            return {
                "shown": np.zeros((0, *self.shape), np.uint8),
                "places": np.zeros((len(units), 0), np.int64),
                "values": np.zeros((len(units), 0), np.float32),
            }
        asking = exciting(self.model, layer, units, self.collection.images)
        found = yield from _after(asking, self._climbed[layer])
        kept, places = np.unique(found.places, return_inverse=True)
        return {
            "collection": self.collection.title,
            "names": tuple(self.collection.names[place] for place in kept),
            "shown": thumbnails(self.collection.images[kept]),
            "places": places.reshape(found.places.shape),
            "values": found.values,
        }


def usual_layers(network: str, layers: Sequence[tuple[str, str, Sequence[int]]]) -> list[str]:
    """Five to seven layers that show how a network sees more and more.

    Args:
        network: registered name, or any other.
        layers: (name, kind, shape) of each, from the image to the answer.

    Returns:
        Names: of the ends of its modules where it has many, else of convolutions; in a network
        with few of them, of dense layers too.
    """
    names = {name for name, _, _ in layers}
    known = [name for name in USUAL.get(network, ()) if name in names]
    if known:
        return known
    modules = [name for name, kind, shape in layers if kind == "Concatenate" and len(shape) == 3]
    convolutions = [name for name, kind, _ in layers if kind == "Conv2D"]
    weighted = [name for name, kind, _ in layers if kind in ("Conv2D", "Dense")]
    for found in (modules, convolutions):
        if len(found) >= FEWEST:
            return _spread(found)
    return _spread(weighted or [name for name, _, _ in layers])


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _spread(names: Sequence[str]) -> list[str]:
    places = np.linspace(0, len(names) - 1, min(MOST, len(names))).round().astype(int)
    return [str(names[place]) for place in places]


def _after(steps: Generator[int, None, Any], before: int) -> Generator[int, None, Any]:
    """The same steps, counted on from those before."""
    try:
        while True:
            yield before + next(steps)
    except StopIteration as end:
        return end.value
