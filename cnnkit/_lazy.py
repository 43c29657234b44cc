"""Keras, imported at its first use.

Importing it takes 4 to 8 s on a small machine, and a list of models must not wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
else:
    import lazy_loader

    keras = lazy_loader.load("keras")

__all__ = ["keras"]
