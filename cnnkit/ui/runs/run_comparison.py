"""Comparison of several runs: curves, metrics, and the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.figures import curves
from cnnkit.runs import Run
from cnnkit.training.fields import differences
from cnnkit.ui.common import cache, charts, inputs
from cnnkit.ui.common.polling import duration
from cnnkit.ui.runs.layer_comparison import show_layer_differences
from cnnkit.ui.runs.run_list import test_accuracy, unique_names

# What may be compared: column of a history -> words.
MEASURES = {
    "val_loss": "Validation loss",
    "val_error": "Validation error",
    "loss": "Training loss",
    "accuracy": "Training accuracy",
    "learning_rate": "Learning rate",
}


def show_comparison(runs: Sequence[Run]) -> None:
    """Curves, metrics and differing settings of several runs.

    Args:
        runs: two or more.
    """
    names = unique_names(runs)
    st.subheader(f"Comparison of {len(runs)} runs", anchor=False)
    measure = inputs.choice(
        "Curve",
        list(MEASURES),
        parameter="curve",
        title=lambda name: MEASURES[name],
        widget=st.segmented_control,
        label_visibility="collapsed",
    )
    store = cache.store()
    histories = {name: store.history(run.id) for name, run in zip(names, runs, strict=True)}
    charts.chart(
        curves.comparison(histories, measure),
        alt=f"{MEASURES[measure]} of {', '.join(names)}, epoch by epoch",
        key="comparison",
    )
    _figures(runs, names)
    _differences(runs, names)
    show_layer_differences(runs, names)


def _figures(runs: Sequence[Run], names: list[str]) -> None:
    st.dataframe(
        {
            "Run": names,
            "Status": [str(run.status) for run in runs],
            "Test accuracy": [test_accuracy(run) for run in runs],
            "Test loss": [run.metrics.get("test_loss") for run in runs],
            "Training time": [duration(run.metrics.get("seconds")) for run in runs],
            "Epochs": [run.metrics.get("epochs") for run in runs],
            "Trainable parameters": [run.metrics.get("trainable") for run in runs],
            "Parameters": [run.metrics.get("parameters") for run in runs],
        },
        column_config={
            "Test accuracy": st.column_config.NumberColumn(format="%.2f %%"),
            "Test loss": st.column_config.NumberColumn(format="%.4f"),
            "Trainable parameters": st.column_config.NumberColumn(format="localized"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
        },
        hide_index=True,
        height="content",
        alt="Metrics of the compared runs",
    )


def _differences(runs: Sequence[Run], names: list[str]) -> None:
    changed = differences([run.spec for run in runs])
    if not changed:
        st.caption("All settings are equal.")
        return
    st.markdown("**Settings that differ**")
    columns = {name: [one.texts[number] for one in changed] for number, name in enumerate(names)}
    st.dataframe(
        {"Setting": [one.title for one in changed], **columns},
        hide_index=True,
        height="content",
        alt="Settings in which the compared runs differ",
    )
