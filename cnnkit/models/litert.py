"""LiteRT (`.tflite`) files: they can predict, and their layers cannot be reached.

The interpreter reads a stranger's file with code in C that checks little of it, so it runs in a
child only, each time anew: see `cnnkit.sandbox`.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import warnings
import weakref
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from cnnkit import sandbox
from cnnkit.errors import IncompatibleError, InvalidModelError
from cnnkit.models._storage import ModelCard
from cnnkit.models.predictor import Predictor
from cnnkit.models.preprocessing import (
    AS_THEY_ARE,
    SIGNED,
    UNIT,
    NetworkOrigin,
    check_preprocessing,
)
from cnnkit.sandbox import MIB, BreachError, Limits

ASK = "cnnkit.models.litert:answer_in_child"
MODEL, FACTS = LITERT_FILES = ("model.tflite", "litert.json")  # of a file that was looked at
MAGIC = b"TFL3"  # from the fifth byte on
SENT_BYTES = 16 * MIB  # of images that go to a child at once
SECONDS = 60.0  # for these
MEMORY = 768 * MIB  # beyond what the child has, and five times the file
LEAST = 1e-7  # probability: its logarithm is finite
NO_LAYERS = (
    "{title} is a LiteRT file: it can predict, but its layers cannot be reached. Upload the "
    "network that it was made from, a .keras or .h5 file."
)


class LiteRTPredictor(Predictor):
    """A `.tflite` file that answers as other networks do, and has no layers to show.

    Args:
        folder: with `LITERT_FILES`.
        card: what it is.
    """

    def __init__(self, folder: Path, card: ModelCard):
        """Keep the file open: its folder may go."""
        self.card = card
        self.lock = threading.Lock()
        self._file = os.open(folder / MODEL, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._preprocessing = json.loads((folder / FACTS).read_text("utf-8"))["preprocessing"]

    def __getattr__(self, name: str) -> NoReturn:
        """Say why there are no layers, where one asks for the model."""
        if name == "model":
            raise IncompatibleError(NO_LAYERS.format(title=self.card.title))
        raise AttributeError(name)

    def timed_logits(self, images: np.ndarray) -> tuple[np.ndarray, float]:
        """`logits`, and the seconds that they took.

        Raises:
            IncompatibleError: the images have another size than the network takes.
            InvalidModelError: the file is damaged.
        """
        self.check_images(images)
        images = np.asarray(images, np.float32)
        step = max(1, SENT_BYTES // images[:1].nbytes)
        with self.lock:  # two children would read the file from the same place
            began = time.perf_counter()
            chunks = [self._ask(images[i : i + step]) for i in range(0, len(images), step)]
            seconds = time.perf_counter() - began
        return np.concatenate(chunks), seconds

    def _ask(self, images: np.ndarray) -> np.ndarray:
        limits = litert_limits(os.fstat(self._file).st_size)
        arguments = sandbox.FIRST_FILE, images, self._preprocessing
        try:
            logits = sandbox.networks.call(ASK, *arguments, limits=limits, read=[self._file])
        except BreachError as breach:
            raise _refusal(breach) from breach
        expected = (len(images), len(self.card.class_names))
        if not isinstance(logits, np.ndarray) or logits.shape != expected:
            raise _refusal(BreachError("crash"))
        return logits.astype(np.float32)


def litert_limits(size: int) -> Limits:
    """What a child may use to run a file of so many bytes."""
    return Limits(seconds=SECONDS, wall_seconds=3 * SECONDS, memory=MEMORY + 5 * size)


def write_litert_facts(folder: Path, preprocessing: str) -> None:
    """Leave beside the file what it expects of its pixels, a key of `PREPROCESSINGS`."""
    (folder / FACTS).write_text(json.dumps({"preprocessing": preprocessing}), "utf-8")


def is_litert(beginning: bytes) -> bool:
    """Whether a file is of this kind, by its first eight bytes."""
    return beginning[4:8] == MAGIC


def describe_litert(data: bytes) -> dict[str, Any]:
    """What a file is, found out by running it once. In a child: see `cnnkit.sandbox`.

    Returns:
        "classes", "input_shape", "preprocessing" and "known"; or "problem", why nothing can be
        asked of it.

    Raises:
        InvalidModelError: it is damaged, or needs operations of other programs.
    """
    interpreter = _interpreter(data)
    sources, targets = interpreter.get_input_details(), interpreter.get_output_details()
    shape = tuple(int(side) for side in sources[0]["shape"])
    if len(sources) != 1 or len(shape) != 4 or shape[3] not in (1, 3):
        return {"problem": f"The network takes {len(sources)} inputs, the first of {shape[1:]}. "
                "LiteRT files with one image as their input work."}  # fmt: skip
    output = tuple(int(side) for side in targets[0]["shape"])
    if len(targets) != 1 or len(output) != 2 or output[1] < 2:
        return {"problem": f"The network returns {output}. LiteRT files with one number for each "
                "of several classes work, (batch, classes)."}  # fmt: skip
    origin = _origin(sources[0])
    return {
        "classes": output[1],
        "input_shape": list(shape[1:]),
        "preprocessing": origin.preprocessing,
        "known": origin.known,
    }


def answer_in_child(source: int, images: np.ndarray, preprocessing: str) -> np.ndarray:
    """The logits of a file for some images. In a child: see `cnnkit.sandbox`.

    Args:
        source: descriptor of the file.
        images: float32 (images, height, width, channels), 0 to 255.
        preprocessing: key of `PREPROCESSINGS`.
    """
    with os.fdopen(source, "rb", closefd=False) as file:
        file.seek(0)
        interpreter = _interpreter(file.read())
    (entrance,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
    values = check_preprocessing(preprocessing).apply(images)
    outputs = []
    for one in values:
        interpreter.set_tensor(entrance["index"], _quantized(one[np.newaxis], entrance))
        interpreter.invoke()
        outputs.append(_real(interpreter.get_tensor(exit_["index"])[0], exit_))
    return _logits(np.stack(outputs))


def _interpreter(data: bytes) -> Any:
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is to move to another package
        try:
            interpreter = tf.lite.Interpreter(model_content=data, num_threads=1)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            first = next(iter(str(error).strip().splitlines()), "")[:200]
            raise InvalidModelError(
                f"The LiteRT file cannot be opened: {first or 'it is damaged'}."
            ) from error
    return interpreter


def _origin(source: dict[str, Any]) -> NetworkOrigin:
    """What its input tells of the pixels that it expects."""
    scale, zero = source["quantization"]
    if scale:
        least, most = (scale * (end - zero) for end in _range(source["dtype"]))
        for name, low, high in ((SIGNED, -1, 1), (UNIT, 0, 1), (AS_THEY_ARE, 0, 255)):
            if abs(least - low) < 0.02 * (high - low) and abs(most - high) < 0.02 * (high - low):
                return NetworkOrigin(f"Its input is quantized from {low} to {high}.", name)
    if re.search(r"sequential_\d+_input", source["name"]):
        return NetworkOrigin(
            "It was made with Teachable Machine, which takes x / 127.5 − 1.", SIGNED
        )
    return NetworkOrigin()


def _range(dtype: Any) -> tuple[int, int]:
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _quantized(values: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    scale, zero = detail["quantization"]
    if not scale:
        return values.astype(detail["dtype"])
    return np.clip(np.rint(values / scale + zero), *_range(detail["dtype"])).astype(detail["dtype"])


def _real(values: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    scale, zero = detail["quantization"]
    real = (values.astype(np.float64) - zero) * scale if scale else values
    return real.astype(np.float32)


def _logits(outputs: np.ndarray) -> np.ndarray:
    """Logits as they are; of probabilities, logits that have these."""
    are_probabilities = outputs.min() >= 0 and np.abs(outputs.sum(1) - 1).max() < 0.05
    return np.log(np.maximum(outputs, LEAST)) if are_probabilities else outputs


def _refusal(breach: BreachError) -> InvalidModelError:
    sentences = {
        "time": f"The LiteRT file takes more than {SECONDS:g} s for some images. A smaller network "
        "answers.",
        "memory": "The LiteRT file takes more memory than is allowed. A smaller network answers.",
        "crash": "The LiteRT file is damaged: its interpreter failed. Export it again.",
    }
    return InvalidModelError(sentences[breach.what])
