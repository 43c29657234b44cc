"""A network of many layers: its blocks, and the feature maps of the one that is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnnkit.anatomy import Block
from cnnkit.anatomy.layout import rows_of
from cnnkit.figures.feature_maps import Frame, draw_blocks, draw_filmstrip
from cnnkit.ui.common import inputs
from cnnkit.ui.inside.activations import Activations
from cnnkit.visualize.layer_activations import ActivationReader

MOST_PILLS = 26  # blocks; more are a list
WITHOUT_MAPS = ("InputLayer", "Dropout", "Rescaling", "Normalization", "Identity")
COLORS = ":blue[Blue] is positive, no color is zero, :orange[orange] is negative."
SCALES = {"shared": "Shared", "own": "Per map"}


def show_blocks(reader: ActivationReader, activations: Activations, image: np.ndarray) -> list[str]:
    """All blocks with a map of each, and a filmstrip of the chosen block.

    Args:
        reader: of the network.
        activations: of all its layers for the image.
        image: uint8 (height, width, channels), the input.

    Returns:
        Names of the layers in the chosen block that have maps.
    """
    blocks = _named(reader.blocks)
    layers = {name: _layers(block, reader, activations) for name, block in blocks.items()}
    opened = {name: found for name, found in layers.items() if found}
    overview = st.container()
    chosen = _block_picker(opened, blocks)
    ends = [
        Frame(
            title=name,
            detail=_shape(block.output_shape),
            values=image
            if number == 0
            else activations[(layers[name] or [_last(block, reader)])[-1]],
        )
        for number, (name, block) in enumerate(blocks.items())
        if number == 0 or layers[name] or _last(block, reader) in activations
    ]
    titles = [frame.title for frame in ends]
    with overview:
        st.html(draw_blocks(ends, titles.index(chosen)))
        st.caption(
            f"{len(reader.table.rows)} layers in {len(blocks)} blocks. Of each block the feature "
            f"map that varies most is shown. {COLORS}"
        )
    scale = inputs.choice(
        "Color scale of the maps",
        list(SCALES),
        parameter="scale",
        title=SCALES.__getitem__,
        widget=st.segmented_control,
    )
    frames = [
        Frame(
            title=name.rpartition("/")[2],
            detail=f"{reader.row(name).detail} · {_shape(activations[name].shape)}",
            values=activations[name],
        )
        for name in opened[chosen]
    ]
    st.html(draw_filmstrip(frames, together=scale == "shared"))
    return [name for name in opened[chosen] if activations[name].ndim == 3]


def _block_picker(opened: dict[str, list[str]], blocks: dict[str, Block]) -> str:
    """A block, `?block=` in the address; else the one that holds the address's layer."""
    block_of = {layer: name for name, layers in opened.items() for layer in layers}
    layer = st.query_params.get("layer", "")
    if layer in block_of and "block" not in st.query_params:
        st.query_params["block"] = block_of[layer]
    few = len(opened) <= MOST_PILLS
    how: dict[str, Any] = {"widget": st.pills, "required": True} if few else {"width": 320}
    chosen = inputs.choice(
        "Block to open",
        list(opened),
        parameter="block",
        title=lambda name: name if few else f"{name} · {_shape(blocks[name].output_shape)}",
        **how,
    )
    if block_of.get(layer, chosen) != chosen:  # another block was opened
        for parameter in ("layer", "map"):
            st.query_params.pop(parameter, None)
    return chosen


def _named(blocks: Sequence[Block]) -> dict[str, Block]:
    """Blocks by unique names: a second one of a name has its number behind it."""
    named: dict[str, Block] = {}
    for block in blocks:
        name = block.names[0]
        times = sum(other.rpartition(" ")[0] == name or other == name for other in named)
        named[f"{name} {times + 1}" if times else name] = block
    return named


def _layers(block: Block, reader: ActivationReader, activations: Activations) -> list[str]:
    """Names of a block's layers whose activations can be shown."""
    rows = [reader.table.rows[number] for number in rows_of(block.parts)]
    return [r.name for r in rows if r.name in activations and r.kind not in WITHOUT_MAPS]


def _last(block: Block, reader: ActivationReader) -> str:
    *_, number = rows_of(block.parts)
    return reader.table.rows[number].name


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))
