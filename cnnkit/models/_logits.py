"""The end of a network from elsewhere: logits, whatever it computes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnkit._lazy import keras
from cnnkit.errors import IncompatibleError

if TYPE_CHECKING:
    from keras import Model


def gives_maps(model: Model) -> bool:
    """Whether it ends in feature maps, as a network without its top."""
    return isinstance(model.output_shape, tuple) and len(model.output_shape) == 4


def to_logits(model: Model) -> Model:
    """A flat network without softmax at its end, its layers and their names as in the file.

    It is taken out, not undone by a logarithm: operations added for that would be listed as
    layers of the file.
    """
    if gives_maps(model):
        return model
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or (shape[-1] or 0) < 2:
        raise IncompatibleError(
            f"The network returns {shape}. One with one number for each of several classes works, "
            "(batch, classes), or one with feature maps, (batch, height, width, channels)."
        )
    last = model.outputs[0]._keras_history.operation
    ends = _activation(last)
    if ends in ("linear", ""):
        return model
    if ends != "softmax":
        raise IncompatibleError(
            f"The network ends in {ends}. One that ends in logits (linear) or softmax works."
        )
    if hasattr(last, "activation"):
        last.activation = keras.activations.linear
        return model
    (logits,) = last._inbound_nodes[model.outputs[0]._keras_history.node_index].input_tensors
    return keras.Model(model.inputs[0], logits, name=model.name)


def _activation(operation: Any) -> str:
    """Name of what a layer does at its end, or of an activation that stands alone."""
    if hasattr(operation, "activation"):
        return getattr(operation.activation, "__name__", "")
    kind = type(operation).__name__.lower()
    return kind if kind in ("softmax", "sigmoid") else ""
