"""The table of runs, and the selected ones: their ids are in the address (`?run=A,B`)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from cnnkit import datasets
from cnnkit.jobs.kinds import WITH_NETWORK
from cnnkit.models import list_models, model_info, network_title
from cnnkit.models.builder import is_code
from cnnkit.people import LOCAL
from cnnkit.runs import Run, Status
from cnnkit.training.recipe import DEFINED, network_name
from cnnkit.ui.common import cache, polling
from cnnkit.ui.common.messages import empty_state, shown_errors
from cnnkit.ui.common.person import person
from cnnkit.ui.common.polling import duration

OWN = "Own networks (Build)"  # in the filter
# As the badges of `messages.STATUS_LOOKS`, in the words of a table's column.
_COLORS = {
    Status.QUEUED: "gray",
    Status.RUNNING: "blue",
    Status.PAUSED: "orange",
    Status.FINISHED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "gray",
    Status.INTERRUPTED: "orange",
}


def select_runs() -> list[Run]:
    """Draw the filters and the table; return the selected runs, at least one if there is any.

    Raises:
        StorageError: the record of runs does not answer.
    """
    runs = _filtered()
    addressed = [run_id for run_id in st.query_params.get("run", "").split(",") if run_id]
    if not runs and not addressed:
        _show_empty_list()
        return []
    by_id = {run.id: run for run in runs}
    selected = []
    for run_id in dict.fromkeys(addressed):
        with shown_errors(stop=False):
            selected.append(by_id.get(run_id) or cache.store().get(run_id))
    if not selected:
        selected = [run for run in runs if run.status is Status.FINISHED][:1] or runs[:1]
    if runs:
        _table(runs, [run.id for run in selected])
    else:
        st.caption("No run matches these filters.")
    return selected


def rerun_when_one_ends() -> None:
    """Run the page again when a queued or running run ends."""
    unfinished = [Status.QUEUED, Status.RUNNING]
    polling.follow_all(lambda: cache.unfinished_runs(unfinished), lambda runs: None)


def model_title(run: Run) -> str:
    """The network of a run in words, also where another version of cnnkit made it."""
    return network_title(network_name(run.spec))


def dataset_title(run: Run) -> str:
    """The data set of a run in words, also where another version of cnnkit had it."""
    name = str(run.spec.get("dataset"))
    return "–" if name == "unknown" else datasets.dataset_title(name)


def unique_names(runs: Sequence[Run]) -> list[str]:
    """A different name for each run, as short as that allows."""
    names = [run.name for run in runs]
    return [
        run.name if names.count(run.name) == 1 else f"{run.name} ({run.id[:6]})" for run in runs
    ]


def started_at(run: Run) -> str:
    """When a run started, in the visitor's time zone; text that sorts by time."""
    when = run.started or run.created
    if run.starter or when is None:
        return "–"  # it ships with cnnkit
    return f"{when.astimezone(ZoneInfo(st.context.timezone or 'UTC')):%Y-%m-%d %H:%M}"


def test_accuracy(run: Run) -> float | None:
    """Test accuracy of a run in percent; None: it has not been tested."""
    error = run.metrics.get("test_error")
    return None if error is None else 100 * (1 - error)


def _filtered() -> list[Run]:
    words, network, status = st.columns([2, 2, 3], vertical_alignment="bottom")
    with words:
        text = st.text_input(
            "Search", placeholder="name, network or data set", key="find", bind="query-params"
        )
    with network:
        model = st.selectbox(
            "Network",
            [*list_models("digits"), DEFINED],
            index=None,
            format_func=lambda name: OWN if name == DEFINED else model_info(name).title,
            placeholder="Any network",
            key="runs_network",
        )
    with status:
        statuses = st.multiselect(
            "Status", list(Status), placeholder="Any status", key="runs_status"
        )
    runs = cache.learning_runs(kinds=WITH_NETWORK, statuses=statuses or None, text=text or None)
    return [run for run in runs if model in (None, architecture_name(run))]


def architecture_name(run: Run) -> str:
    """The name of a run's network, one for all definitions."""
    name = network_name(run.spec)
    return DEFINED if is_code(name) else name


def _table(runs: list[Run], selected: list[str]) -> None:
    ids = [run.id for run in runs]
    # Rows are chosen by number: when the list changes, so must the widget.
    key = f"runs_{zlib.crc32(','.join(ids).encode()):08x}"
    rows = [ids.index(run_id) for run_id in selected if run_id in ids]
    st.caption("Select a run to see its results; select several to compare them.")
    st.dataframe(
        {
            "Name": [run.name for run in runs],
            **({} if person() == LOCAL else {"Of": [_owner(run) for run in runs]}),
            "Status": [[str(run.status)] for run in runs],
            "Test accuracy": [test_accuracy(run) for run in runs],
            "Training time": [duration(run.metrics.get("seconds")) for run in runs],
            "Network": [model_title(run).partition(" (")[0] for run in runs],
            "Data set": [dataset_title(run) for run in runs],
            "Started": [started_at(run) for run in runs],
        },
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Status": st.column_config.MultiselectColumn(
                options=[str(status) for status in _COLORS], color=list(_COLORS.values())
            ),
            "Test accuracy": st.column_config.NumberColumn(format="%.2f %%"),
        },
        hide_index=True,
        height=min(38 + 35 * len(runs), 330),
        key=key,
        on_select=lambda: _write_selection(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": rows}},
        alt=f"{len(runs)} runs",
    )


def _owner(run: Run) -> str:
    if run.starter:
        return "–"  # it ships with cnnkit
    return "you" if run.owner == person().id else run.owner_name or "–"


def _write_selection(key: str, ids: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.query_params["run"] = ",".join(ids[row] for row in rows)
    elif "run" in st.query_params:
        del st.query_params["run"]


def _show_empty_list() -> None:
    if any(st.session_state.get(key) for key in ("find", "runs_network", "runs_status")):
        st.caption("No run matches these filters.")
    else:
        empty_state(
            "No run yet",
            "Every training is recorded here with its curves, misclassified images and weights.",
            "pages/train.py",
            "Train a network",
        )
