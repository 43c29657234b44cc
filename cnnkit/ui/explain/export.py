"""Files of the grid: one image, the maps as arrays, a table, and a script that repeats it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from cnnkit.explain import get_method
from cnnkit.explain.request import ExplanationRequest
from cnnkit.explain.script import script
from cnnkit.figures import attribution, rasters
from cnnkit.jobs.session_kinds import Explanation
from cnnkit.ui.explain.explanations import state_of
from cnnkit.ui.explain.grid import ExplainedNetwork

SIDE = 256  # pixels of a tile in the PNG
COLUMNS = (
    *("image", "network", "target", "probability", "method", "options", "seconds"),
    *("completeness_gap", "deletion_area", "insertion_area"),
)
MAPS = "explanations.npz"  # which the script reads its images from


def downloads(rows: Sequence[ExplainedNetwork], strength: float) -> None:
    """PNG, NPZ, CSV and script of the maps that are there.

    Args:
        rows: of the grid.
        strength: of the maps over the image.
    """
    found = [
        (row, request, state.found)
        for row in rows
        for request in row.requests
        if (state := state_of(request)).found is not None
    ]
    if not found:
        return
    with st.container(horizontal=True):
        _button("PNG", lambda: _grid(rows, strength), "explanations.png", "image/png")
        _button("Maps (NPZ)", lambda: _arrays(found), MAPS, "application/octet-stream")
        _button("CSV", lambda: as_csv(found), "explanations.csv", "text/csv")
        requests = [request for _, request, _ in found]
        _button("Script", lambda: script(requests, MAPS), "explain.py", "text/x-python")


Found = Sequence[tuple[ExplainedNetwork, ExplanationRequest, Explanation]]


def as_csv(found: Found) -> str:
    """A line for each map: what was explained and how, and what was measured of it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row, request, one in found:
        options = "; ".join(f"{name}={value}" for name, value in request.options.items())
        areas = state_of(replace(request, check="faithfulness")).found
        measured = [one.card.get("gaps")]
        measured += [areas.card[name] if areas else None for name in ("deletion", "insertion")]
        writer.writerow(
            (
                _safe(row.network.words),
                _safe(row.network.title),
                row.target,
                f"{_probability(row, request):.6f}",
                request.method,
                options,
                f"{one.card['seconds']:.3f}",
                *("" if values is None else f"{values[0]:.6f}" for values in measured),
            )
        )
    return text.getvalue()


def _safe(text: str) -> str:
    # A spreadsheet takes a cell that begins so for a formula, and runs it.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _probability(row: ExplainedNetwork, request: ExplanationRequest) -> float:
    """Of the class that is explained; of a hidden unit there is none."""
    _, term = request.target.terms[0]
    unit = term.numbers.get("unit", ())
    if term.kind == "class_logit" and isinstance(unit, tuple):
        return float(row.network.probabilities[int(unit[0])])
    return float("nan")


def _grid(rows: Sequence[ExplainedNetwork], strength: float) -> bytes:
    """The grid as one image."""
    tiles = []
    for row in rows:
        name = f"{row.network.words}\n{row.target}, {row.network.title}"
        tiles.append(
            [(name, np.broadcast_to(row.network.image, (*row.network.image.shape[:2], 3)))]
        )
        for request in row.requests:
            one, method = state_of(request).found, get_method(request.method)
            if one is not None:
                over = attribution.overlay(
                    row.network.image, one.maps[0], signed=method.signed, strength=strength
                )
                tiles[-1].append((f"{method.title}\n{one.card['seconds']:.1f} s", over))
    return rasters.png(attribution.labeled_grid(tiles, side=SIDE))


def _arrays(found: Found) -> bytes:
    """Every map, float32 (height, width), and the input of each network."""
    file = io.BytesIO()
    arrays = {f"input/{row.network.digest}": row.network.image for row, _, _ in found}
    maps = {
        f"maps/{request.network}/{request.images}/{request.method}": one.maps[0]
        for _, request, one in found
    }
    np.savez_compressed(file, allow_pickle=False, **arrays, **maps)
    return file.getvalue()


def _button(label: str, data: Callable[[], str | bytes], file: str, mime: str) -> None:
    st.download_button(
        label,
        data,
        file,
        mime,
        icon=":material/download:",
        key=f"explain_{label}",
        on_click="ignore",
    )
