"""Random definitions of networks, possible ones and impossible ones, checked and built by Keras."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from cnnkit.models import seeds, without_weights
from cnnkit.models.builder import (
    KINDS,
    LayerEntry,
    NetworkDefinition,
    assemble,
    check_definition,
    kind_of,
)

# Small numbers find the same mistakes, and Keras builds such networks sooner.
LARGEST = {
    "filters": 5, "kernel_size": 6, "strides": 3, "units": 6, "depth_multiplier": 3,
    "pool_size": 4, "padding": 3,
}  # fmt: skip


def _values(field, names):
    if field.layer:
        return st.sampled_from([*names, "nobody"])
    if field.choices:
        return st.sampled_from(field.choices)
    if field.range is None:
        return st.booleans()
    low, high = field.range
    if field.whole:
        largest = LARGEST.get(field.name, 6)
        numbers = st.integers(low, min(high, largest))
        return st.none() | numbers if field.empty else numbers
    return st.floats(max(low, -2), min(high, 2), allow_nan=False)


@st.composite
def entries(draw, names):
    """A layer of any kind, convolutions twice as often."""
    kind = draw(st.sampled_from([*KINDS, "Conv2D"]))
    values = {
        field.name: draw(_values(field, names))
        for field in kind_of(kind).fields
        if draw(st.booleans()) or field.layer
    }
    return kind, values


@st.composite
def definitions(draw, most=7):
    """A definition for small images; some are impossible."""
    count = draw(st.integers(0, most))
    names = [f"layer{number}" for number in range(count)]
    if count > 1 and draw(st.integers(0, 15)) == 0:
        names[1] = draw(st.sampled_from([names[0], "image", "logits"]))
    layers = []
    for number, name in enumerate(names):
        anywhere = number < 2 or draw(st.integers(0, 5)) == 0
        kind, values = draw(entries(names if anywhere else names[: number - 1]))
        layers.append(LayerEntry(kind, name, values))
    if draw(st.integers(0, 5)):
        layers.append(LayerEntry(draw(st.sampled_from(["Flatten", "GlobalMaxPooling2D"])), "last"))
    side = st.integers(1, 14) | st.integers(12, 20)
    return NetworkDefinition(
        input_shape=(draw(side), draw(side), draw(st.sampled_from([1, 3]))),
        classes=draw(st.integers(1, 4)),
        layers=layers,
    )


def disagreement(definition: NetworkDefinition) -> str:
    """In what the check of a definition and Keras differ; empty: in nothing."""
    from cnnkit.anatomy import layer_table

    checked = check_definition(definition)
    if checked.table is None:
        return "" if not builds(definition) else f"Keras builds it: {checked.problems}"
    table = layer_table(without_weights(lambda: assemble(definition, seeds(0))))
    return "" if table == checked.table else f"{table}\n{checked.table}"


def builds(definition: NetworkDefinition) -> bool:
    """Whether Keras builds it, and it makes logits of an image."""
    try:
        model = assemble(definition, seeds(0))
        logits = model(np.zeros((1, *definition.input_shape), np.float32))
    except Exception:  # whatever Keras and TensorFlow say
        return False
    return tuple(logits.shape) == (1, definition.classes)
