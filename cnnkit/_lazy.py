"""Keras and TensorFlow, imported at their first use.

Importing them takes 4 to 8 s on a small machine, and a list of models must not wait.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
else:

    class _Lazy:
        """Stands for a module without being in `sys.modules`.

        A lazy module that is registered there (`importlib.util.LazyLoader`, on which
        `lazy_loader.load` is built) is found half-loaded by a second thread that needs
        it meanwhile; `import_module` makes that thread wait.
        """

        def __init__(self, module: str):
            self._module = module

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module(self._module), name)

    keras = _Lazy("keras")
    tf = _Lazy("tensorflow")

__all__ = ["keras", "tf"]
