"""How deep GoogLeNet's modules get with and without the 1×1 convolution behind the pooling.

A module's pooling branch gives as many maps as came in. They are concatenated with those of
the other branches, so that without a projection the depth can only grow, and with it what
every later module costs.

Reference:
    Szegedy et al. 2015: Going Deeper with Convolutions, table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from cnnkit._lazy import keras
from cnnkit.concepts.bottleneck import Branch, Cost
from cnnkit.models._inception import MODULES, inception

if TYPE_CHECKING:
    from keras import Model

FIRST_CHANNELS = 192  # maps that come into 3a
SIDES = {"3": 28, "4": 14, "5": 7}  # pixels, by the number of the stage
BRANCHES: tuple[str, ...] = ("1×1", "3×3", "5×5", "pooling")


@dataclass(frozen=True)
class Module:
    """One module as it stands in the stack.

    Args:
        name: "3a" to "5b".
        side: height and width, in pixels.
        channels: maps in.
        widths: as in `MODULES`; a projection of 0 is none.
    """

    name: str
    side: int
    channels: int
    widths: tuple[int, int, int, int, int, int]

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """Maps out, by branch: 1×1, 3×3, 5×5, pooling."""
        one, _, three, _, five, projection = self.widths
        return one, three, five, projection or self.channels

    @property
    def depth(self) -> int:
        """Maps out."""
        return sum(self.parts)

    @property
    def cost(self) -> Cost:
        """All its convolutions."""
        one, three_reduce, three, five_reduce, five, projection = self.widths
        pieces = [
            Branch(self.side, self.channels, 1, one, one).direct,
            Branch(self.side, self.channels, 3, three, three_reduce).both,
            Branch(self.side, self.channels, 5, five, five_reduce).both,
        ]
        if projection:
            pieces.append(Branch(self.side, self.channels, 1, projection, projection).direct)
        return sum(pieces, Cost(0, 0))

    def large(self) -> dict[str, Branch]:
        """The branches with a bottleneck, by their size: "3×3" and "5×5"."""
        _, three_reduce, three, five_reduce, five, _ = self.widths
        return {
            "3×3": Branch(self.side, self.channels, 3, three, three_reduce),
            "5×5": Branch(self.side, self.channels, 5, five, five_reduce),
        }


def stack(share: float | None = 1.0) -> tuple[Module, ...]:
    """The nine modules, each fed with the one before.

    Args:
        share: of the published width that every projection has, at least one map; None:
            no projections.
    """
    modules, channels = [], FIRST_CHANNELS
    for name, (*widths, published) in MODULES.items():
        projection = 0 if share is None else max(1, round(share * published))
        one, three_reduce, three, five_reduce, five = widths
        module = Module(
            name,
            SIDES[name[0]],
            channels,
            (one, three_reduce, three, five_reduce, five, projection),
        )
        modules.append(module)
        channels = module.depth
    return tuple(modules)


def total(modules: tuple[Module, ...]) -> Cost:
    """All modules together."""
    return sum((module.cost for module in modules), Cost(0, 0))


def build(modules: tuple[Module, ...]) -> Model:
    """The same stack in Keras layers, with the pooling that halves it between stages."""
    seeds = count()
    first = modules[0]
    image = keras.Input((first.side, first.side, first.channels), name="maps")
    x, before = image, first
    for module in modules:
        if module.side < before.side:
            x = keras.layers.MaxPooling2D(3, 2, padding="same", name=f"{module.name}_before")(x)
        x, before = inception(x, module.widths, f"inception_{module.name}", seeds), module
    return keras.Model(image, x)


def counted(modules: tuple[Module, ...]) -> tuple[Cost, tuple[int, ...]]:
    """Cost and depths of the stack, counted layer by layer in a network really built."""
    from cnnkit.anatomy import dissect
    from cnnkit.models import without_weights

    found = dissect(without_weights(lambda: build(modules)))
    shapes = {row.name: row.output_shape for row in found.rows}
    depths = tuple(shapes[f"inception_{module.name}"][-1] for module in modules)
    return Cost(found.macs, found.parameters), depths
