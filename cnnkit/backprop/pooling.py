"""Max pooling and average pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from cnnkit.backprop.layer import NOT_COMPUTED, Layer, Pair, pair
from cnnkit.backprop.windows import Grid


class _Pooling(Layer):
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
        super().__init__(name)
        self.size = pair(size)
        self.strides = pair(size if strides is None else strides)
        self.padding = padding

    def grid(self, shape: tuple[int, ...]) -> Grid:
        """The positions of the fields on one image of this shape."""
        return Grid.over((shape[0], shape[1]), self.size, self.strides, self.padding)

    def check(self, shape: tuple[int, ...]) -> None:
        """Maps into which at least one field fits."""
        self.check_axes(shape)
        if 0 in self.grid(shape).steps:
            raise self.incompatible(
                f"at least {self.size[0]}×{self.size[1]} pixels", f"{shape[0]}×{shape[1]}"
            )

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
