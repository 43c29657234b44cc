"""A network as a file for other programs, checked by running it; a recipe as a script."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import IncompatibleError
from cnnkit.models.builder import is_code
from cnnkit.training.recipe import DEFINED, Recipe, default_of

if TYPE_CHECKING:
    import keras

FORMATS = {"litert": "model.tflite", "onnx": "model.onnx"}
ONNX_NEEDS = ("tf2onnx", "onnx", "onnxruntime")
TOLERANCE = 1e-3  # of the largest logit: two ways of adding up a convolution differ by less


@dataclass(frozen=True, kw_only=True)
class Export:
    """A file, and how far its outputs are from those of the network."""

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
        examples: to compare outputs on, (images, height, width, channels), 0 to 255.

    Raises:
        IncompatibleError: the libraries for it are not installed, or the file's outputs
            are not those of the network.
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
    answers = {"litert": _ask_litert, "onnx": _ask_onnx}[kind](path, images)
    difference = float(np.abs(answers - expected).max())
    if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        path.unlink()
        raise IncompatibleError(
            f"The outputs of the {kind} file differ from the network's by up to {difference:.3g}."
        )
    return Export(
        path=path,
        format=kind,
        bytes=path.stat().st_size,
        difference=difference,
        images=len(images),
        agreed=int(np.sum(answers.argmax(1) == expected.argmax(1))),
    )


def _ask_litert(path: Path, images: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(path))
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for image in images:
        interpreter.resize_tensor_input(source["index"], (1, *image.shape))
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], image[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target["index"])[0])
    return np.stack(outputs)


def _ask_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    return session.run(None, {source.name: images})[0]


_SCRIPT = '''"""{title}, trained again with cnnkit: python {filename}"""

from cnnkit.training import {imports}

recipe = {recipe}

result = fit(recipe, report=print)
predictions = evaluate(result.model, *recipe_dataset(recipe).part("test"))
low, high = predictions.interval
print(f"test error {{predictions.error:.2%}}, loss {{predictions.loss:.4f}}")
print(f"test accuracy {{predictions.accuracy:.1%}}, 95 % interval {{low:.1%}} to {{high:.1%}}")
result.model.save("{model}.keras")
'''


def write_script(recipe: Recipe, title: str | None = None) -> str:
    """Python source, as `ruff format` would have it, that trains and tests as a recipe says.

    It begins with the title; None: the names of network and data set. The network of a run is
    not in it: `fit` then needs its `base` from whoever runs the script.
    """
    parts = {
        "Augmentation": recipe.augmentation,
        "Head": recipe.head,
        "Phase": recipe.phases,
        "Stopping": recipe.stopping,
    }
    used = [name for name, part in parts.items() if part]
    used += ["Recipe", "evaluate", "fit", "recipe_dataset"]
    model = DEFINED if is_code(recipe.model) else recipe.model
    return _SCRIPT.format(
        title=docstring_words(title or f"{model} on {recipe.dataset}"),
        filename=f"{model}.py",
        imports=_import_list(sorted(used)),
        recipe=literal(recipe),
        model=model,
    )


def docstring_words(title: str) -> str:
    """A title for the first line of a docstring: nothing in it may end that."""
    return " ".join(title.replace("\\", "").replace('"', "'").split())


def _import_list(names: list[str]) -> str:
    line = ", ".join(names)
    if len(line) <= 60:
        return line
    return "(\n" + "".join(f"    {name},\n" for name in names) + ")"


def literal(value: Any, indent: str = "") -> str:
    """Python source of a recipe or a part of one, without what has its default.

    `indent` is that of the line that it begins in.
    """
    inner = indent + "    "
    if isinstance(value, tuple):
        return "(" + "".join(f"\n{inner}{literal(one, inner)}," for one in value) + f"\n{indent})"
    if dataclasses.is_dataclass(value):
        lines = [
            f"{inner}{field.name}={literal(getattr(value, field.name), inner)},\n"
            for field in dataclasses.fields(value)
            if getattr(value, field.name) != default_of(field)
        ]
        return f"{type(value).__name__}(\n{''.join(lines)}{indent})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}: {literal(item, indent)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    return repr(value)
