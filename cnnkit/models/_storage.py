"""A trained network on disk: `model.keras`, and a card that says what it is."""

from __future__ import annotations

import dataclasses
import importlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from cnnkit._lazy import keras
from cnnkit.errors import CorruptResultError, IncompatibleError, InvalidModelError
from cnnkit.files import replacing, write_atomic

if TYPE_CHECKING:
    from keras import Model

MODEL_FILE = "model.keras"
CARD_FILE = "card.json"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What must be known to use a trained network rightly. Plain values only."""

    model: str  # registered name of the architecture
    title: str
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]  # (height, width, channels), values 0 to 255
    dataset: str
    split: Mapping[str, int] = field(default_factory=dict)  # part -> images; empty: not recorded
    recipe: Mapping[str, Any] = field(default_factory=dict)  # Recipe.to_dict()
    metrics: Mapping[str, float] = field(default_factory=dict)  # on the test part
    versions: Mapping[str, str] = field(default_factory=dict)  # of cnnkit, Keras, TensorFlow

    def to_json(self) -> str:
        """As stored beside the weights."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=1)

    def check_classes(self) -> None:
        """Refuse a network that classifies nothing.

        Raises:
            IncompatibleError: it has no classes.
        """
        if not self.class_names:
            raise IncompatibleError(
                f"{self.title} returns feature maps and no classes, so there is no answer to "
                "predict or to explain. The page Inside shows its feature maps."
            )

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """The inverse of `to_json`."""
        values = json.loads(text)
        values["class_names"] = tuple(values["class_names"])
        values["input_shape"] = tuple(values["input_shape"])
        return cls(**values)


def save_model(model: Model, card: ModelCard, folder: Path | str) -> None:
    """Write the model without its optimizer, and its card, each aside and then renamed.

    Args:
        model: from images, 0 to 255, to logits.
        card: class names, input shape and origin of the model.
        folder: made if it is not there.
    """
    folder = Path(folder)
    # An uncompiled copy of the same layers: the optimizer's state would triple the file.
    bare = keras.Model(model.input, model.output, name=model.name)
    with replacing(folder / MODEL_FILE) as aside:
        bare.save(aside)
    write_atomic(folder / CARD_FILE, card.to_json())


def load_model(folder: Path | str) -> tuple[Model, ModelCard]:
    """Read what `save_model` wrote.

    Args:
        folder: of the model and its card.

    Raises:
        InvalidModelError: it is a file; says how to open one.
        CorruptResultError: a file is missing or damaged; names it.
    """
    folder = Path(folder)
    if folder.is_file():
        raise InvalidModelError(
            f"`folder` must be one that `save_model` wrote. Received the file {folder}. "
            "`cnnkit.models.open_uploaded` opens a single file."
        )
    return _read(folder / MODEL_FILE, _load_keras), _read(folder / CARD_FILE, _load_card)


def load_card(path: Path | str) -> ModelCard:
    """The card alone, which needs no Keras.

    Args:
        path: of the file `card.json`.

    Raises:
        CorruptResultError: it is missing or damaged; names it.
    """
    return _read(Path(path), _load_card)


def _load_keras(path: Path) -> Model:
    # Keras meets layers of ours when their module is imported.
    importlib.import_module("cnnkit.models._local_response")
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def _load_card(path: Path) -> ModelCard:
    return ModelCard.from_json(path.read_text(encoding="utf-8"))


def _read(path: Path, reader):
    if not path.is_file():
        raise CorruptResultError(path, "is missing")
    try:
        return reader(path)
    except (ValueError, TypeError, KeyError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise CorruptResultError(path, f"is damaged ({error})") from error
