"""Names of layers by their place, as those of `keras.applications`: block1_conv1, fc1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_CONVOLUTIONS = {"Conv2D": "conv", "DepthwiseConv2D": "dwconv", "SeparableConv2D": "sepconv"}
_GLOBAL = {"GlobalAveragePooling2D": "avg_pool", "GlobalMaxPooling2D": "max_pool"}
_AFTER = {
    "BatchNormalization": "bn",
    "Dropout": "dropout",
    "SpatialDropout2D": "dropout",
    "Add": "add",
    "Concatenate": "concat",
}


def automatic_names(entries: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[str]:
    """A name for each entry that has none, different from all others.

    Args:
        entries: (kind, name, values) of each; an empty name is to be filled.
    """
    taken = {name for _, name, _ in entries if name} | {"image", "logits"}
    numbering = _Numbering()
    names = []
    for kind, name, values in entries:
        wish = numbering.name(kind, values)
        if not name:
            name, number = wish, 2
            while name in taken:
                name, number = f"{wish}_{number}", number + 1
            taken.add(name)
        names.append(name)
        numbering.base = name if kind in numbering.begins else numbering.base
    return names


class _Numbering:
    """Where in the network we are: pooling ends a block of convolutions."""

    begins = (*_CONVOLUTIONS, *_GLOBAL, "Dense", "ResidualBlock", "InceptionBlock", "Flatten")

    def __init__(self):
        self.block, self.convolutions, self.dense, self.modules = 1, 0, 0, 0
        self.base = "block1"  # the layer that normalization and activation belong to

    def name(self, kind: str, values: Mapping[str, Any]) -> str:
        """The name that an entry of this kind would have here."""
        if kind in _CONVOLUTIONS:
            self.convolutions += 1
            return f"block{self.block}_{_CONVOLUTIONS[kind]}{self.convolutions}"
        if kind in ("MaxPooling2D", "AveragePooling2D"):
            name = f"block{self.block}_pool"
            self._next_block()
            self.base = name
            return name
        if kind == "ResidualBlock":
            if self.convolutions:
                self._next_block()
            name = f"block{self.block}"
            self._next_block()
            return name
        if kind == "InceptionBlock":
            if self.convolutions:
                self._next_block()
            self.modules += 1
            return f"inception_{self.modules}"
        if kind == "Dense":
            self.dense += 1
            return f"fc{self.dense}"
        if kind == "Activation":
            return f"{self.base}_{values.get('function', 'activation')}"
        if kind in _AFTER:
            return f"{self.base}_{_AFTER[kind]}"
        if kind == "ZeroPadding2D":
            return f"block{self.block}_pad"
        return _GLOBAL.get(kind, kind.lower())

    def _next_block(self) -> None:
        self.block, self.convolutions = self.block + 1, 0
