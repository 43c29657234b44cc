"""Pooling: one number for each small field of a map."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from cnnkit.backprop.layer import NONE_YET, Layer, Pair, pair
from cnnkit.backprop.windows import Grid


class _Pooling(Layer):
    """What both kinds of pooling share.

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
        """Without parameters: there is nothing to learn."""
        super().__init__(name)
        self.size = pair(size)
        self.strides = pair(size if strides is None else strides)
        self.padding = padding

    def grid(self, shape: tuple[int, ...]) -> Grid:
        """Where the fields stand on one image of this shape."""
        return Grid.over((shape[0], shape[1]), self.size, self.strides, self.padding)

    def check(self, shape: tuple[int, ...]) -> None:
        """Any maps into which at least one field fits."""
        self.check_axes(shape)
        if 0 in self.grid(shape).steps:
            raise self.refusal(
                f"at least {self.size[0]}×{self.size[1]} pixels", f"{shape[0]}×{shape[1]}"
            )

    def places(self, grid: Grid) -> Iterator[tuple[slice, slice, slice]]:
        """Where the first number of every field is, then the second, and so on, row by row.

        Each is a part of the padded images, (images, rows, columns, channels).
        """
        (rows, columns), (down, across) = grid.steps, self.strides
        for top, left in np.ndindex(self.size):
            yield (
                slice(None),
                slice(top, top + (rows - 1) * down + 1, down),
                slice(left, left + (columns - 1) * across + 1, across),
            )

    def give_back(self, share: Callable[[int], np.ndarray]) -> np.ndarray:
        """Add up what every field gives back to the pixels it saw, of the input's shape.

        Args:
            share: of the number at a place of its field, (images, rows, columns, channels).
        """
        grid = self.grid(self.input.shape[1:])
        out = np.zeros_like(grid.padded(self.input))
        for number, place in enumerate(self.places(grid)):
            out[place] += share(number)  # no two fields have the same pixel at the same place
        return grid.cropped(out)


class MaxPooling(_Pooling):
    """The largest number of each field; its place is remembered in `chosen`.

        y[i, j, c] = max of x over field (i, j)

    Backward, the delta returns to the pixel that was chosen, and all others of the field
    get zero. Of equal numbers the first one is chosen, row by row, as in TensorFlow.
    Nothing outside the image is ever chosen.

    Reference:
        eijian: DeepLearning(4), 2017, section 2-2.
    """

    kind = "max pooling"

    def __init__(self, *arguments, **more):
        """As for all poolings."""
        super().__init__(*arguments, **more)
        self.chosen = NONE_YET  # int (images, rows, columns, channels)

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The largest of each field."""
        grid = self.grid(x.shape[1:])
        padded = grid.padded(x, -np.inf)
        parts = [padded[place] for place in self.places(grid)]
        largest = parts[0].copy()
        chosen = np.zeros(largest.shape, np.uint16)
        for number, part in enumerate(parts[1:], start=1):
            chosen = np.where(part > largest, np.uint16(number), chosen)
            np.maximum(largest, part, out=largest)
        self.chosen = chosen
        return largest

    def pass_back(self, delta: np.ndarray) -> np.ndarray:
        """Each delta to the place that was chosen, zeros elsewhere."""
        return self.give_back(lambda number: delta * (self.chosen == number))


class AveragePooling(_Pooling):
    """The mean of each field, of those of its numbers that lie inside the image.

        y[i, j, c] = mean of x over field (i, j)

    Backward, each of the n numbers of a field gets an n-th of its delta.

    Reference:
        LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document
        Recognition, 1998 (there with a factor that is learnt).
    """

    kind = "average pooling"

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The mean of each field."""
        grid = self.grid(x.shape[1:])
        padded = grid.padded(x)
        total = sum(padded[place] for place in self.places(grid))
        return total / self.counts(grid).astype(x.dtype)

    def pass_back(self, delta: np.ndarray) -> np.ndarray:
        """Each delta in equal shares."""
        grid = self.grid(self.input.shape[1:])
        share = delta / self.counts(grid).astype(delta.dtype)
        return self.give_back(lambda number: share)

    def counts(self, grid: Grid) -> np.ndarray:
        """How many numbers of each field lie inside the image: (1, rows, columns, 1)."""
        inside = grid.padded(np.ones((1, *grid.sides, 1)))
        return np.sum([inside[place] for place in self.places(grid)], axis=0)
