"""A figure as the plain values that a browser gets."""

from __future__ import annotations

from typing import Any

from plotly.basedatatypes import BaseFigure


class PlainFigure(BaseFigure):
    """Values that were those of a figure, and need not be checked again.

    `st.plotly_chart` only asks a figure for its values. Given them as a dictionary, it would make a
    figure of it, which takes 35 ms for a confusion matrix.

    Args:
        values: what `to_dict` of a figure returns.
    """

    def __init__(self, values: dict[str, Any]):
        object.__setattr__(self, "_values", values)

    def to_dict(self) -> dict[str, Any]:
        """The values."""
        return self._values
