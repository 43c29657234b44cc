"""What a convolution costs with and without a 1×1 convolution before it.

Reference:
    Szegedy et al. 2015: Going Deeper with Convolutions, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnkit._lazy import keras
from cnnkit.models._inception import convolution

if TYPE_CHECKING:
    from keras import Model


@dataclass(frozen=True)
class Cost:
    """What a convolution costs.

    Args:
        macs: multiply-accumulates for one image, biases not counted.
        parameters: weights and biases.
    """

    macs: int
    parameters: int

    def __add__(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(self.macs + other.macs, self.parameters + other.parameters)


@dataclass(frozen=True)
class Branch:
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
    def direct(self) -> Cost:
        """The convolution on all the maps."""
        return self._convolution(self.channels, self.kernel, self.filters)

    @property
    def reduce(self) -> Cost:
        """The 1×1 convolution to fewer maps."""
        return self._convolution(self.channels, 1, self.bottleneck)

    @property
    def narrow(self) -> Cost:
        """The large convolution on those fewer maps."""
        return self._convolution(self.bottleneck, self.kernel, self.filters)

    @property
    def both(self) -> Cost:
        """The branch with its bottleneck."""
        return self.reduce + self.narrow

    @property
    def ratio(self) -> float:
        """MACs with the bottleneck, as a share of those without: B/C + B/(k²·F)."""
        return self.both.macs / self.direct.macs

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

    def _convolution(self, channels: int, kernel: int, filters: int) -> Cost:
        weights = kernel**2 * channels * filters
        return Cost(self.side**2 * weights, weights + filters)


def counted(branch: Branch) -> tuple[Cost, Cost]:
    """Without and with the bottleneck, counted layer by layer in networks really built."""
    from cnnkit.anatomy import dissect
    from cnnkit.models import without_weights

    def count(bottleneck: bool) -> Cost:
        found = dissect(without_weights(lambda: branch.build(bottleneck=bottleneck)))
        return Cost(found.macs, found.parameters)

    return count(False), count(True)
