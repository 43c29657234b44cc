"""Feature visualization mosaics: an image for each channel of a layer, with its top activations.

    steps = mosaic(model, "block3_conv1", MosaicSettings(), (224, 224, 3))
    for done in steps:
        print(done)

Importing this loads no TensorFlow: pages name and find mosaics with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.visualize import presets
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.objectives import channel
from cnnkit.visualize.results import ResultCache
from cnnkit.visualize.top_activations import Collection, find_top_activations, thumbnails

if TYPE_CHECKING:
    from cnnkit.models import Predictor

DEFAULT = "all"  # preset
PRESET_OF = {"vgg16": "vgg_filters", "vgg19": "vgg_filters"}  # where another is clearer
VERSION = 1  # raised when equal settings give other mosaics
BATCH = 16  # images that are optimized together
SOME = 16  # channels of a layer, drawn at random
ALL = "all"
SMALL, LARGE = 64, 112  # pixels a side
WIDE = 60  # pixels of a receptive field from which images are large
FEWEST, MOST = 5, 7  # layers that are shown unless others are chosen
# Those of aidiary 2017, and the last one.
_VGG16 = "block1_conv1 block2_conv1 block3_conv1 block4_conv1 block5_conv1 block5_conv3"
USUAL = {"vgg16": tuple(_VGG16.split())}
ARRAYS = ("images", "shown", "places", "values")
PLAIN = ("layer", "shape", "field", "units", "collection", "names")


@dataclass(frozen=True, kw_only=True)
class MosaicSettings:
    """How mosaics are made: all that decides them but the network and the layer.

    Args:
        units: how many of a layer's channels, drawn with the seed; "all": every one.
        preset: see `presets`.
        steps: of each image.
        seed: of the draw, the noise and the transforms.
    """

    units: int | str = SOME
    preset: str = DEFAULT
    steps: int = presets.get(DEFAULT).steps
    seed: int = 0

    def __post_init__(self):
        """Refuse what cannot work."""
        presets.get(self.preset)
        if self.units != ALL and not (isinstance(self.units, int) and self.units >= 1):
            raise ValueError(f"`units` must be at least 1, or 'all'. Received: {self.units!r}.")
        if self.steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: {self.steps}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MosaicSettings:
        """The inverse of `to_dict`; what else is among the values is not looked at."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def channels(self, count: int) -> tuple[int, ...]:
        """Which channels of a layer that has so many, in ascending order."""
        if isinstance(self.units, str) or self.units >= count:
            return tuple(range(count))
        chosen = np.random.default_rng(self.seed).choice(count, self.units, replace=False)
        return tuple(sorted(map(int, chosen)))

    def batches(self, count: int) -> list[tuple[int, ...]]:
        """The chosen channels in batches of one size; the last is filled up with its first."""
        units = self.channels(count)
        size = min(BATCH, len(units))
        parts = [units[start : start + size] for start in range(0, len(units), size)]
        return [part + (part[0],) * (size - len(part)) for part in parts]

    def key(self, weights: str, layer: str) -> str:
        """The name of a layer's mosaic among the results; `weights` is the network's digest."""
        text = json.dumps([VERSION, weights, layer, self.to_dict()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def default_settings(network: str) -> MosaicSettings:
    """How the mosaics of a network are made unless something else is asked for.

    Args:
        network: registered name, or any other.
    """
    preset = presets.get(PRESET_OF.get(network, DEFAULT))
    return MosaicSettings(preset=preset.name, steps=preset.steps)


def mosaic(
    model: Any,
    layer: str,
    settings: MosaicSettings,
    input_shape: Sequence[int],
    field: Sequence[int] | None = None,
) -> Generator[int, None, np.ndarray]:
    """Optimize an image for each of some channels of one layer.

    Args:
        model: Keras network, see `network.ActivationModel`.
        layer: of `network.target_layers`.
        settings: which channels, and how.
        input_shape: (height, width, channels) of the network.
        field: receptive field of the layer in pixels; None: as if it were wide.

    Yields:
        Steps done.

    Returns:
        uint8 (units, height, width, channels), as people see them.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: the layer cannot be maximized; says why.
        DivergedError: no finite step could be made.
    """
    from cnnkit.visualize.optimize import Maximization
    from cnnkit.visualize.step import CompiledSteps

    count = unit_count(model, layer, input_shape)
    size = image_size(model, layer, input_shape, field)
    preset = presets.get(settings.preset).for_field(field)
    compiled, done, images = CompiledSteps(model, cached=1), 0, []
    for units in settings.batches(count):
        plan = preset.plan(
            channel(layer, units),
            images=len(units),
            size=size,
            steps=settings.steps,
            seed=settings.seed,
        )
        running = Maximization(compiled, plan)
        for _ in range(settings.steps):
            step = running.step()
            done += 1
            yield done
        images += [*as_shown(step.images, plan)]
    return np.stack(images[: len(settings.channels(count))])


def unit_count(model: Any, layer: str, input_shape: Sequence[int]) -> int:
    """How many filters or units a layer has.

    Raises:
        UnknownLayerError: lists the layers there are.
    """
    from cnnkit.visualize.network import target_layers

    height, width, _ = input_shape
    counts = {choice.name: choice.units for choice in target_layers(model, (height, width))}
    if layer not in counts:
        raise UnknownLayerError(layer, counts)
    return counts[layer]


def image_size(
    model: Any, layer: str, input_shape: Sequence[int], field: Sequence[int] | None = None
) -> tuple[int, int]:
    """Height and width of the images that are optimized for a layer.

    A small receptive field needs no large image. What a layer cannot take small
    is optimized at the network's own size, and so is what is small itself.

    Args:
        model: Keras network.
        layer: of `network.target_layers`.
        input_shape: (height, width, channels) of the network.
        field: receptive field of the layer in pixels; None: as if it were wide.
    """
    own = int(input_shape[0]), int(input_shape[1])
    small = field is not None and max(field) < WIDE
    for side in (SMALL, LARGE) if small else (LARGE,):
        if side < min(own) and _takes(model, layer, (side, side)):
            return side, side
    return own


def receptive_fields(model: Any, input_shape: Sequence[int]) -> dict[str, tuple[int, ...] | None]:
    """Layer → its receptive field in pixels, the whole image included; None: not known."""
    from cnnkit.anatomy import layer_table

    fields: dict[str, tuple[int, ...] | None] = {}
    for row in layer_table(model, input_shape).rows:
        fields.setdefault(row.name, row.receptive_field)
    return fields


def _takes(model: Any, layer: str, size: tuple[int, int]) -> bool:
    """Whether a layer answers anything to images of a size."""
    from cnnkit.visualize.network import ActivationModel

    try:
        shape = ActivationModel(model, (layer,), size).shapes[layer]
    except IncompatibleError:
        return False
    return min(shape) > 0


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerMosaic:
    """One layer's filters: an optimized image for each, and its top activating images."""

    layer: str
    shape: tuple[int, ...]  # (height, width, filters) or (units,)
    field: tuple[int, ...] | None  # receptive field in pixels; None: not known
    units: tuple[int, ...]
    images: np.ndarray  # uint8 (units, height, width, channels)
    collection: str = ""  # where the top activating images are from; "": none fits the network
    names: tuple[str, ...] = ()  # of the images in `shown`
    shown: np.ndarray  # uint8 (images, height, width, channels): every top activating image
    places: np.ndarray  # int64 (units, most): of the images in `shown`, the best first
    values: np.ndarray  # float32 (units, most): the activation by each

    def keep(self, cache: ResultCache, key: str) -> None:
        """Put it among the results."""
        card = {name: getattr(self, name) for name in PLAIN}
        cache.write(key, card, {name: getattr(self, name) for name in ARRAYS})

    @classmethod
    def read(cls, cache: ResultCache, key: str) -> LayerMosaic | None:
        """One of the results, or None."""
        entry = cache.read(key, ARRAYS)
        if entry is None:
            return None
        card, arrays = entry
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in card.items()}
        return cls(**plain, **arrays)  # pyright: ignore[reportArgumentType]


class MosaicBuilder:
    """Makes layers of one network, and says how many steps each takes.

    Args:
        opened: the network.
        settings: which channels, and how.
        layers: all that shall be made.
        collection: images to show to the filters; None: none fits.

    Raises:
        UnknownLayerError: lists the layers there are.
    """

    def __init__(
        self,
        opened: Predictor,
        settings: MosaicSettings,
        layers: Sequence[str],
        collection: Collection | None,
    ):
        """Count, and make nothing yet."""
        self.model, self.settings, self.collection = opened.model, settings, collection
        self.shape = tuple(opened.card.input_shape)
        self._fields = receptive_fields(self.model, self.shape)
        counts = {layer: unit_count(self.model, layer, self.shape) for layer in layers}
        self._optimization = {
            name: len(settings.batches(n)) * settings.steps for name, n in counts.items()
        }
        batches = collection.batches if collection else 0
        self.steps = {name: steps + batches for name, steps in self._optimization.items()}

    def make(self, layer: str) -> Generator[int, None, LayerMosaic]:
        """One layer: first its mosaic, then its top activating images.

        Yields:
            Steps done, of `steps`; a batch of the collection counts as one.

        Returns:
            The finished layer.
        """
        from cnnkit.visualize.network import ActivationModel

        field = self._fields.get(layer)
        images = yield from mosaic(self.model, layer, self.settings, self.shape, field)
        height, width, _ = self.shape
        shape = ActivationModel(self.model, (layer,), (height, width)).shapes[layer]
        units = self.settings.channels(shape[-1])
        top = yield from self._top_activations(layer, units)
        return LayerMosaic(layer=layer, shape=shape, field=field, units=units, images=images, **top)

    def finished(self, layer: str) -> LayerMosaic:
        """One layer at once, without telling its steps."""
        steps = self.make(layer)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def _top_activations(
        self, layer: str, units: Sequence[int]
    ) -> Generator[int, None, dict[str, Any]]:
        """The fields of `LayerMosaic` that say which images activate the units most."""
        if self.collection is None:
            return {
                "shown": np.zeros((0, *self.shape), np.uint8),
                "places": np.zeros((len(units), 0), np.int64),
                "values": np.zeros((len(units), 0), np.float32),
            }
        search = find_top_activations(self.model, layer, units, self.collection.images)
        top = yield from _after(search, self._optimization[layer])
        shown, places = np.unique(top.places, return_inverse=True)
        return {
            "collection": self.collection.title,
            "names": tuple(self.collection.names[place] for place in shown),
            "shown": thumbnails(self.collection.images[shown]),
            "places": places.reshape(top.places.shape),
            "values": top.values,
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
    usual = [name for name in USUAL.get(network, ()) if name in names]
    if usual:
        return usual
    modules = [name for name, kind, shape in layers if kind == "Concatenate" and len(shape) == 3]
    convolutions = [name for name, kind, _ in layers if kind == "Conv2D"]
    weighted = [name for name, kind, _ in layers if kind in ("Conv2D", "Dense")]
    several = (some for some in (modules, convolutions) if len(some) >= FEWEST)
    return _spread(next(several, weighted or [name for name, _, _ in layers]))


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
