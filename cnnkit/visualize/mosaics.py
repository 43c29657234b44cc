"""Many filters of one layer, climbed in batches with one compiled step.

    climbing = mosaic(model, "block3_conv1", Way(), (224, 224, 3))
    for done in climbing:  # steps
        print(done)

Importing this loads no TensorFlow: pages name and find mosaics with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.visualize import presets
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.terms import channel

DEFAULT = "all"  # preset
VERSION = 1  # raised when equal ways give other mosaics
BATCH = 16  # images that are climbed together
SOME = 16  # filters of a layer, drawn by lot
ALL = "all"
SMALL, LARGE = 64, 112  # pixels a side
WIDE = 60  # pixels of a receptive field from which images are large


@dataclass(frozen=True, kw_only=True)
class Way:
    """How mosaics are made: all that decides them but the network and the layer.

    Args:
        units: how many of a layer's filters, drawn with the seed; "all": every one.
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
    def from_dict(cls, values: Mapping[str, Any]) -> Way:
        """The inverse of `to_dict`; what else is among the values is not looked at."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def drawn(self, count: int) -> tuple[int, ...]:
        """Which filters of a layer, in ascending order.

        Args:
            count: how many the layer has.
        """
        if isinstance(self.units, str) or self.units >= count:
            return tuple(range(count))
        chosen = np.random.default_rng(self.seed).choice(count, self.units, replace=False)
        return tuple(sorted(map(int, chosen)))

    def batches(self, count: int) -> list[tuple[int, ...]]:
        """The drawn filters in batches of one size: the last repeats its first where it lacks.

        Args:
            count: how many the layer has.
        """
        units = self.drawn(count)
        size = min(BATCH, len(units))
        parts = [units[start : start + size] for start in range(0, len(units), size)]
        return [part + (part[0],) * (size - len(part)) for part in parts]

    def key(self, weights: str, layer: str) -> str:
        """The name of a layer's mosaic among the results.

        Args:
            weights: digest of the network.
            layer: its name.
        """
        text = json.dumps([VERSION, weights, layer, self.to_dict()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def mosaic(
    model: Any,
    layer: str,
    way: Way,
    input_shape: Sequence[int],
    field: Sequence[int] | None = None,
) -> Generator[int, None, np.ndarray]:
    """Climb filters of one layer.

    Args:
        model: Keras network, see `network.Network`.
        layer: of `network.choices`.
        way: which filters, and how.
        input_shape: (height, width, channels) of the network.
        field: receptive field of the layer in pixels; None: as if it were wide.

    Yields:
        Steps done.

    Returns:
        uint8 (units, height, width, channels), as people see them.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: the layer cannot be climbed; says why.
        DivergedError: no finite step could be made.
    """
    from cnnkit.visualize.optimize import Maximization
    from cnnkit.visualize.step import Engines

    count = unit_count(model, layer, input_shape)
    size = image_size(model, layer, input_shape, field)
    engines, done, made = Engines(model, kept=1), 0, []
    for units in way.batches(count):
        climbing = Maximization(engines, _plan(way, layer, units, size))
        for _ in range(way.steps):
            step = climbing.step()
            done += 1
            yield done
        made += list(as_shown(step.images, climbing.plan))
    return np.stack(made[: len(way.drawn(count))])


def unit_count(model: Any, layer: str, input_shape: Sequence[int]) -> int:
    """How many filters or units a layer has.

    Raises:
        UnknownLayerError: lists the layers there are.
    """
    from cnnkit.visualize.network import choices

    height, width, _ = input_shape
    known = {choice.name: choice.units for choice in choices(model, (height, width))}
    if layer not in known:
        raise UnknownLayerError(layer, known)
    return known[layer]


def image_size(
    model: Any, layer: str, input_shape: Sequence[int], field: Sequence[int] | None = None
) -> tuple[int, int]:
    """Height and width of images in which a filter can show what it wants.

    A filter that sees little of an image needs no large one. What a layer cannot take small
    is climbed at the network's own size, and so is what is small itself.

    Args:
        model: Keras network.
        layer: of `network.choices`.
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
    from cnnkit.anatomy import dissect

    found: dict[str, tuple[int, ...] | None] = {}
    for row in dissect(model, input_shape).rows:
        found.setdefault(row.name, row.receptive_field)
    return found


def _plan(way: Way, layer: str, units: tuple[int, ...], size: tuple[int, int]) -> Plan:
    return presets.get(way.preset).plan(
        channel(layer, units), images=len(units), size=size, steps=way.steps, seed=way.seed
    )


def _takes(model: Any, layer: str, size: tuple[int, int]) -> bool:
    """Whether a layer answers anything to images of a size."""
    from cnnkit.visualize.network import Network

    try:
        shape = Network(model, (layer,), size).shapes[layer]
    except IncompatibleError:
        return False
    return min(shape) > 0
