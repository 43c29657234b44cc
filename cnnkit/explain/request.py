"""What is asked about an answer, as plain values: for a session, a cache key and a script."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cnnkit.explain.registry import get_method
from cnnkit.visualize.components import Objective

VERSION = 1  # of what a request means; raised when the same request gives other maps


@dataclass(frozen=True)
class ExplanationRequest:
    """One method, on some images, for one target: its maps, or a check of them.

    Args:
        network: a `NetworkRef` as text.
        images: their `images_digest`.
        target: what is explained.
        method: name of a registered method.
        options: of the method, those that differ from its defaults.
        check: name of a check, see `checks`; "": the maps themselves.
    """

    network: str
    images: str
    target: Objective
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    check: str = ""

    def of_maps(self) -> ExplanationRequest:
        """The request for the maps that are checked."""
        return replace(self, check="")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "target": self.target.to_list(), "options": dict(self.options)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ExplanationRequest:
        """The inverse of `to_dict`."""
        return cls(**{**values, "target": Objective.from_list(values["target"])})

    def key(self, weights: str) -> str:
        """Under which what is found is cached.

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
