"""An uploaded network, a `.keras` or `.h5` file, ready to predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnkit._lazy import keras
from cnnkit.errors import IncompatibleError
from cnnkit.models._storage import ModelCard
from cnnkit.models._uploads import open_uploaded_model
from cnnkit.models.predictor import Predictor

if TYPE_CHECKING:
    from keras import Model


SIZE = 224  # pixels, for networks that take images of any size


def open_uploaded(data: bytes, *, title: str, class_names: Sequence[str] = ()) -> Predictor:
    """Check a file, open it, and let it answer once.

    Networks that end in softmax return the input of softmax: softmax of those logits
    is the very probabilities again.

    Args:
        data: the whole `.keras` or `.h5` file.
        title: shown to people, such as the file's name.
        class_names: in the order of the logits; those that lack are called by number.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be used; says why.
        IncompatibleError: it does not return one number a class.
    """
    from cnnkit.models import _local_response  # noqa: F401  registers the layer

    model = _to_logits(open_uploaded_model(data))
    classes = int(model.output_shape[-1])
    height, width, channels = model.input_shape[1:]
    numbered = [f"class {i}" for i in range(len(class_names), classes)]
    card = ModelCard(
        model="uploaded",
        title=title,
        class_names=(*class_names[:classes], *numbered),
        input_shape=(height or SIZE, width or SIZE, channels),
        dataset="unknown",
    )
    return Predictor(model, card)


def _to_logits(model: Model) -> Model:
    """The network without softmax at its end, its layers and their names as in the file.

    It is taken out, not undone by a logarithm: operations added for that would be listed as
    layers of the file.
    """
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or (shape[-1] or 0) < 2:
        raise IncompatibleError(
            f"The network returns {shape}. One with one number for each of several classes works: "
            "(batch, classes)."
        )
    last = model.outputs[0]._keras_history.operation
    inner = _innermost(last)
    ends = _activation(inner)
    if ends in ("linear", ""):
        return model
    if ends != "softmax":
        raise IncompatibleError(
            f"The network ends in {ends}. One that ends in logits (linear) or softmax works."
        )
    if hasattr(inner, "activation"):
        inner.activation = keras.activations.linear
        return model
    if inner is not last:
        raise IncompatibleError(
            f"The network ends in softmax inside of the nested network {last.name!r}. One whose "
            "own last layer is the softmax works."
        )
    (logits,) = last._inbound_nodes[model.outputs[0]._keras_history.node_index].input_tensors
    return keras.Model(model.inputs[0], logits, name=model.name)


def _innermost(operation: Any) -> Any:
    """The layer or operation that computes an output, within nested networks."""
    while isinstance(operation, keras.Model) and operation.outputs:
        operation = operation.outputs[0]._keras_history.operation
    return operation


def _activation(operation: Any) -> str:
    """Name of what a layer does at its end, or of an activation that stands alone."""
    if hasattr(operation, "activation"):
        return getattr(operation.activation, "__name__", "")
    kind = type(operation).__name__.lower()
    return kind if kind in ("softmax", "sigmoid") else ""
