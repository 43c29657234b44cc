"""Kernel size, stride, padding and dilation, and the transposed convolution. NumPy alone.

A transposed convolution is drawn as what it equals: the inputs are spread apart by the
stride, zeros are laid around them, and the flipped kernel slides over that one by one.

References:
    Dumoulin, Visin 2016, "A guide to convolution arithmetic for deep learning".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnnkit.errors import IncompatibleError

# Name → kernel of a size.
KERNELS: dict[str, Callable[[int], np.ndarray]] = {
    "vertical edge": lambda size: np.tile(_ramp(size), (size, 1)),
    "horizontal edge": lambda size: np.tile(_ramp(size)[:, np.newaxis], (1, size)),
    "average": lambda size: np.full((size, size), 1 / size**2),
    "ones": lambda size: np.ones((size, size)),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class SlidingKernel:
    """A convolution as a kernel that slides over a grid.

    Args:
        grid: (height, width), the image with the zeros around it and between its pixels.
        image_at: row and column in the grid of the image's first pixel.
        apart: from one pixel of the image to the next in the grid: 1 without transposition.
        kernel: (size, size), as it slides: flipped for a transposed convolution.
        step: from one window to the next.
        dilation: from one weight of the kernel to the next in the grid.
        output: (rows, columns).
    """

    grid: np.ndarray
    image_at: int
    apart: int
    kernel: np.ndarray
    step: int
    dilation: int
    output: np.ndarray

    def cells(self, row: int, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the grid that the kernel meets for one output."""
        places = self.dilation * np.arange(len(self.kernel))
        return row * self.step + places, column * self.step + places


def slide(
    image: np.ndarray,
    kernel: np.ndarray,
    *,
    stride: int = 1,
    padding: str = "valid",
    dilation: int = 1,
    transposed: bool = False,
) -> SlidingKernel:
    """Convolve an image as Keras does.

    Args:
        image: (side, side).
        kernel: (size, size).
        stride: 1 or more.
        padding: "valid" or "same".
        dilation: 1 or more.
        transposed: whether the convolution is transposed.

    Raises:
        IncompatibleError: the kernel is larger than the image and its padding.
    """
    size, side = len(kernel), len(image)
    span = (size - 1) * dilation + 1
    same = padding == "same"
    if transposed:
        outputs = side * stride + (0 if same else max(span - stride, 0))
        cut = max((side - 1) * stride + span - outputs, 0) // 2 if same else 0
        length, before, apart, step = outputs - 1 + span, span - 1 - cut, stride, 1
        kernel = kernel[::-1, ::-1]
    else:
        outputs = -(-side // stride) if same else (side - span) // stride + 1
        if outputs < 1:
            raise IncompatibleError(
                f"A kernel of {size}×{size} with dilation {dilation} spans {span} pixels, and the "
                f"image has {side}: choose padding, a smaller kernel or less dilation."
            )
        before = max((outputs - 1) * stride + span - side, 0) // 2 if same else 0
        length = max((outputs - 1) * stride + span, before + side)
        apart, step = 1, stride
    grid = np.zeros((length, length))
    end = before + (side - 1) * apart + 1
    grid[before:end:apart, before:end:apart] = image
    places = step * np.arange(outputs)[:, np.newaxis] + dilation * np.arange(size)
    windows = grid[places[:, np.newaxis, :, np.newaxis], places[np.newaxis, :, np.newaxis, :]]
    return SlidingKernel(
        grid=grid,
        image_at=before,
        apart=apart,
        kernel=kernel,
        step=step,
        dilation=dilation,
        output=(windows * kernel).sum(axis=(2, 3)),
    )


def _ramp(size: int) -> np.ndarray:
    return np.linspace(-1, 1, size) if size > 1 else np.ones(1)
