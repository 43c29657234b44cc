"""Sliding windows and the zeros around an image: the arithmetic of convolution and pooling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnkit.backprop.layer import Pair


@dataclass(frozen=True)
class Grid:
    """Where a window stands along each axis of one image.

    "same" adds so many zeros that every `strides`-th pixel gets a window, and the odd zero
    behind the image, as TensorFlow does; "valid" adds none, and what is left over behind
    the last window is not seen.
    """

    sides: Pair  # height and width of the image
    size: Pair  # of the window
    strides: Pair
    before: Pair  # zeros above and to the left
    after: Pair  # zeros below and to the right
    steps: Pair  # windows along each axis: height and width of the output

    @classmethod
    def over(cls, sides: Pair, size: Pair, strides: Pair, padding: str) -> Grid:
        """For an image of some height and width; `steps` may come out as 0."""
        down, across = (_along(*axis, padding) for axis in zip(sides, size, strides, strict=True))
        return cls(
            sides,
            size,
            strides,
            before=(down[0], across[0]),
            after=(down[1], across[1]),
            steps=(down[2], across[2]),
        )

    @property
    def border(self) -> tuple[Pair, Pair]:
        """Zeros (before, after) along each axis that make the way back a sliding product.

        Window - 1 on both sides, less what was padded forward, and more behind where the
        last windows had left pixels unseen.
        """
        top, left = (w - 1 - b for w, b in zip(self.size, self.before, strict=True))
        below, right = (
            side + window - 1 - start - ((steps - 1) * step + 1)
            for side, window, start, steps, step in zip(
                self.sides, self.size, (top, left), self.steps, self.strides, strict=True
            )
        )
        return (top, below), (left, right)

    def padded(self, x: np.ndarray, fill: float = 0) -> np.ndarray:
        """The images (images, height, width, channels) with what "same" adds around them."""
        if not any((*self.before, *self.after)):
            return x
        (top, left), (below, right) = self.before, self.after
        widths = ((0, 0), (top, below), (left, right), (0, 0))
        return np.pad(x, widths, constant_values=fill)

    def cropped(self, x: np.ndarray) -> np.ndarray:
        """The images without what `padded` added."""
        (top, left), (height, width) = self.before, self.sides
        return x[:, top : top + height, left : left + width]

    def bordered(self, delta: np.ndarray) -> np.ndarray:
        """Deltas with the border of zeros, and with zeros between them where strides skip.

        Sliding a window of the same size over it, pixel by pixel, gives the image's own
        height and width.
        """
        (top, below), (left, right) = self.border
        (rows, columns), (down, across) = self.steps, self.strides
        height, width = (rows - 1) * down + 1, (columns - 1) * across + 1
        count, *_, maps = delta.shape
        out = np.zeros((count, top + height + below, left + width + right, maps), delta.dtype)
        out[:, top : top + height : down, left : left + width : across] = delta
        return out


def _along(side: int, window: int, step: int, padding: str) -> tuple[int, int, int]:
    """Of one axis: zeros before, zeros behind, windows."""
    zeros = max((-(-side // step) - 1) * step + window - side, 0) if padding == "same" else 0
    return zeros // 2, zeros - zeros // 2, max((side + zeros - window) // step + 1, 0)


def rows_of_windows(x: np.ndarray, size: Pair, strides: Pair) -> np.ndarray:
    """Every window as one row: (images · windows, height · width · channels of a window).

    Args:
        x: (images, height, width, channels), padded already.
        size: of the window.
        strides: from one window to the next.
    """
    count, height, width, channels = x.shape
    lines = np.ascontiguousarray(x).reshape(count, height, width * channels)
    # A line of a window is one run in memory, so copying it is cheap.
    seen = sliding_window_view(lines, (size[0], size[1] * channels), axis=(1, 2))
    chosen = seen[:, :: strides[0], :: strides[1] * channels]
    return chosen.reshape(-1, size[0] * size[1] * channels)


def transposed_convolution(delta: np.ndarray, kernel: np.ndarray, grid: Grid) -> np.ndarray:
    """Transposed convolution: every delta times the kernel, summed where the kernels overlap.

    Args:
        delta: (images, rows, columns, maps out).
        kernel: (height, width, maps in, maps out).
        grid: where the windows stood.

    Returns:
        Of the padded image's shape.
    """
    count, rows, columns, maps = delta.shape
    height, width, channels, _ = kernel.shape
    # With the images last, adding below runs along memory: five times quicker.
    turned = np.ascontiguousarray(delta.transpose(3, 1, 2, 0))
    parts = kernel.reshape(-1, maps) @ turned.reshape(maps, -1)
    parts = parts.reshape(height, width, channels, rows, columns, count)
    sides = [s + b + a for s, b, a in zip(grid.sides, grid.before, grid.after, strict=True)]
    out = np.zeros((channels, *sides, count), parts.dtype)
    down, across = grid.strides
    for i, j in np.ndindex(height, width):
        under = (
            slice(i, i + (rows - 1) * down + 1, down),
            slice(j, j + (columns - 1) * across + 1, across),
        )
        out[:, under[0], under[1]] += parts[i, j]
    return np.ascontiguousarray(out.transpose(3, 1, 2, 0))
