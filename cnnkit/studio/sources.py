"""Which network a session works with, said so that another process can open it."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cnnkit import assets, models
from cnnkit.errors import StorageError
from cnnkit.models import CARD_FILE, MODEL_FILE, ModelCache, Predictor

KEPT = 8  # files that visitors brought
IMAGENET, FOLDER, FILE, UNTRAINED = "imagenet", "folder", "file", "untrained"
WITHOUT_TOP = "without_top"


@dataclass(frozen=True)
class Source:
    """A network by its kind and its name.

    Args:
        kind: "imagenet": a pretrained network; "without_top": one without its classifier;
            "folder": a trained one with its card; "file": a `.keras` or `.h5` file that
            somebody brought; "untrained": a famous architecture with random weights.
        name: of the pretrained network or architecture, or a path.
        title: shown to people, where the network does not know its own.
        class_names: of a brought file, as far as they were given.
    """

    kind: str
    name: str
    title: str = ""
    class_names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; without names of classes where none were given."""
        values = asdict(self)
        names = values.pop("class_names")
        return values | ({"class_names": list(names)} if names else {})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Source:
        """The inverse of `to_dict`."""
        names = tuple(values.get("class_names", ()))
        return cls(**{**values, "class_names": names})

    def digest(self) -> str:
        """Of its weights: equal digests give equal images.

        Raises:
            StorageError: the file is not there.
        """
        path = self._path()
        if path is None:
            return hashlib.sha256(f"{self.kind}:{self.name}".encode()).hexdigest()
        status = path.stat()
        # A brought file is named by what is in it, and renewed whenever it is used.
        changed = 0 if self.kind == FILE else status.st_mtime_ns
        return _digest(path, status.st_size, changed)

    def bytes(self) -> int:
        """About what its weights take in memory."""
        path = self._path()
        if self.kind in (IMAGENET, UNTRAINED) and self.name in models.list_pretrained():
            return 4 * models.pretrained_info(self.name).parameters
        return path.stat().st_size if path else 0

    def open(self, networks: ModelCache) -> Predictor:
        """The network, ready to answer, from the cache if it is there.

        Raises:
            CnnkitError: it cannot be had; says why.
        """
        card = Path(self.name) / CARD_FILE
        # Classes may be renamed: then the card is another.
        changed = card.stat().st_mtime_ns if self.kind == FOLDER and card.exists() else 0
        key = (self.kind, self.name, changed, self.class_names)
        return networks.get(key, self._open, self.bytes())

    def _path(self) -> Path | None:
        if self.kind == UNTRAINED:
            return None
        if self.kind == IMAGENET:
            path = assets.find(models.pretrained_info(self.name).asset)
        elif self.kind == WITHOUT_TOP:
            path = assets.find(assets.without_top_asset(self.name))
        else:
            path = Path(self.name) / MODEL_FILE if self.kind == FOLDER else Path(self.name)
        if path is None or not path.exists():
            raise StorageError(
                f"The weights of {self.title or self.name} are not here (any more). Choose the "
                "network again, or another."
            )
        return path

    def _open(self) -> Predictor:
        if self.kind == IMAGENET:
            return models.open_pretrained(self.name)
        if self.kind == WITHOUT_TOP:
            return _without_top(self.name)
        if self.kind == FOLDER:
            return Predictor(*models.load_model(Path(self.name)))
        if self.kind == FILE:
            return models.open_uploaded(
                Path(self.name).read_bytes(), title=self.title, class_names=self.class_names
            )
        return _untrained(self.name)


def keep_brought(home: Path, data: bytes, title: str, class_names: Sequence[str] = ()) -> Source:
    """Put a visitor's file where another process finds it; the last few are kept.

    Args:
        home: of everything that is kept.
        data: of a `.keras` or `.h5` file; what it is, is told from what is in it.
        title: its name, for people.
        class_names: in the order of the logits, as far as they are known.
    """
    folder = home / "brought"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}.keras"
    if path.exists():
        os.utime(path)
    else:
        aside = folder / f".{uuid.uuid4().hex}"
        aside.write_bytes(data)
        aside.replace(path)
        for old in sorted(folder.glob("*.keras"), key=_changed)[:-KEPT]:
            old.unlink(missing_ok=True)
    return Source(FILE, str(path), title, tuple(class_names))


def _changed(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def _without_top(name: str) -> Predictor:
    """A network that answers with its last maps, and has no classes."""
    spec = models.pretrained_info(name)
    card = models.ModelCard(
        model=name,
        title=f"{spec.title} without top",
        class_names=(),
        input_shape=(spec.size, spec.size, 3),
        dataset="imagenet",
    )
    return Predictor(models.load_without_top(name), card)


def _untrained(name: str) -> Predictor:
    import keras

    spec = models.pretrained_info(name)
    keras.utils.set_random_seed(0)  # the same random weights each time
    model = models.load_pretrained(name, weights=None)
    card = models.ModelCard(
        model=name,
        title=f"{spec.title}, untrained",
        class_names=models.imagenet_class_names(),
        input_shape=tuple(model.input_shape[1:]),
        dataset="imagenet",
    )
    return Predictor(model, card)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
