"""What is to be explained, as plain values: for a session's order, a cache key and a script."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnnkit.explain.registry import get_method
from cnnkit.visualize.components import Objective

VERSION = 1  # of what a request means; raised when the same request gives other maps


@dataclass(frozen=True)
class ExplanationRequest:
    """One method, on some images, for one target.

    Args:
        network: a `NetworkRef` as text.
        images: their `images_digest`.
        target: what is explained.
        method: name of a registered method.
        options: of the method, those that differ from its defaults.
    """

    network: str
    images: str
    target: Objective
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "target": self.target.to_list(), "options": dict(self.options)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ExplanationRequest:
        """The inverse of `to_dict`."""
        return cls(**{**values, "target": Objective.from_list(values["target"])})

    def key(self, weights: str) -> str:
        """Under which its maps are cached.

        Args:
            weights: digest of the network's weights.

        Raises:
            UnknownMethodError: there is no such method.
        """
        options = {**get_method(self.method).options, **self.options}
        values = {**self.to_dict(), "options": options, "network": weights, "version": VERSION}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]


def images_digest(images: np.ndarray) -> str:
    """Equal for equal images: (images, height, width, channels), 0 to 255."""
    values = np.ascontiguousarray(images, np.float32)
    return hashlib.sha256(f"{values.shape}".encode() + values.tobytes()).hexdigest()[:16]
