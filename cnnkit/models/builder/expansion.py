"""A network being put together, layer by layer, by whoever makes each layer real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cnnkit.models.builder.initializers import Initializer, kernel_initializer
from cnnkit.models.builder.keras_layers import PlainLayer, Shape

IMAGE, LOGITS = "image", "logits"  # the first layer and the last
NAME = "network"  # of the built model


class Expansion:
    """Layers of Keras that follow each other; each reads the last one unless it says otherwise.

    Args:
        seeds: of weights and dropout, one for each layer that draws.
        realize: makes a layer, and returns the shape of what it gives. It raises where the
            layer cannot take its inputs.
    """

    def __init__(self, seeds: Iterator[int], realize: Callable[[PlainLayer], Shape]):
        """Begin without any layer."""
        self.seeds = seeds
        self.layers: list[PlainLayer] = []
        self.shapes: dict[str, Shape] = {}
        self.outputs: dict[str, str] = {}  # of each entry of the definition, its last layer
        self.last = ""
        self._realize = realize

    @property
    def shape(self) -> Shape:
        """Of what the last layer gives."""
        return self.shapes[self.last]

    def add(self, kind: str, name: str, *, inputs: tuple[str, ...] = (), **arguments: Any) -> str:
        """Put a layer behind the last one.

        Args:
            kind: class of Keras.
            name: of the layer.
            inputs: names of the layers that it reads; empty: the last one.
            **arguments: of the class, without those that are its defaults.

        Returns:
            The name of the layer.
        """
        read = inputs or ((self.last,) if self.last else ())
        layer = PlainLayer(kind, name, read, arguments)
        shape = self._realize(layer)
        self.layers.append(layer)
        self.shapes[name] = shape
        self.last = name
        return name

    def kernel(self, start: str, fan_in: int, fan_out: int) -> Initializer:
        """Initial weights of a kernel, with the next seed."""
        return kernel_initializer(start, fan_in, fan_out, self.seeds)

    def seed(self) -> int:
        """The next seed."""
        return next(self.seeds)
