"""Layers with a sliding window, and zero padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from cnnkit.backprop.layer import NOT_COMPUTED, Layer, Pair, pair
from cnnkit.backprop.windows import Grid, rows_of_windows, transposed_convolution


class WindowLayer(Layer):
    """A layer whose window slides over the padded image.

    Args:
        name: of the layer.
        size: height and width of the window.
        strides: from one position to the next.
        padding: "valid" or "same".
    """

    channels: int | None = None  # of the input; None: any

    def __init__(self, name: str, size: int | Pair, strides: int | Pair, padding: str):
        """Without parameters."""
        super().__init__(name)
        self.size, self.strides, self.padding = pair(size), pair(strides), padding

    def grid(self, shape: tuple[int, ...]) -> Grid:
        """The window's positions on one image of this shape."""
        return Grid.over((shape[0], shape[1]), self.size, self.strides, self.padding)

    def check(self, shape: tuple[int, ...]) -> None:
        """Maps of the right number, into which at least one window fits."""
        self.check_axes(shape, self.channels)
        if 0 in self.grid(shape).steps:
            raise self.incompatible(
                f"at least {self.size[0]}×{self.size[1]} pixels", f"{shape[0]}×{shape[1]}"
            )


class Convolution(WindowLayer):
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
        super().__init__(name, kernel.shape[:2], strides, padding)
        self.parameters = {"kernel": kernel} | ({} if bias is None else {"bias": bias})
        self.channels = kernel.shape[2]
        self.rows = NOT_COMPUTED  # the windows of the last input, one a row

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
        """Transposed convolution: each delta times the kernel, added to the pixels under it."""
        grid = self.grid(self.input.shape[1:])
        return grid.cropped(transposed_convolution(delta, self.parameters["kernel"], grid))

    @property
    def flipped(self) -> np.ndarray:
        """The kernel rotated by 180°, maps in and out exchanged: (height, width, out, in)."""
        return self.parameters["kernel"][::-1, ::-1].swapaxes(2, 3)


class _Pooling(WindowLayer):
    """The fields of both kinds of pooling.

    Args:
        name: of the layer.
        size: height and width of a field.
        strides: from one field to the next; None: fields side by side.
        padding: "valid" or "same".
    """

    def __init__(
        self,
        name: str,
        size: int | Pair = 2,
        *,
        strides: int | Pair | None = None,
        padding: str = "valid",
    ):
        """Without parameters."""
        super().__init__(name, size, size if strides is None else strides, padding)

    def places(self, grid: Grid) -> Iterator[tuple[slice, slice, slice]]:
        """Slices of the first number of every field, of the second, and so on, row by row.

        Each selects (images, rows, columns, channels) of the padded images.
        """
        (rows, columns), (down, across) = grid.steps, self.strides
        for top, left in np.ndindex(self.size):
            yield (
                slice(None),
                slice(top, top + (rows - 1) * down + 1, down),
                slice(left, left + (columns - 1) * across + 1, across),
            )

    def scatter(self, share: Callable[[int], np.ndarray]) -> np.ndarray:
        """Sum the gradients of all fields at each pixel, of the input's shape.

        Args:
            share: of the number at a place of its field, (images, rows, columns, channels).
        """
        grid = self.grid(self.input.shape[1:])
        out = np.zeros_like(grid.padded(self.input))
        for number, place in enumerate(self.places(grid)):
            out[place] += share(number)  # no two fields have the same pixel at the same place
        return grid.cropped(out)


class MaxPooling(_Pooling):
    """The largest number of each field; its place is kept in `argmax`.

        y[i, j, c] = max of x over field (i, j)

    Backward, the pixel that was the largest gets the delta, all others of the field zero. Of
    equal numbers the first one counts, row by row, as in TensorFlow; padding never does.

    Reference:
        eijian: DeepLearning(4), 2017, section 2-2.
    """

    kind = "max pooling"

    def __init__(self, *arguments, **more):
        """As for both kinds."""
        super().__init__(*arguments, **more)
        self.argmax = NOT_COMPUTED  # int (images, rows, columns, channels)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The largest of each field."""
        grid = self.grid(x.shape[1:])
        padded = grid.padded(x, -np.inf)
        parts = [padded[place] for place in self.places(grid)]
        largest = parts[0].copy()
        chosen = np.zeros(largest.shape, np.uint16)
        for number, part in enumerate(parts[1:], start=1):
            chosen = np.where(part > largest, np.uint16(number), chosen)
            np.maximum(largest, part, out=largest)
        self.argmax = chosen
        return largest

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Each delta at the place of the largest number, zeros elsewhere."""
        return self.scatter(lambda number: delta * (self.argmax == number))


class AveragePooling(_Pooling):
    """The mean of each field, padding not counted.

        y[i, j, c] = mean of x over field (i, j)

    Backward, each of the n numbers of a field gets an n-th of its delta.

    Reference:
        LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document
        Recognition, 1998 (there with a trainable factor).
    """

    kind = "average pooling"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The mean of each field."""
        grid = self.grid(x.shape[1:])
        padded = grid.padded(x)
        total = sum(padded[place] for place in self.places(grid))
        return total / self.counts(grid).astype(x.dtype)

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Each delta, divided equally among its field."""
        grid = self.grid(self.input.shape[1:])
        share = delta / self.counts(grid).astype(delta.dtype)
        return self.scatter(lambda number: share)

    def counts(self, grid: Grid) -> np.ndarray:
        """How many numbers of each field lie inside the image: (1, rows, columns, 1)."""
        inside = grid.padded(np.ones((1, *grid.sides, 1)))
        return np.sum([inside[place] for place in self.places(grid)], axis=0)


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
