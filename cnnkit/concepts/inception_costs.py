"""The cost of Inception modules, with and without 1×1 convolutions.

A 1×1 convolution before a large one reduces the maps that it reads. Behind the pooling of a
module it projects the pooled maps to fewer: pooling gives as many maps as it reads, so that
without a projection the number of maps can only grow from module to module.

Reference:
    Szegedy et al. 2015: Going Deeper with Convolutions, section 4 and table 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from cnnkit._lazy import keras
from cnnkit.models.googlenet import MODULES, convolution, inception

if TYPE_CHECKING:
    from keras import Model

    from cnnkit.anatomy import LayerTable

FIRST_CHANNELS = 192  # maps that come into 3a
SIDES = {"3": 28, "4": 14, "5": 7}  # pixels, by the number of the stage
BRANCHES: tuple[str, ...] = ("1×1", "3×3", "5×5", "pooling")


@dataclass(frozen=True)
class ConvolutionCost:
    """MACs for one image, biases not counted, and parameters with biases."""

    macs: int
    parameters: int

    @classmethod
    def of(cls, side: int, channels: int, kernel: int, filters: int) -> ConvolutionCost:
        """Of a convolution that keeps height and width, `side`."""
        weights = kernel**2 * channels * filters
        return cls(side**2 * weights, weights + filters)

    def __add__(self, other: ConvolutionCost) -> ConvolutionCost:
        """Both together."""
        return ConvolutionCost(self.macs + other.macs, self.parameters + other.parameters)


@dataclass(frozen=True)
class InceptionBranch:
    """A branch of an Inception module, padded so that height and width stay."""

    side: int  # height and width of the maps, in pixels
    channels: int  # maps in
    kernel: int  # height and width of the convolution: 3, 5 or 7
    filters: int  # maps out
    bottleneck: int  # maps between the 1×1 convolution and the large one

    @property
    def direct(self) -> ConvolutionCost:
        """The convolution on all the maps."""
        return ConvolutionCost.of(self.side, self.channels, self.kernel, self.filters)

    @property
    def reduction(self) -> ConvolutionCost:
        """The 1×1 convolution to fewer maps."""
        return ConvolutionCost.of(self.side, self.channels, 1, self.bottleneck)

    @property
    def narrow(self) -> ConvolutionCost:
        """The large convolution on those fewer maps."""
        return ConvolutionCost.of(self.side, self.bottleneck, self.kernel, self.filters)

    @property
    def with_bottleneck(self) -> ConvolutionCost:
        """The branch with its bottleneck."""
        return self.reduction + self.narrow

    @property
    def ratio(self) -> float:
        """MACs with the bottleneck, as a share of those without: B/C + B/(k²·F)."""
        return self.with_bottleneck.macs / self.direct.macs

    @property
    def estimate(self) -> float:
        """That share if the 1×1 convolution cost nothing: B/C."""
        return self.bottleneck / self.channels

    @property
    def break_even(self) -> float:
        """Width at which the bottleneck saves nothing any more: 1 / (1/C + 1/(k²·F))."""
        return 1 / (1 / self.channels + 1 / (self.kernel**2 * self.filters))

    def build(self, *, bottleneck: bool) -> Model:
        """The branch in Keras layers, as in GoogLeNet, with or without the 1×1 convolution."""
        seeds = iter(range(2))
        image = keras.Input((self.side, self.side, self.channels), name="maps")
        x = convolution(image, self.bottleneck, 1, "reduce", seeds) if bottleneck else image
        return keras.Model(image, convolution(x, self.filters, self.kernel, "large", seeds))


def count_branch(branch: InceptionBranch) -> tuple[ConvolutionCost, ConvolutionCost]:
    """Without and with the bottleneck, counted layer by layer in Keras models."""
    without, reduced = (
        _table(lambda: branch.build(bottleneck=False)),
        _table(lambda: branch.build(bottleneck=True)),
    )
    return _cost(without), _cost(reduced)


@dataclass(frozen=True)
class InceptionModule:
    """One module as it stands in the stack."""

    name: str  # "3a" to "5b"
    side: int  # height and width, in pixels
    channels: int  # maps in
    widths: tuple[int, int, int, int, int, int]  # as in `MODULES`; a projection of 0 is none

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
    def cost(self) -> ConvolutionCost:
        """All its convolutions."""
        pieces = [branch.with_bottleneck for branch in self.bottleneck_branches().values()]
        pieces += [
            ConvolutionCost.of(self.side, self.channels, 1, filters)
            for filters in (self.widths[0], self.widths[-1])
            if filters
        ]
        return sum(pieces, ConvolutionCost(0, 0))

    def bottleneck_branches(self) -> dict[str, InceptionBranch]:
        """The branches with a bottleneck, by their size: "3×3" and "5×5"."""
        _, three_reduce, three, five_reduce, five, _ = self.widths
        return {
            "3×3": InceptionBranch(self.side, self.channels, 3, three, three_reduce),
            "5×5": InceptionBranch(self.side, self.channels, 5, five, five_reduce),
        }


def module_stack(share: float | None = 1.0) -> tuple[InceptionModule, ...]:
    """The nine modules, each fed with the one before.

    Args:
        share: of the published width that every projection has, at least one map; None:
            no projections.
    """
    modules, channels = [], FIRST_CHANNELS
    for name, widths in MODULES.items():
        one, three_reduce, three, five_reduce, five, published = widths
        projection = 0 if share is None else max(1, round(share * published))
        widths = (one, three_reduce, three, five_reduce, five, projection)
        module = InceptionModule(name, SIDES[name[0]], channels, widths)
        modules.append(module)
        channels = module.depth
    return tuple(modules)


def total_cost(modules: tuple[InceptionModule, ...]) -> ConvolutionCost:
    """All modules together."""
    return sum((module.cost for module in modules), ConvolutionCost(0, 0))


def build_stack(modules: tuple[InceptionModule, ...]) -> Model:
    """The same stack in Keras layers, with the pooling that halves it between stages."""
    seeds = count()
    side = modules[0].side
    x = image = keras.Input((side, side, modules[0].channels), name="maps")
    for module in modules:
        if module.side < side:
            x = keras.layers.MaxPooling2D(3, 2, padding="same", name=f"{module.name}_before")(x)
        x, side = inception(x, module.widths, f"inception_{module.name}", seeds), module.side
    return keras.Model(image, x)


def count_stack(modules: tuple[InceptionModule, ...]) -> tuple[ConvolutionCost, tuple[int, ...]]:
    """Cost and depths of the stack, counted layer by layer in a Keras model."""
    table = _table(lambda: build_stack(modules))
    shapes = {row.name: row.output_shape for row in table.rows}
    depths = tuple(shapes[f"inception_{module.name}"][-1] for module in modules)
    return _cost(table), depths


def _table(build: Callable[[], Model]) -> LayerTable:
    from cnnkit.anatomy import layer_table
    from cnnkit.models import without_weights

    return layer_table(without_weights(build))


def _cost(table: LayerTable) -> ConvolutionCost:
    return ConvolutionCost(table.macs, table.parameters)
