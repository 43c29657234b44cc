"""Networks whose weights have shapes but no values yet."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cnnkit._lazy import keras

if TYPE_CHECKING:
    from keras import Model


def without_weights(build: Callable[[], Model]) -> Model:
    """Build a network without the memory of its weights.

    Shapes, parameters and the graph are those of the real network; it can be dissected, not
    called. VGG16 takes half a gigabyte otherwise.

    Args:
        build: makes the network: `lambda: create_model("deep_mnist")`.
    """

    def run() -> Model:
        with keras.StatelessScope(initialize_variables=False):
            return build()

    # Keras keeps a list, one a thread, of variables that wait for their values; with the
    # thread ends the list, and no later scope fills them.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run).result()


def ready_for_weights(model: Model) -> Model:
    """Let a network from `without_weights` take its weights from a file.

    Random values first would cost VGG16 another 800 MB that TensorFlow keeps. Until every
    weight is assigned the network cannot be called.
    """
    from tensorflow.python.ops.resource_variable_ops import UninitializedVariable

    weights = {id(variable) for variable in model.weights}
    for variable in model.variables:
        if id(variable) in weights:
            how = {"shape": variable.shape, "dtype": variable.dtype, "name": variable.name}
            variable._initialize(UninitializedVariable(trainable=variable.trainable, **how))
        else:  # seeds of dropout, which no file holds
            variable._deferred_initialize()
    return model
