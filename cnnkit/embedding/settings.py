"""What decides an embedding, but for the network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any

VERSION = 1  # raised when equal settings give other coordinates
PCA, TSNE, UMAP = "pca", "tsne", "umap"
METHODS = {PCA: "PCA", TSNE: "t-SNE", UMAP: "UMAP"}
MEAN, FLATTEN = "mean", "flatten"
POOLINGS = {MEAN: "mean of each feature map", FLATTEN: "every value of the feature maps"}
TEST, ALL = "test", "all"
SPLITS = {TEST: "test set", ALL: "all images"}
FEWEST, MOST = 4, 10_000  # images
# Field -> the method whose coordinates it decides.
_OF_METHOD = {"perplexity": TSNE, "neighbors": UMAP, "min_dist": UMAP}
_LIMITS = {
    "split_seed": (Integral, 0, 2**32 - 1),
    "count": (Integral, FEWEST, MOST),
    "perplexity": (Real, 1, 200),
    "neighbors": (Integral, 2, 200),
    "min_dist": (Real, 0, 1),
    "seed": (Integral, 0, 2**32 - 1),
}


@dataclass(frozen=True, kw_only=True)
class EmbeddingSettings:
    """Which images, which features of them, and how these become two dimensions.

    Args:
        layer: of `visualize.target_layers`; "": the logits.
        dataset: registered name, or that of an imported set.
        split: key of `SPLITS`.
        split_seed: of the split, for data sets that are divided at random.
        count: images at most, drawn with the seed; 4 to 10,000.
        pooling: what becomes of feature maps, key of `POOLINGS`.
        method: key of `METHODS`.
        perplexity: of t-SNE, about how many neighbors of each image count; 1 to 200.
        neighbors: of UMAP, how many neighbors of each image count; 2 to 200.
        min_dist: of UMAP, how close points may lie; 0 to 1.
        seed: of the sample and of the projection; 0 or more.

    Raises:
        ValueError: a value cannot work; names the field.
    """

    layer: str
    dataset: str
    split: str = TEST
    split_seed: int = 0
    count: int = 1000
    pooling: str = MEAN
    method: str = TSNE
    perplexity: float = 30.0
    neighbors: int = 15
    min_dist: float = 0.1
    seed: int = 0

    def __post_init__(self):
        """Refuse what cannot work."""
        for field, known in (("split", SPLITS), ("pooling", POOLINGS), ("method", METHODS)):
            if getattr(self, field) not in known:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(known)}. "
                    f"Received: {getattr(self, field)!r}."
                )
        for field, (kind, low, high) in _LIMITS.items():
            value = getattr(self, field)
            fits = isinstance(value, kind) and not isinstance(value, bool)
            if not fits or not low <= value <= high:
                what = "a whole number " if kind is Integral else ""
                raise ValueError(
                    f"`{field}` must be {what}from {low:,} to {high:,}. Received: {value!r}."
                )

    @property
    def method_title(self) -> str:
        """The method as people write it."""
        return METHODS[self.method]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EmbeddingSettings:
        """The inverse of `to_dict`; what else is among the values is not looked at."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})

    def key(self, weights: str) -> str:
        """The name of the embedding among the results; `weights` is the network's digest.

        What the method does not look at does not count.
        """
        decisive = {
            name: value
            for name, value in self.to_dict().items()
            if _OF_METHOD.get(name, self.method) == self.method
        }
        text = json.dumps(["embedding", VERSION, weights, decisive], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]
