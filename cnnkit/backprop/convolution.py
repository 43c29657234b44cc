"""Convolution: the same small kernel at every place of the image."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import NONE_YET, Layer, Pair, pair
from cnnkit.backprop.windows import Grid, lay_back, rows_of_windows, slide


class Convolution(Layer):
    """Each filter is laid over every place of the image; products are summed, a bias added.

    Forward, with stride s:

        y[i, j, o] = b[o] + Σ_{a, b, c} x[i·s + a, j·s + b, c] · W[a, b, c, o]

    Backward, every pixel x gets the deltas of all outputs that it took part in, each times
    the weight that joined them. That is a sliding product again: the deltas get a border
    of zeros, kernel size - 1 wide (and, where the stride left pixels out, zeros between
    them); the kernels are flipped in both directions, maps in and out exchanged:

        passed[i, j, c] = Σ_{a, b, o} bordered δ[i + a, j + b, o] · W[K-1-a, K-1-b, c, o]

    The gradient of one weight is the inner product of the deltas with the image, shifted
    by that weight's place in the kernel; the gradient of a bias is the sum of its deltas:

        ΔW[a, b, c, o] = Σ_{i, j} x[i·s + a, j·s + b, c] · δ[i, j, o]
        Δb[o] = Σ_{i, j} δ[i, j, o]

    Args:
        name: of the layer.
        kernel: (height, width, maps in, maps out).
        bias: (maps out,), or None.
        strides: from one place to the next.
        padding: "valid" or "same".

    Reference:
        eijian: DeepLearning(4), 2017, section 2-3, with the border, the flipped kernel and
        the shifted products as figures. Dumoulin, Visin: A guide to convolution arithmetic
        for deep learning, 2016, for strides.
    """

    kind = "convolution"

    def __init__(
        self,
        name: str,
        kernel: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        strides: int | Pair = 1,
        padding: str = "valid",
    ):
        """Keep the weights; nothing is computed yet."""
        super().__init__(name)
        self.parameters = {"kernel": kernel} | ({} if bias is None else {"bias": bias})
        self.size: Pair = (kernel.shape[0], kernel.shape[1])
        self.strides = pair(strides)
        self.padding = padding
        self.rows = NONE_YET  # the windows of the last input, one a row

    def grid(self, shape: tuple[int, ...]) -> Grid:
        """Where the kernel stands over one image of this shape."""
        return Grid.over((shape[0], shape[1]), self.size, self.strides, self.padding)

    def check(self, shape: tuple[int, ...]) -> None:
        """Height, width and the kernel's own number of maps; at least one window must fit."""
        self.check_axes(shape, self.parameters["kernel"].shape[2])
        if 0 in self.grid(shape).steps:
            raise self.refusal(
                f"at least {self.size[0]}×{self.size[1]} pixels", f"{shape[0]}×{shape[1]}"
            )

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The sliding product of the padded image with the kernel."""
        grid, kernel = self.grid(x.shape[1:]), self.parameters["kernel"]
        self.rows = rows_of_windows(grid.padded(x), self.size, self.strides)
        y = self.rows @ kernel.reshape(-1, kernel.shape[-1])
        if "bias" in self.parameters:
            y += self.parameters["bias"]
        return y.reshape(len(x), *grid.steps, kernel.shape[-1])

    def slopes(self, delta: np.ndarray) -> dict[str, np.ndarray]:
        """All shifted inner products at once: windows, turned on their side, times deltas."""
        kernel, flat = self.parameters["kernel"], delta.reshape(-1, delta.shape[-1])
        found = {"kernel": (self.rows.T @ flat).reshape(kernel.shape)}
        return found | ({"bias": flat.sum(axis=0)} if "bias" in self.parameters else {})

    def pass_back(self, delta: np.ndarray) -> np.ndarray:
        """Every delta, times the kernel, back to the pixels under it; where they meet they add.

        The same numbers as `pass_back_sliding`, which a test compares, with less work:
        border and zeros are never multiplied.
        """
        grid = self.grid(self.input.shape[1:])
        return grid.cropped(lay_back(delta, self.parameters["kernel"], grid))

    def pass_back_sliding(self, delta: np.ndarray) -> np.ndarray:
        """As the formula says: flipped kernels slide over bordered deltas."""
        grid = self.grid(self.input.shape[1:])
        return slide(grid.bordered(delta), self.flipped)

    @property
    def flipped(self) -> np.ndarray:
        """The kernel turned by 180°, maps in and out exchanged: (height, width, out, in)."""
        return self.parameters["kernel"][::-1, ::-1].swapaxes(2, 3)
