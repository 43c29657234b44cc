"""An imported set: what was left out of it, other names, and its end."""

from __future__ import annotations

import csv
import io

import numpy as np
import streamlit as st

from cnnkit.datasets import Dataset, DatasetSpec
from cnnkit.datasets.folders import KINDS, ImportReport, delete, import_report, list_own, rename
from cnnkit.ui.common import charts
from cnnkit.ui.common.dialogs import close_dialog, dialog_button
from cnnkit.ui.common.messages import literal, shown_errors
from cnnkit.ui.common.tasks import image_tasks

MOST_PAIRS = 12  # of images in two classes that are shown


def manage(spec: DatasetSpec, parameter: str) -> None:
    """Buttons to rename and to delete a set.

    Args:
        spec: of the set.
        parameter: of the address; turns to another imported set, if there is one, when this
            one is deleted.
    """
    dialog_button(
        "Rename",
        lambda: _rename(spec),
        title="Rename",
        of=spec.name,
        key="rename_set",
        icon=":material/edit:",
    )
    dialog_button(
        "Delete",
        lambda: _delete(spec, parameter),
        title="Delete these images?",
        of=spec.name,
        key="delete_set",
        icon=":material/delete:",
    )


def show_report(dataset: Dataset) -> None:
    """What was left out when a set was imported, and why."""
    report = import_report(dataset.name)
    for note in report.notes:
        st.caption(f":material/info: {literal(note)}")
    if report.system_files:
        st.caption(
            f":material/info: Files of operating systems passed over: {report.system_files:,}."
        )
    if report.two_classes:
        _show_doubtful(dataset, report)
    if not report.left_out:
        st.caption(":material/check: Nothing was left out.")
        return
    words = [f"- {KINDS[kind]}: **{count:,}**" for kind, count in report.counts.items()]
    st.markdown("Left out:\n" + "\n".join(words))
    rows = [{"file": one.file, "why": one.why} for one in report.left_out]
    st.dataframe(
        rows,
        hide_index=True,
        alt="Files that were left out, and why",
        key="left_out",
        height="content" if len(rows) < 8 else 320,
    )
    st.download_button(
        "The list as CSV",
        _csv(rows),
        "left_out.csv",
        "text/csv",
        icon=":material/download:",
        key="left_out_csv",
    )


def _show_doubtful(dataset: Dataset, report: ImportReport) -> None:
    st.markdown(
        f"**{len(report.two_classes):,}** "
        f"{'image stands' if len(report.two_classes) == 1 else 'images stand'} in more than "
        "one class. Such an image is only in the training set: its true class is unknown."
    )
    numbers = {name: number for number, name in enumerate(dataset.names)}
    shown = report.two_classes[:MOST_PAIRS]
    charts.thumbnails(
        np.stack([dataset.images[numbers[names[0]]] for names in shown]),
        [literal(" = ".join(names)) for names in shown],
        alts=[f"Image in several classes: {', '.join(names)}" for names in shown],
        width=110,
    )


def _csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([("file", "why"), *((row["file"], row["why"]) for row in rows)])
    return text.getvalue()


def _rename(spec: DatasetSpec) -> None:
    title = st.text_input("Name of the set", spec.title, max_chars=60, key="new_title")
    names = st.text_area(
        "Names of its classes, one a line",
        "\n".join(spec.class_names),
        height=min(60 + 24 * spec.classes, 400),
        key="new_classes",
        help="In the order in which they stand here: each line renames the class that was there.",
    )
    st.caption("Networks trained on it keep the class names of their training.")
    if st.button("Rename", type="primary", key="rename_now"):
        with shown_errors():
            rename(spec.name, title=title or "", classes=(names or "").strip().splitlines())
        close_dialog()


def _delete(spec: DatasetSpec, parameter: str) -> None:
    st.markdown(
        f"The {sum(spec.images):,} images of **{literal(spec.title)}** will be gone from here "
        "for good. The file or folder they came from stays as it is, and networks trained on "
        "them go on knowing the names of their classes."
    )
    with st.container(horizontal=True):
        sure = st.button("Delete", type="primary", icon=":material/delete:", key="delete_now")
        if st.button("Keep them", key="keep"):
            close_dialog()
    if sure:
        with shown_errors():
            delete(spec.name)
            image_tasks().forget_done()  # a mapped file keeps its disk space
        others = list_own()
        if others:
            st.query_params[parameter] = others[0]
        else:
            st.query_params.pop(parameter, None)
        close_dialog()
