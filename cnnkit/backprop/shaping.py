"""Layers without parameters: flatten, scaling, zero padding, dropout."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import Layer, Pair


class Flatten(Layer):
    """Maps become one row: first pixel with all its channels, then the next.

    Backward, the row of deltas is folded back into the maps it came from. Nothing is
    computed in either direction.

    Reference:
        eijian: DeepLearning(4), 2017, section 2-1.
    """

    kind = "flatten"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """(images, numbers)."""
        return x.reshape(len(x), -1)

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """The fold."""
        return delta.reshape(self.input.shape)


class Scaling(Layer):
    """y = x · scale + offset, as a network does first with pixels of 0 to 255.

    Backward, input_delta = δ · scale.

    Args:
        name: of the layer.
        scale: one number, or one for each channel.
        offset: likewise.
    """

    kind = "scaling"

    def __init__(self, name: str, scale: np.ndarray | float, offset: np.ndarray | float = 0):
        """Keep both; they are not trained, so they are no parameters."""
        super().__init__(name)
        self.scale, self.offset = np.asarray(scale), np.asarray(offset)

    def check(self, shape: tuple[int, ...]) -> None:
        """Where there is a number for each channel, there must be as many channels."""
        channels = {values.shape[-1] for values in (self.scale, self.offset) if values.size > 1}
        if channels - {shape[-1]}:
            raise self.incompatible(f"{channels.pop()} channels", f"{shape[-1]}")

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Scaled, then moved."""
        return x * self.scale.astype(x.dtype) + self.offset.astype(x.dtype)

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Scaled alike."""
        return delta * self.scale.astype(delta.dtype)


class ZeroPadding(Layer):
    """Zeros around the image; backward, their deltas are dropped.

    Args:
        name: of the layer.
        margins: ((above, below), (left, right)).
    """

    kind = "zero padding"

    def __init__(self, name: str, margins: tuple[Pair, Pair]):
        """Keep the margins."""
        super().__init__(name)
        self.margins = margins

    def check(self, shape: tuple[int, ...]) -> None:
        """Images."""
        self.check_axes(shape)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """With the margins."""
        return np.pad(x, ((0, 0), *self.margins, (0, 0)))

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Without them."""
        (top, _), (left, _) = self.margins
        height, width = self.input.shape[1:3]
        return delta[:, top : top + height, left : left + width]


class Dropout(Layer):
    """During training each number is set to zero with a probability; else nothing happens.

        y = x · mask,        mask = 0 with probability rate, else 1 / (1 - rate)

    Backward, input_delta = δ · mask.

    Args:
        name: of the layer.
        rate: probability, 0 to below 1.
        seed: of the masks (equal seeds, equal masks), or a generator to draw them from.

    Raises:
        ValueError: a rate outside 0 to below 1.

    Reference:
        Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout: A Simple Way to
        Prevent Neural Networks from Overfitting, 2014.
    """

    kind = "dropout"

    def __init__(self, name: str, rate: float, seed: int | np.random.Generator = 0):
        """Check the rate."""
        super().__init__(name)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be from 0 to below 1. Received: {rate!r}.")
        self.rate = rate
        self.mask: np.ndarray | None = None  # of the last input; None: nothing was dropped
        self._generator = np.random.default_rng(seed)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """With a new mask during training."""
        self.mask = None
        if not training:
            return x
        mask = self._generator.random(x.shape) >= self.rate
        self.mask = mask.astype(x.dtype) / x.dtype.type(1 - self.rate)
        return x * self.mask

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Through the same mask."""
        return delta if self.mask is None else delta * self.mask
