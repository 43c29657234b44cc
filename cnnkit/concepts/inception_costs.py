"""The cost of Inception modules, with and without 1×1 convolutions.

A 1×1 convolution before a large one reduces the maps that it reads. Behind the pooling of a
module it projects the pooled maps to fewer: pooling gives as many maps as it reads, so that
without a projection the number of maps can only grow from module to module.

Reference:
    Szegedy et al. 2015: Going Deeper with Convolutions, section 4 and table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from cnnkit._lazy import keras
from cnnkit.models.googlenet import MODULES, convolution, inception

if TYPE_CHECKING:
    from keras import Model


@dataclass(frozen=True)
class ConvolutionCost:
    """What a convolution costs.

    Args:
        macs: multiply-accumulates for one image, biases not counted.
        parameters: weights and biases.
    """

    macs: int
    parameters: int

    def __add__(self, other: ConvolutionCost) -> ConvolutionCost:
        """Both together."""
        return ConvolutionCost(self.macs + other.macs, self.parameters + other.parameters)


@dataclass(frozen=True)
class InceptionBranch:
    """A branch of an Inception module, padded so that height and width stay.

    Args:
        side: height and width of the maps, in pixels.
        channels: maps in.
        kernel: height and width of the convolution: 3, 5 or 7.
        filters: maps out.
        bottleneck: maps between the 1×1 convolution and the large one.
    """

    side: int
    channels: int
    kernel: int
    filters: int
    bottleneck: int

    @property
    def direct(self) -> ConvolutionCost:
        """The convolution on all the maps."""
        return self._convolution(self.channels, self.kernel, self.filters)

    @property
    def reduction(self) -> ConvolutionCost:
        """The 1×1 convolution to fewer maps."""
        return self._convolution(self.channels, 1, self.bottleneck)

    @property
    def narrow(self) -> ConvolutionCost:
        """The large convolution on those fewer maps."""
        return self._convolution(self.bottleneck, self.kernel, self.filters)

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
        """The branch in Keras layers, as GoogLeNet has it.

        Args:
            bottleneck: with the 1×1 convolution, or without.
        """
        seeds = iter(range(2))
        image = keras.Input((self.side, self.side, self.channels), name="maps")
        x = image
        if bottleneck:
            x = convolution(x, self.bottleneck, 1, "reduce", seeds)
        return keras.Model(image, convolution(x, self.filters, self.kernel, "large", seeds))

    def _convolution(self, channels: int, kernel: int, filters: int) -> ConvolutionCost:
        weights = kernel**2 * channels * filters
        return ConvolutionCost(self.side**2 * weights, weights + filters)


def count_branch(branch: InceptionBranch) -> tuple[ConvolutionCost, ConvolutionCost]:
    """Without and with the bottleneck, counted layer by layer in networks really built."""
    from cnnkit.anatomy import layer_table
    from cnnkit.models import without_weights

    def count(bottleneck: bool) -> ConvolutionCost:
        found = layer_table(without_weights(lambda: branch.build(bottleneck=bottleneck)))
        return ConvolutionCost(found.macs, found.parameters)

    return count(False), count(True)


FIRST_CHANNELS = 192  # maps that come into 3a
SIDES = {"3": 28, "4": 14, "5": 7}  # pixels, by the number of the stage
BRANCHES: tuple[str, ...] = ("1×1", "3×3", "5×5", "pooling")


@dataclass(frozen=True)
class InceptionModule:
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
    def cost(self) -> ConvolutionCost:
        """All its convolutions."""
        one, three_reduce, three, five_reduce, five, projection = self.widths
        pieces = [
            InceptionBranch(self.side, self.channels, 1, one, one).direct,
            InceptionBranch(self.side, self.channels, 3, three, three_reduce).with_bottleneck,
            InceptionBranch(self.side, self.channels, 5, five, five_reduce).with_bottleneck,
        ]
        if projection:
            pieces.append(
                InceptionBranch(self.side, self.channels, 1, projection, projection).direct
            )
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
    for name, (*widths, published) in MODULES.items():
        projection = 0 if share is None else max(1, round(share * published))
        one, three_reduce, three, five_reduce, five = widths
        module = InceptionModule(
            name,
            SIDES[name[0]],
            channels,
            (one, three_reduce, three, five_reduce, five, projection),
        )
        modules.append(module)
        channels = module.depth
    return tuple(modules)


def total_cost(modules: tuple[InceptionModule, ...]) -> ConvolutionCost:
    """All modules together."""
    return sum((module.cost for module in modules), ConvolutionCost(0, 0))


def build_stack(modules: tuple[InceptionModule, ...]) -> Model:
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


def count_stack(modules: tuple[InceptionModule, ...]) -> tuple[ConvolutionCost, tuple[int, ...]]:
    """ConvolutionCost and depths of the stack, counted layer by layer in a network really built."""
    from cnnkit.anatomy import layer_table
    from cnnkit.models import without_weights

    found = layer_table(without_weights(lambda: build_stack(modules)))
    shapes = {row.name: row.output_shape for row in found.rows}
    depths = tuple(shapes[f"inception_{module.name}"][-1] for module in modules)
    return ConvolutionCost(found.macs, found.parameters), depths
