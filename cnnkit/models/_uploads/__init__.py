"""Opening a stranger's network without running anything of its file.

It is a `.keras` file, an `.h5` file of Keras 1 to 3, or a ZIP with one of these or with a network
of TensorFlow.js. Nothing reaches Keras before it was looked at: first the archive, then the
description of the network against a list of what may stand there, then the weights' file for ways
out of it, then a network without weights for its size. Keras builds the network from the
description that was checked, and reads numbers alone from the file.

All of this happens in a child, see `cnnkit.sandbox`: `read_upload` leaves the checked form of the
network, which other processes open.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit._lazy import keras
from cnnkit.errors import CnnkitError, IncompatibleError, InvalidModelError, UnsafeModelError
from cnnkit.models import litert
from cnnkit.models._uploads import legacy
from cnnkit.models._uploads.archive import Opened, is_legacy, read_litert, unpack
from cnnkit.models._uploads.checked import CHECKED_FILES as CHECKED_FILES
from cnnkit.models._uploads.checked import build, open_checked, write_checked
from cnnkit.models._uploads.config import read_config
from cnnkit.models._uploads.exact_convolutions import convolved_exactly
from cnnkit.models._uploads.flattening import flat_network, is_nested
from cnnkit.models._uploads.old_weights import read_hdf5
from cnnkit.models._uploads.parts import Unpacked
from cnnkit.models._uploads.tensorflowjs import read_shards
from cnnkit.models._uploads.weights import check_weights
from cnnkit.models._weights import ready_for_weights
from cnnkit.models.preprocessing import (
    AS_THEY_ARE,
    NetworkOrigin,
    check_preprocessing,
    origin_of,
)

if TYPE_CHECKING:
    from keras import Model


UPLOAD_SUFFIXES = (".keras", ".h5", ".hdf5", ".zip", ".tflite")  # what counts is inside


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    """How large a file and its network may be."""

    file_bytes: int = 700 * 2**20  # VGG19 without its optimizer has 550 MB
    config_bytes: int = 4 * 2**20  # EfficientNetB7 has 1 MB
    weights_bytes: int = 1200 * 2**20  # unpacked
    parameters: int = 200_000_000
    layers: int = 2_000
    calls: int = 5_000  # uses of layers, nested networks opened
    output_bytes: int = 2**30  # of one layer, for one image
    build_seconds: float = 12.0  # of computing: what this process took, the next one takes too


def open_uploaded_model(
    source: Opened, *, limits: UploadLimits | None = None, image: bool = True
) -> Model:
    """Open a network's file of unknown origin, in this process: for children.

    Args:
        source: the file, a descriptor of it, or what is in it.
        limits: None: those that a machine with 4 GB bears.
        image: insist on one input of (height, width, 1 or 3), sizes may be open.

    Returns:
        The network, not compiled, in one flat graph; its pixels are as the file has them.

    Raises:
        UnsafeModelError: the file holds what could run code, read other files or fill the
            memory; the message names it.
        InvalidModelError: the file is damaged or of another kind.
        IncompatibleError: the network does not take one image.
    """
    with _refusing(source), tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as name:
        opened = _opened(source, limits or UploadLimits(), image, Path(name))
        return convolved_exactly(opened.model)


def open_checked_model(folder: Path) -> Model:
    """The network whose checked form `read_upload` left in a folder, in any process.

    Raises:
        InvalidModelError: there is none.
        IncompatibleError: it is a LiteRT file, whose layers cannot be reached.
    """
    if (folder / litert.MODEL).exists():
        raise IncompatibleError(litert.NO_LAYERS.format(title="This network"))
    return convolved_exactly(open_checked(folder, UploadLimits()))


def read_upload(
    source: Opened, folder: Path, image: bool, preprocessing: str = ""
) -> tuple[Model, dict[str, Any]]:
    """Open a file and leave the network's checked form. In a child: see `cnnkit.sandbox`.

    Args:
        source: as for `open_uploaded_model`.
        folder: where to leave it.
        image: as for `open_uploaded_model`.
        preprocessing: key of `PREPROCESSINGS`, what the network expects of its pixels; "": what
            its layers tell, or pixels as they are.

    Returns:
        The network, which takes pixels of 0 to 255; and "bytes" of its weights in memory, "odd",
        how many of them are not finite, "preprocessing", "known", why that, "class_names".

    Raises:
        InvalidModelError, UnsafeModelError, IncompatibleError: see `open_uploaded_model`.
    """
    with _refusing(source):
        opened = _opened(source, UploadLimits(), image, folder)
        origin = origin_of(opened.model) if len(opened.model.inputs) == 1 else NetworkOrigin()
        chosen = preprocessing or origin.preprocessing
        model, config = opened.model, opened.config
        if chosen != AS_THEY_ARE:
            check_image(model)
            model = flat_network(model, check_preprocessing(chosen))
            config = _describe(model)
        odd = write_checked(model, config, folder)
        facts = {"bytes": _bytes(model), "odd": odd, "preprocessing": chosen}
        facts |= {"known": origin.known, "class_names": list(opened.class_names)}
        return convolved_exactly(model), facts


def read_litert_upload(source: Opened, folder: Path) -> dict[str, Any] | None:
    """Run a LiteRT file once and leave it in a folder. In a child: see `cnnkit.sandbox`.

    Returns:
        What `describe_litert` tells, and "bytes", "odd" and "class_names"; None: it is a file of
        another kind.

    Raises:
        InvalidModelError, UnsafeModelError: see `open_uploaded_model`.
    """
    with _refusing(source):
        found = read_litert(source, UploadLimits())
        if found is None:
            return None
        data, names = found
        (folder / litert.MODEL).write_bytes(data)
        facts = {"bytes": len(data), "odd": 0, "class_names": list(names), "litert": True}
        return facts | litert.describe_litert(data)


def uploaded_bytes(source: Opened, *, image: bool = True) -> int:
    """Bytes that the weights of a network's file will take in memory, without taking them.

    The file may be smaller, for it may be packed, or larger by an optimizer's state.

    Raises:
        UnsafeModelError, InvalidModelError, IncompatibleError: as `open_uploaded_model`.
    """
    with _refusing(source), tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as name:
        return _bytes(_checked(source, UploadLimits(), image, Path(name))[2])


def warm_up() -> None:
    """Import what opening networks needs, for a process that forks children. No computing."""
    import h5py  # noqa: F401
    import keras.src.saving  # noqa: F401
    import tensorflow as tf

    from cnnkit.models import _local_response, predictor  # noqa: F401

    _ = tf.lite.Interpreter  # imported at its first use


@dataclass(frozen=True, eq=False)
class _Network:
    """A network with its weights, its description, and the names that came with it."""

    model: Model
    config: str
    class_names: tuple[str, ...]


def _opened(source: Opened, limits: UploadLimits, image: bool, folder: Path) -> _Network:
    """The network in one flat graph."""
    parts, config, model = _checked(source, limits, image, folder)
    ready_for_weights(model)
    if parts.web:
        read_shards(parts.web, parts.weights, model)
    elif parts.weights.name == legacy.FILE:
        read_hdf5(parts.weights, model)
    else:
        model.load_weights(parts.weights)
    parts.weights.unlink()
    if len(model.inputs) == 1 and is_nested(model):
        model = flat_network(model)
        config = _describe(model)
    return _Network(model, config, parts.class_names)


def _describe(model: Model) -> str:
    return json.dumps(keras.saving.serialize_keras_object(model))


def _bytes(model: Model) -> int:
    import tensorflow as tf

    return sum(math.prod(one.shape) * tf.as_dtype(one.dtype).size for one in model.weights)


@contextmanager
def _refusing(source: Opened) -> Iterator[None]:
    try:
        yield
    except CnnkitError:
        raise
    except MemoryError as error:
        raise UnsafeModelError("The memory does not suffice to open this network.") from error
    # Of a damaged or hostile file, zipfile, HDF5 and Keras raise whatever they stumble on.
    except Exception as error:
        advice = f" {legacy.RESAVE}" if is_legacy(source) else ""
        raise InvalidModelError(
            f"The network cannot be opened: {first_line(error)}{advice}"
        ) from error


def _checked(
    source: Opened, limits: UploadLimits, image: bool, folder: Path
) -> tuple[Unpacked, str, Model]:
    """What may be opened: the parts, the network's description, itself without weights."""
    parts = unpack(source, limits, folder)
    config = read_config(parts.config, limits)
    if parts.web is None:
        check_weights(parts.weights, limits)
    return parts, json.dumps(config), _check_network(config, limits, image)


