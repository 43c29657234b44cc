"""What can be set of a layer: each field with its default, its range and a sentence of help."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

ACTIVATIONS = ("linear", "relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid")
ACTIVATION_TITLES = {
    "linear": "none",
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
}
PADDINGS = ("same", "valid")


@dataclass(frozen=True, kw_only=True)
class LayerField:
    """One thing that can be set of a layer.

    It takes one of `choices`, a number of `range`, the name of an earlier layer, or, with
    neither, yes or no.
    """

    name: str
    title: str  # shown to people
    default: Any
    help: str = ""
    choices: tuple[Any, ...] = ()
    titles: dict[Any, str] | None = None  # of choices
    range: tuple[float, float] | None = None  # the least and the largest number
    empty: str | None = None  # what None means; None: there must be a value
    layer: bool = False  # the name of an earlier layer

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers only."""
        return self.range is not None and isinstance(self.range[0], int)

    def problem(self, value: Any) -> str:
        """Why it cannot have this value, as the end of a sentence; empty: it can."""
        if value is None and self.empty is not None:
            return ""
        if self.layer:
            return "" if isinstance(value, str) else "must be the name of an earlier layer"
        if self.choices:
            known = any(value == one and type(value) is type(one) for one in self.choices)
            return "" if known else f"must be one of {', '.join(map(str, self.choices))}"
        if self.range is None:
            return "" if isinstance(value, bool) else "must be true or false"
        low, high = self.range
        number = isinstance(value, int if self.whole else int | float)
        if number and not isinstance(value, bool) and _finite(value) and low <= value <= high:
            return ""
        return f"must be a {'whole ' * self.whole}number from {low:g} to {high:g}"

    def text(self, value: Any) -> str:
        """A value in a word or two."""
        if value is None:
            return self.empty or "none"
        if self.titles and value in self.titles:
            return self.titles[value]
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:.4g}" if isinstance(value, float) else str(value)


def _finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


FILTERS = LayerField(
    name="filters",
    title="Filters",
    default=32,
    range=(1, 2048),
    help="How many patterns the layer looks for: each filter gives one feature map.",
)
KERNEL_SIZE = LayerField(
    name="kernel_size",
    title="Kernel size",
    default=3,
    range=(1, 31),
    help="Height and width of the window that slides over the maps: 3 means 3×3.",
)
STRIDES = LayerField(
    name="strides",
    title="Stride",
    default=1,
    range=(1, 8),
    help="How far the window moves at each step; with 2 the maps become half as high and wide.",
)
PADDING = LayerField(
    name="padding",
    title="Padding",
    default="same",
    choices=PADDINGS,
    help="same: zeros around the border, so that maps keep their size. valid: no padding, so "
    "that maps shrink by the kernel size less one.",
)
ACTIVATION = LayerField(
    name="activation",
    title="Activation",
    default="relu",
    choices=ACTIVATIONS,
    titles=ACTIVATION_TITLES,
    help="The curve that each value goes through. Without any, several layers can do no more "
    "than one.",
)
USE_BIAS = LayerField(
    name="use_bias",
    title="Bias",
    default=True,
    help="One trainable number for each filter or unit, which is added. Batch normalization has "
    "its own, so a layer before it needs none.",
)
BIAS = LayerField(
    name="bias",
    title="Initial bias",
    default=0.0,
    range=(-10.0, 10.0),
    help="Every bias begins with this value.",
)
RATE = LayerField(
    name="rate",
    title="Rate",
    default=0.5,
    range=(0.0, 0.9),
    help="Fraction that each training step sets to 0, so that no unit can rely on another.",
)
SOURCE = LayerField(
    name="source",
    title="From layer",
    default="",
    layer=True,
    help="An earlier layer, whose output comes here past all layers between.",
)
