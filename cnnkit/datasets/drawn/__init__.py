"""Flowers drawn by the program: 17 kinds that a person tells apart, and a network can learn."""

from cnnkit.datasets.drawn.flowers import (
    FLOWERS,
    PER_CLASS,
    SOURCE,
    draw_flower,
    parts,
    stored,
)

__all__ = ["FLOWERS", "PER_CLASS", "SOURCE", "draw_flower", "parts", "stored"]
