"""A finished embedding, and how it is kept."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnnkit.embedding.sample import unpack_thumbnails
from cnnkit.embedding.settings import EmbeddingSettings
from cnnkit.visualize.results import ELSEWHERE, ResultCache

PLAIN = ("class_names", "network_classes", "names")
PICKLED = ("reducer",)  # of `Embedding.arrays`
ARRAYS = ("rows", "labels", "predicted", "confidence", "coordinates", "thumbnails")


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """Images of a data set as points in a plane.

    Args:
        settings: what made it, with the network.
        class_names: of the labels.
        network_classes: of the predictions.
        rows: int64 (images,), which images of the data set.
        labels: int64 (images,), true classes.
        predicted: int64 (images,), classes of the network; empty: it is no classifier.
        confidence: float32 (images,), predicted probability; empty like `predicted`.
        coordinates: float32 (images, 2).
        names: file of each image; empty where they come from no files.
        thumbnails: uint8, bytes of `pack_thumbnails`.
        facts: plain values, see `Projection`; "features" (how many), "seconds".
        arrays: what places other images, see `Projection`.
    """

    settings: EmbeddingSettings
    class_names: tuple[str, ...]
    network_classes: tuple[str, ...]
    rows: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    coordinates: np.ndarray
    thumbnails: np.ndarray
    names: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many images."""
        return len(self.rows)

    @property
    def correct(self) -> np.ndarray | None:
        """Whether each prediction is right: bool (images,).

        None where the network does not tell the data set's classes apart.
        """
        if len(self.predicted) != len(self.labels) or self.network_classes != self.class_names:
            return None
        return self.predicted == self.labels

    @property
    def images(self) -> np.ndarray:
        """The images as small as they are shown: uint8 (images, side, side, 1 or 3)."""
        return unpack_thumbnails(self.thumbnails.tobytes(), len(self))

    def label(self, place: int) -> str:
        """Name of the true class of an image."""
        return self.class_names[self.labels[place]]

    def prediction(self, place: int) -> str:
        """Name of the predicted class of an image; empty where there is none."""
        return self.network_classes[self.predicted[place]] if len(self.predicted) else ""

    def to_csv(self) -> str:
        """Coordinates with labels: a line for each image."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("x", "y", "number", "file", "class", "predicted", "probability"))
        for place, (x, y) in enumerate(self.coordinates):
            probability = f"{self.confidence[place]:.4f}" if len(self.predicted) else ""
            name = self.names[place] if self.names else ""
            words = (self.label(place), self.prediction(place), probability)
            writer.writerow((f"{x:.6g}", f"{y:.6g}", int(self.rows[place]), name, *words))
        return stream.getvalue()

    def keep(self, results: ResultCache, key: str) -> None:
        """Write it among the results."""
        card = {
            "settings": self.settings.to_dict(),
            "class_names": self.class_names,
            "network_classes": self.network_classes,
            "names": self.names,
            "facts": self.facts,
            "arrays": list(self.arrays),
        }
        results.write(key, card, {name: getattr(self, name) for name in ARRAYS} | self.arrays)

    @classmethod
    def read(cls, results: ResultCache, key: str) -> Embedding | None:
        """One that was kept, or None. One that is damaged is removed."""
        entry = results.read(key, ARRAYS)
        if entry is None:
            return None
        card, arrays = entry
        try:
            # A pickle is code: only those that this machine wrote are read.
            local = PICKLED if card.get(ELSEWHERE) else ()
            more = results.read(key, [name for name in card["arrays"] if name not in local])
            if more is None:
                results.remove(key)
                return None
            plain: dict[str, Any] = {name: tuple(card[name]) for name in PLAIN}
            plain |= {"facts": card["facts"], "arrays": more[1], **arrays}
            return cls(settings=EmbeddingSettings.from_dict(card["settings"]), **plain)
        except (ValueError, KeyError, TypeError):
            results.remove(key)
            return None