def _check_network(config: dict[str, Any], limits: UploadLimits, image: bool) -> Model:
    """Build the network without weights: a dense layer of a terabyte costs nothing so."""
    began = time.process_time()
    model = build(config)
    seconds = time.process_time() - began
    if seconds > limits.build_seconds:
        raise UnsafeModelError(
            f"The network takes {seconds:.0f} s to build; at most {limits.build_seconds:g} s are "
            "spent. One with fewer layers opens."
        )
    if not isinstance(model, keras.Model) or not model.built or not model.inputs:
        raise InvalidModelError(
            "The network has no input yet; build it, as by calling it once, and save it again."
        )
    if model.count_params() > limits.parameters:
        raise UnsafeModelError(
            f"The network has {model.count_params():,} parameters; at most {limits.parameters:,} "
            "are opened."
        )
    for operation, shape in _outputs(model):
        size = 4 * math.prod(side or 1 for side in shape)
        if size > limits.output_bytes:
            raise UnsafeModelError(
                f"Layer {operation.name!r} gives {tuple(shape[1:])}, {size / 2**30:,.1f} GiB for "
                f"one image; at most {limits.output_bytes / 2**30:g} are opened."
            )
    if image:
        check_image(model)
    return model


def _outputs(model: Any) -> Iterator[tuple[Any, tuple[int | None, ...]]]:
    for operation in getattr(model, "operations", None) or model.layers:
        if isinstance(operation, keras.Model):
            yield from _outputs(operation)
        for node in operation._inbound_nodes:
            for tensor in node.output_tensors:
                yield operation, tuple(tensor.shape)


def check_image(model: Model) -> None:
    works = "Networks with one image as their input work: (height, width, 1 or 3)."
    if len(model.inputs) != 1:
        raise IncompatibleError(f"The network takes {len(model.inputs)} inputs. {works}")
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise IncompatibleError(f"The network takes inputs of {shape}. {works}")


def first_line(error: Exception) -> str:
    # Of a layer that cannot be made, Keras tells the reason last, after each network around it.
    reason = str(error).rpartition("Exception encountered:")[2]
    line = next(iter(reason.strip().splitlines()), "") or type(error).__name__
    line = re.sub(r"\s+", " ", line)
    return line if len(line) <= 200 else f"{line[:199]}…"
