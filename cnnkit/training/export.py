"""A network as a file for other programs, checked by running the file itself."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cnnkit.errors import IncompatibleError

FORMATS = {"litert": "model.tflite", "onnx": "model.onnx"}
ONNX_NEEDS = ("tf2onnx", "onnx", "onnxruntime")
TOLERANCE = 1e-3  # of the largest logit: two ways of adding up a convolution differ by less


@dataclass(frozen=True, kw_only=True)
class Export:
    """A file, and how far its answers are from the network's."""

    path: Path
    format: str
    bytes: int
    difference: float  # the largest between two logits
    images: int  # that it was checked on
    agreed: int  # images whose best class is the same


def available_formats() -> list[str]:
    """What can be exported and checked with the libraries that are installed."""
    onnx = all(importlib.util.find_spec(name) for name in ONNX_NEEDS)
    return [name for name in FORMATS if name != "onnx" or onnx]


def export_network(model: keras.Model, folder: Path, kind: str, examples: np.ndarray) -> Export:
    """Write a network for other programs, and ask the file about some images.

    Args:
        model: from (batch, height, width, channels), 0 to 255, to logits.
        folder: made where it is missing.
        kind: key of `FORMATS`.
        examples: to compare answers on, (images, height, width, channels), 0 to 255.

    Raises:
        IncompatibleError: the libraries for it are not installed, or the file's answers
            are not the network's.
    """
    if kind not in FORMATS:
        raise ValueError(f"`kind` must be one of {', '.join(FORMATS)}. Received: {kind!r}.")
    if kind not in available_formats():
        raise IncompatibleError(
            f"An export to ONNX needs {', '.join(ONNX_NEEDS)}: pip install {' '.join(ONNX_NEEDS)}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FORMATS[kind]
    images = np.asarray(examples, np.float32)
    expected = np.asarray(model(images, training=False))
    model.export(path, format=kind, verbose=False)
    found = {"litert": _ask_litert, "onnx": _ask_onnx}[kind](path, images)
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        path.unlink()
        raise IncompatibleError(
            f"The {kind} file answers otherwise than the network: by {difference:.3g} in a logit."
        )
    return Export(
        path=path,
        format=kind,
        bytes=path.stat().st_size,
        difference=difference,
        images=len(images),
        agreed=int(np.sum(found.argmax(1) == expected.argmax(1))),
    )


def _ask_litert(path: Path, images: np.ndarray) -> np.ndarray:
    interpreter = tf.lite.Interpreter(str(path))
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for image in images:
        interpreter.resize_tensor_input(source["index"], (1, *image.shape))
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], image[np.newaxis])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(target["index"])[0])
    return np.stack(answers)


def _ask_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    return session.run(None, {source.name: images})[0]
