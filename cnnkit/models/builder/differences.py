"""What two definitions have in common, layer by layer."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit.models.builder.definition import LayerEntry, NetworkDefinition, kind_of


@dataclass(frozen=True)
class LayerDifference:
    """A layer of one network beside that of the other which stands at its place."""

    first: str  # in words; empty: only the other has such a layer
    second: str

    @property
    def same(self) -> bool:
        """Whether both are alike but for their names."""
        return self.first == self.second


def layer_differences(first: NetworkDefinition, second: NetworkDefinition) -> list[LayerDifference]:
    """All layers of two networks side by side, those that are alike on one line.

    Layers of one kind whose settings differ stand on one line as well.
    """
    words = [[entry_words(one) for one in network.entries] for network in (first, second)]
    rows: list[LayerDifference] = []
    matcher = difflib.SequenceMatcher(None, *words, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            rows += [LayerDifference(word, word) for word in words[0][a:b]]
        else:
            rows += _paired(first.entries[a:b], second.entries[c:d])
    return rows


def entry_words(entry: LayerEntry) -> str:
    """A layer and what differs from its defaults: "Convolution, filters 20, kernel size 5"."""
    kind = kind_of(entry.kind)
    changed = [
        f"{field.title.lower()} {field.text(entry.values[field.name])}"
        for field in kind.fields
        if entry.values[field.name] != field.default or field.name in _TELLING
    ]
    return ", ".join([kind.title, *changed])


_TELLING = ("filters", "kernel_size", "units", "rate", "function", "pool_size")


def _paired(first: Sequence[LayerEntry], second: Sequence[LayerEntry]) -> list[LayerDifference]:
    """What differs, with layers of one kind side by side."""
    kinds = [[one.kind for one in entries] for entries in (first, second)]
    rows: list[LayerDifference] = []
    matcher = difflib.SequenceMatcher(None, *kinds, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        mine = [entry_words(one) for one in first[a:b]]
        others = [entry_words(one) for one in second[c:d]]
        if tag == "equal":
            rows += [LayerDifference(x, y) for x, y in zip(mine, others, strict=True)]
        else:
            rows += [LayerDifference(x, "") for x in mine]
            rows += [LayerDifference("", y) for y in others]
    return rows
