"""Many predictions as a table with thumbnails, and as a CSV file."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from cnnkit.figures import rasters
from cnnkit.predict import FilePrediction, top_k

# Network's title -> (a prediction for each file, class names).
Tables = Mapping[str, tuple[Sequence[FilePrediction], Sequence[str]]]


def show_prediction_table(tables: Tables, count: int) -> None:
    """Draw the table, name what could not be read, and offer the CSV file.

    Args:
        tables: the predictions of each network.
        count: top-k predictions of each image that go into the CSV file.
    """
    first = next(iter(tables.values()))[0]
    for prediction in first:
        if prediction.error:
            st.error(f"**{prediction.name}**: {prediction.error}", icon=":material/error:")
    rows = _rows(tables)
    if not rows:
        return
    shown = {"image": st.column_config.ImageColumn("", width="small")}
    st.dataframe(rows, column_config=shown, row_height=56, hide_index=True, key="predictions")
    st.download_button(
        f"Top-{count} predictions of every image (CSV)",
        as_csv(tables, count),
        "predictions.csv",
        "text/csv",
        icon=":material/download:",
    )


def as_csv(tables: Tables, count: int) -> str:
    """One line for each file, network and place: file, network, place, class, probability."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "network", "place", "class", "probability", "error"))
    for title, (predictions, names) in tables.items():
        for one in predictions:
            if one.logits is None:
                writer.writerow((_safe(one.name), title, "", "", "", one.error))
                continue
            for place, prediction in enumerate(top_k(one.logits, names, count), start=1):
                probability = f"{prediction.probability:.6f}"
                writer.writerow((_safe(one.name), title, place, prediction.name, probability, ""))
    return text.getvalue()


def _rows(tables: Tables) -> list[dict]:
    rows = []
    for of_file in zip(*(predictions for predictions, _ in tables.values()), strict=True):
        if of_file[0].logits is None:
            continue
        row = {"image": _thumbnail(of_file[0].seen), "file": of_file[0].name}
        for (title, (_, names)), one in zip(tables.items(), of_file, strict=True):
            top = top_k(one.logits, names, 1)[0]
            row[title] = top.name
            row[f"{title}: probability"] = f"{top.probability:.0%}"
        rows.append(row | {"notes": " ".join(of_file[0].notes)})
    return rows


def _thumbnail(seen: np.ndarray) -> str:
    data = rasters.png(seen[..., 0] if seen.shape[-1] == 1 else seen)
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _safe(name: str) -> str:
    # A spreadsheet takes a cell that begins so for a formula, and runs it.
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
