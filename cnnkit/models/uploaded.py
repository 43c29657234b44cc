"""An uploaded network, a `.keras` or `.h5` file, ready to predict."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import sandbox
from cnnkit._lazy import keras
from cnnkit.errors import CnnkitError, IncompatibleError, InvalidModelError, UnsafeModelError
from cnnkit.models._storage import ModelCard
from cnnkit.models._uploads import (
    CHECKED_FILES,
    UploadLimits,
    check_image,
    first_line,
    open_checked_model,
    read_upload,
)
from cnnkit.models.predictor import Predictor
from cnnkit.sandbox import MIB, BreachError, Limits

if TYPE_CHECKING:
    from keras import Model


SIZE = 224  # pixels, for networks that take images of any size
READ = "cnnkit.models.uploaded:read_in_child"
# A damaged HDF5 file may keep its library in a circle for ever: a small file gets little time.
# Keras's files have some kilobytes for each layer, and a layer takes some 20 ms.
SECONDS, SECONDS_PER_BYTE, MOST_SECONDS = 3.5, 20 / 2**20, 40.0
WALL_FACTOR = 5  # on a busy machine
ODD = "of its weights are not finite (NaN or infinite): its answers may mean nothing."
MEMORY = 768 * MIB  # beyond what the child has, and five times the file


@dataclass(frozen=True)
class CheckedUpload:
    """What a child found out about an uploaded network.

    Args:
        bytes: of its weights in memory.
        classes: that it tells apart; 0: it returns feature maps.
        input_shape: height, width and channels; 0: any. Empty where it takes no image.
        problem: why nothing can be asked of it; "": it returns classes or feature maps.
        notes: sentences for people, such as one on weights that are not finite.
    """

    bytes: int
    classes: int = 0
    input_shape: tuple[int, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()

    def card(self, title: str, class_names: Sequence[str] = ()) -> ModelCard:
        """Its card.

        Args:
            title: shown to people, such as the file's name.
            class_names: in the order of the logits; those that lack are called by number.

        Raises:
            IncompatibleError: it returns neither classes nor feature maps; says why.
        """
        if self.problem:
            raise IncompatibleError(self.problem)
        height, width, channels = self.input_shape
        numbered = [f"class {i}" for i in range(len(class_names), self.classes)]
        return ModelCard(
            model="uploaded",
            title=title,
            class_names=(*class_names[: self.classes], *numbered),
            input_shape=(height or SIZE, width or SIZE, channels),
            dataset="unknown",
        )


def check_upload(source: Path | str | bytes, folder: Path, *, image: bool = True) -> CheckedUpload:
    """Have a child open a file and let the network answer once.

    Args:
        source: the `.keras` or `.h5` file, or what is in it.
        folder: gets the checked form of the network, for `open_checked`.
        image: refuse a network that does not take one image.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be used; says why.
        IncompatibleError: it does not take one image.
    """
    inside = tempfile.TemporaryDirectory(prefix="child-", dir=folder.resolve())
    with _file(source) as file, inside as own:
        limits = upload_limits(os.fstat(file).st_size, own)
        arguments = sandbox.FIRST_FILE, own, image
        try:
            facts = sandbox.networks.call(READ, *arguments, limits=limits, read=[file])
        except BreachError as breach:
            raise _refusal(breach, limits) from breach
        upload = _checked(facts)
        for name in CHECKED_FILES:
            os.replace(Path(own) / name, folder / name)
    return upload


def upload_limits(size: int, folder: str) -> Limits:
    """What a child may use to open a file of so many bytes and leave its checked form behind."""
    seconds = min(SECONDS + SECONDS_PER_BYTE * size, MOST_SECONDS)
    return Limits(
        seconds=seconds,
        wall_seconds=WALL_FACTOR * seconds,
        memory=MEMORY + 5 * size,
        folder=folder,
        written=UploadLimits().weights_bytes + 64 * MIB,
    )


def open_uploaded_model(source: Path | str | bytes, *, image: bool = True) -> Model:
    """Check a file in a child, and open its network here.

    Args:
        source: the `.keras` or `.h5` file, or what is in it.
        image: insist on one input of (height, width, 1 or 3), sizes may be open.

    Returns:
        The network, not compiled.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be used; says why.
        IncompatibleError: it does not take one image.
    """
    with tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as folder:
        check_upload(source, Path(folder), image=image)
        return open_checked_model(Path(folder))


def open_uploaded(
    source: Path | str | bytes, *, title: str, class_names: Sequence[str] = ()
) -> Predictor:
    """Check a file in a child, and open its network here, ready to predict.

    Args:
        source: the `.keras` or `.h5` file, or what is in it.
        title: shown to people, such as the file's name.
        class_names: in the order of the logits; those that lack are called by number.

    Raises:
        InvalidModelError, UnsafeModelError: it cannot be used; says why.
        IncompatibleError: it returns neither one number a class nor feature maps.
    """
    with tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as folder:
        card = check_upload(source, Path(folder)).card(title, class_names)
        return open_checked(Path(folder), card)


def open_checked(folder: Path, card: ModelCard) -> Predictor:
    """The network that `check_upload` left in a folder, ready to predict.

    Networks that end in softmax return the input of softmax: softmax of those logits
    is the very probabilities again.
    """
    return Predictor(_to_logits(open_checked_model(folder)), card)


def read_in_child(source: int, folder: str, image: bool) -> dict[str, Any]:
    """Open a file, leave the checked form of its network, and let it answer once.

    Args:
        source: descriptor of the file.
        folder: where to leave it.
        image: refuse a network that does not take one image.

    Returns:
        "bytes" of its weights, "odd", how many are not finite, and "classes" and "input_shape", or
        "problem".
    """
    model, facts = read_upload(source, Path(folder), image)
    try:
        check_image(model)
        model = _to_logits(model)
        shape = tuple(side or 0 for side in model.input_shape[1:])
        classes = 0 if _gives_maps(model) else int(model.output_shape[-1])
        found = CheckedUpload(bytes=facts["bytes"], classes=classes, input_shape=shape)
        _answer_once(model, found.card("the network"))
    except IncompatibleError as error:
        return facts | {"problem": str(error)}
    return facts | {"classes": found.classes, "input_shape": shape}


def _answer_once(model: Model, card: ModelCard) -> None:
    try:
        Predictor(model, card)
    except (CnnkitError, MemoryError):
        raise
    # Whatever TensorFlow stumbles on: dtypes that do not meet, sizes that do not fit.
    except Exception as error:
        if type(error).__name__ == "ResourceExhaustedError":
            raise MemoryError from error
        raise InvalidModelError(
            f"The network opens, but fails at its first answer: {first_line(error)}"
        ) from error


@contextmanager
def _file(source: Path | str | bytes) -> Iterator[int]:
    """A descriptor of a file, or of one with these bytes."""
    if isinstance(source, bytes):
        with tempfile.TemporaryFile() as file:
            file.write(source)
            file.flush()
            yield file.fileno()
        return
    try:
        file = Path(source).open("rb")
    except (OSError, ValueError) as error:  # a name with a zero byte, among others
        why = getattr(error, "strerror", None) or error
        raise InvalidModelError(f"{source} cannot be read: {why}.") from error
    with file:
        yield file.fileno()


def _refusal(breach: BreachError, limits: Limits) -> InvalidModelError:
    if breach.what == "time":
        return UnsafeModelError(
            f"The network takes more than {limits.seconds:.0f} s to open and to answer once, too "
            "long for a file of this size. It may be damaged; a smaller network opens."
        )
    if breach.what == "memory":
        return UnsafeModelError(
            f"The network takes more than {limits.memory / 2**20:,.0f} MB of memory to open and to "
            "answer once. A smaller one opens."
        )
    return InvalidModelError(
        "The network cannot be opened: its reader failed. Save it again with Keras 3: "
        "model.save('new.keras')."
    )


def _checked(facts: Any) -> CheckedUpload:
    """What came from a child, whose file may have made it answer anything."""
    try:
        shape = tuple(int(side) for side in facts.get("input_shape", ()))
        classes, problem = int(facts.get("classes", 0)), str(facts.get("problem", ""))[:500]
        size, odd = int(facts["bytes"]), int(facts["odd"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refusal(BreachError("crash"), Limits()) from error
    counted = classes == 0 or 1 < classes < 10**6
    if not problem and (len(shape) != 3 or not counted or shape[2] not in (1, 3)):
        raise _refusal(BreachError("crash"), Limits())
    notes = (f"{odd:,} {ODD}",) if odd else ()
    return CheckedUpload(size, classes, shape, problem, notes)


def _gives_maps(model: Model) -> bool:
    """Whether it ends in feature maps, as a network without its top."""
    return isinstance(model.output_shape, tuple) and len(model.output_shape) == 4


def _to_logits(model: Model) -> Model:
    """The network without softmax at its end, its layers and their names as in the file.

    It is taken out, not undone by a logarithm: operations added for that would be listed as
    layers of the file.
    """
    if _gives_maps(model):
        return model
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or (shape[-1] or 0) < 2:
        raise IncompatibleError(
            f"The network returns {shape}. One with one number for each of several classes works, "
            "(batch, classes), or one with feature maps, (batch, height, width, channels)."
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
