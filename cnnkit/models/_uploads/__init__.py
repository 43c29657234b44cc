"""Opening a stranger's `.keras` or `.h5` file without running anything of it.

Nothing reaches Keras before it was looked at: first the archive, then the description of
the network against a list of what may stand there, then the weights' file for ways out of
it, then a network without weights for its size. Keras builds the network from the description
that was checked, and reads numbers alone from the file.

All of this happens in a child, see `cnnkit.sandbox`: `read_upload` leaves the checked form of the
network, which other processes open.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit._lazy import keras
from cnnkit.errors import CnnkitError, IncompatibleError, InvalidModelError, UnsafeModelError
from cnnkit.models._uploads import legacy
from cnnkit.models._uploads.archive import Opened, is_legacy, unpack
from cnnkit.models._uploads.checked import CHECKED_FILES as CHECKED_FILES
from cnnkit.models._uploads.checked import build, open_checked, write_checked
from cnnkit.models._uploads.config import read_config
from cnnkit.models._uploads.weights import check_weights
from cnnkit.models._weights import ready_for_weights

if TYPE_CHECKING:
    from keras import Model


UPLOAD_SUFFIXES = (".keras", ".h5", ".hdf5")  # of files that are opened; what counts is inside


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
    """Open a `.keras` or `.h5` file of unknown origin, in this process: for children.

    Args:
        source: the file, a descriptor of it, or what is in it.
        limits: None: those that a machine with 4 GB bears.
        image: insist on one input of (height, width, 1 or 3), sizes may be open.

    Returns:
        The network, not compiled.

    Raises:
        UnsafeModelError: the file holds what could run code, read other files or fill the
            memory; the message names it.
        InvalidModelError: the file is damaged or of another kind.
        IncompatibleError: the network does not take one image.
    """
    with _refusing(source), tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as name:
        return _convolved_exactly(_opened(source, limits or UploadLimits(), image, Path(name))[0])


def open_checked_model(folder: Path) -> Model:
    """The network whose checked form `read_upload` left in a folder, in any process.

    Raises:
        InvalidModelError: there is none.
    """
    return _convolved_exactly(open_checked(folder, UploadLimits()))


def read_upload(source: Opened, folder: Path, image: bool) -> tuple[Model, dict[str, int]]:
    """Open a file and leave the network's checked form. In a child: see `cnnkit.sandbox`.

    Args:
        source: as for `open_uploaded_model`.
        folder: where to leave it.
        image: as for `open_uploaded_model`.

    Returns:
        The network; and "bytes" of its weights in memory, "odd", how many of them are not finite.

    Raises:
        InvalidModelError, UnsafeModelError, IncompatibleError: see `open_uploaded_model`.
    """
    with _refusing(source):
        model, config = _opened(source, UploadLimits(), image, folder)
        odd = write_checked(model, config, folder)
        return _convolved_exactly(model), {"bytes": _bytes(model), "odd": odd}


def uploaded_bytes(source: Opened, *, image: bool = True) -> int:
    """Bytes that the weights of a `.keras` or `.h5` file will take in memory, without taking them.

    The file may be smaller, for it may be packed, or larger by an optimizer's state.

    Raises:
        UnsafeModelError, InvalidModelError, IncompatibleError: as `open_uploaded_model`.
    """
    with _refusing(source), tempfile.TemporaryDirectory(prefix="cnnkit-upload-") as name:
        *_, model = _checked(source, UploadLimits(), image, Path(name))
        return _bytes(model)


def warm_up() -> None:
    """Import what opening networks needs, for a process that forks children. No computing."""
    import h5py  # noqa: F401
    import keras.src.saving  # noqa: F401
    import tensorflow as tf  # noqa: F401

    from cnnkit.models import _local_response, predictor  # noqa: F401


def _opened(source: Opened, limits: UploadLimits, image: bool, folder: Path) -> tuple[Model, str]:
    """The network with its weights, and its description."""
    config, weights, model = _checked(source, limits, image, folder)
    ready_for_weights(model)
    model.load_weights(weights)
    weights.unlink()
    return model, config


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
) -> tuple[str, Path, Model]:
    """What may be opened: the network's description, its weights' file, itself without weights."""
    text, weights = unpack(source, limits, folder)
    config = read_config(text, limits)
    check_weights(weights, limits)
    return json.dumps(config), weights, _check_network(config, limits, image)


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


def _convolved_exactly(model: Model) -> Model:
    """The same network, with float64 where float32 convolutions give wrong numbers.

    On CPUs, those of TensorFlow 2.21 (oneDNN) read outside of their memory where the input has
    one channel, the strides are (1, n) and the output is one pixel wide; so do strided ones in
    three dimensions. Those in float64 are other code.
    """

    def in_float64(convolution: Callable) -> Callable:
        def convolved(inputs, kernel):
            exact = convolution(
                keras.ops.cast(inputs, "float64"), keras.ops.cast(kernel, "float64")
            )
            return keras.ops.cast(exact, inputs.dtype)

        return convolved

    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.Conv3D):
            wrong = max(layer.strides) > 1
        elif isinstance(layer, keras.layers.Conv1D | keras.layers.Conv2D):
            wrong = layer.groups * layer.kernel.shape[-2] == 1 and max(layer.strides) > 1
        else:
            continue
        if wrong:
            layer.convolution_op = in_float64(layer.convolution_op)
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
