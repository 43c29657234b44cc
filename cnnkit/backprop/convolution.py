"""Convolution."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import NOT_COMPUTED, Layer, Pair, pair
from cnnkit.backprop.windows import Grid, correlate, rows_of_windows, transposed_convolution


class Convolution(Layer):
    """Each filter slides over the image: the products under it are summed, a bias is added.

    Forward, with stride s:

        y[i, j, o] = b[o] + Σ_{a, b, c} x[i·s + a, j·s + b, c] · W[a, b, c, o]

    Backward, the gradient of a pixel is the sum of the deltas of all outputs that depend on
    it, each times the weight between them. That is a cross-correlation again: the deltas are
    padded with kernel size - 1 zeros (and, for strides above 1, zeros between them); the
    kernels are rotated by 180°, maps in and out exchanged:

        input_delta[i, j, c] = Σ_{a, b, o} bordered δ[i + a, j + b, o] · W[K-1-a, K-1-b, c, o]

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
        self.rows = NOT_COMPUTED  # the windows of the last input, one a row

    def grid(self, shape: tuple[int, ...]) -> Grid:
        """The kernel's positions on one image of this shape."""
        return Grid.over((shape[0], shape[1]), self.size, self.strides, self.padding)

    def check(self, shape: tuple[int, ...]) -> None:
        """Height, width and the kernel's own number of maps; at least one window must fit."""
        self.check_axes(shape, self.parameters["kernel"].shape[2])
        if 0 in self.grid(shape).steps:
            raise self.incompatible(
                f"at least {self.size[0]}×{self.size[1]} pixels", f"{shape[0]}×{shape[1]}"
            )

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Cross-correlation of the padded image with the kernel, as one matrix product."""
        grid, kernel = self.grid(x.shape[1:]), self.parameters["kernel"]
        self.rows = rows_of_windows(grid.padded(x), self.size, self.strides)
        y = self.rows @ kernel.reshape(-1, kernel.shape[-1])
        if "bias" in self.parameters:
            y += self.parameters["bias"]
        return y.reshape(len(x), *grid.steps, kernel.shape[-1])

    def parameter_gradients(self, delta: np.ndarray) -> dict[str, np.ndarray]:
        """All shifted inner products at once: transposed windows times deltas."""
        kernel, flat = self.parameters["kernel"], delta.reshape(-1, delta.shape[-1])
        gradients = {"kernel": (self.rows.T @ flat).reshape(kernel.shape)}
        return gradients | ({"bias": flat.sum(axis=0)} if "bias" in self.parameters else {})

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Transposed convolution: each delta times the kernel, added to the pixels under it.

        Equal to `input_gradient_by_correlation`, which a test compares, without
        multiplications by padding.
        """
        grid = self.grid(self.input.shape[1:])
        return grid.cropped(transposed_convolution(delta, self.parameters["kernel"], grid))

    def input_gradient_by_correlation(self, delta: np.ndarray) -> np.ndarray:
        """As in the formula: padded deltas, cross-correlated with the flipped kernels."""
        grid = self.grid(self.input.shape[1:])
        return correlate(grid.bordered(delta), self.flipped)

    @property
    def flipped(self) -> np.ndarray:
        """The kernel rotated by 180°, maps in and out exchanged: (height, width, out, in)."""
        return self.parameters["kernel"][::-1, ::-1].swapaxes(2, 3)
