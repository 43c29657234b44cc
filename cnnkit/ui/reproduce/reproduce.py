"""The pieces of the Reproduce page: what was published, what we get, and a way to run it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.models import model_info, pretrained_info
from cnnkit.published.measurements import Measurement, mean
from cnnkit.published.reproductions import Reproduction
from cnnkit.runs import Run, Status
from cnnkit.ui.common import charts, inputs, messages, page, polling
from cnnkit.ui.common.polling import duration
from cnnkit.ui.common.run_monitor import progress_in_words, training_page
from cnnkit.ui.reproduce.rows import Row, complete_timings, expected, median_time, submit

MEASURES = {
    "test_error": "test error",
    "test_accuracy": "accuracy",
    "test_true_probability": "mean probability of the true class",
}
ALL = "all"


def select_rows(rows: Sequence[Row]) -> list[Row]:
    """All rows, or the one that the address names (`?row=`)."""
    titles = {row.published.name: row.published.title for row in rows}
    name = inputs.choice(
        "Published result",
        [ALL, *titles],
        parameter="row",
        title=lambda name: titles.get(name, f"All {len(titles)} results"),
    )
    return [row for row in rows if name in (ALL, row.published.name)]


def show_summary(rows: Sequence[Row]) -> None:
    """How many published figures are reproduced."""
    reached = [row for row in rows if row.ours is not None and row.published.reached(row.ours)]
    short = [row for row in rows if row.ours is not None and row not in reached]
    with st.container(horizontal=True):
        st.metric("Published", len(rows))
        st.metric("Target reached", len(reached))
        st.metric("Target not reached", len(short))
        st.metric("Not run yet", len(rows) - len(reached) - len(short))


def show_row(row: Row) -> None:
    """One published figure beside its reproductions, with a button to run it."""
    published = row.published
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="top")
        with left:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"#### {published.title}", width="content")
                _target_badge(row)
            st.markdown(_sentence(row))
            if row.ours is not None:
                _dots(row)
            messages.source(f"{published.source}. Published with: {published.conditions}.")
        with right:
            _run_it(row)


def show_table(rows: Sequence[Row]) -> None:
    """All figures in a table that can be sorted and saved."""
    with st.expander("All results as a table", icon=":material/table:"):
        st.dataframe([_table_line(row) for row in rows], hide_index=True)


def explain_measures() -> None:
    """Why the toy network has two figures."""
    st.info(
        "What the toy network's author called *accuracy* is the **mean predicted probability of "
        "the true class**: a network that classifies every image correctly with a probability of "
        "70 % scores 70 %. The usual **accuracy** is the share of images classified correctly. "
        "Its rows give both.",
        icon=":material/straighten:",
    )
    page.link(
        "pages/backpropagation.py",
        "What do the convolutions add?",
        view="convolutions",
    )


def _target_badge(row: Row) -> None:
    if row.ours is None:
        st.badge("not run yet", icon=":material/hourglass_empty:", color="gray")
    elif row.published.reached(row.ours):
        st.badge("target reached", icon=":material/check:", color="green")
    else:
        st.badge("target not reached", icon=":material/close:", color="orange")


def _sentence(row: Row) -> str:
    published = row.published
    said = f"Published: **{published.published}** {MEASURES[published.measure]}."
    if row.ours is None:
        return f"{said} Not yet run with this version."
    said += f" Reproduced: **{100 * row.ours:.2f} %**"
    if row.shipped:
        said += f", measured with {_seeds(len(row.shipped))}"
        each = " each" * (len(row.shipped) > 1)
        said += (
            f" in {_time(complete)}{each}" if (complete := complete_timings(row.shipped)) else ""
        )
    if row.finished:
        said += f", {_times(len(row.finished))} on this machine"
    hard = mean(row.shipped, "test_accuracy")
    if published.measure == "test_true_probability" and hard is not None:
        said += f". Test accuracy: **{100 * hard:.2f} %**"
    return f"{said}."


def _dots(row: Row) -> None:
    from cnnkit.figures.dots import Dots, dot_plot

    published = row.published
    metrics = [published.measure]
    if published.measure == "test_true_probability":
        metrics.append("test_accuracy")
    lines = [
        Dots(title="published", kind="published", values=[published.value], words=["as published"])
    ]
    for metric in metrics:
        name = ", accuracy" if metric != published.measure else ""
        shipped = [one for one in row.shipped if metric in one.metrics]
        if shipped:
            lines.append(
                Dots(
                    title=f"cnnkit{name}",
                    kind="project",
                    values=[one.metrics[metric] for one in shipped],
                    words=[f"seed {one.recipe.seed}" for one in shipped],
                )
            )
        own = [run for run in row.finished if metric in run.metrics]
        if own:
            lines.append(
                Dots(
                    title=f"this machine{name}",
                    kind="here",
                    values=[run.metrics[metric] for run in own],
                    words=[f"seed {run.spec.get('seed')}, {run.name}" for run in own],
                )
            )
    charts.chart(
        dot_plot(lines, published.value, smaller_is_better=published.smaller_is_better),
        alt=f"{published.title}: {_sentence(row).replace('**', '')}",
        key=f"dots_{published.name}",
    )


def _run_it(row: Row) -> None:
    recipe = row.published.recipe
    st.caption(f"{_network(row.published)} on {dataset_info(recipe.dataset).title}")
    st.markdown(f":material/timer: {_expected(row)}")
    unfinished = row.unfinished
    if unfinished:
        polling.follow(unfinished.id, _state)
    busy = unfinished is not None and not unfinished.status.over
    missing = bool(row.published.missing)
    if st.button(
        "Run" if not row.runs else "Run again",
        icon=":material/play_arrow:",
        key=f"run_{row.published.name}",
        disabled=busy or missing,
        help=_help(row, busy, missing),
        width="stretch",
    ):
        submit(row)
        st.rerun()
    for run in row.finished[:2]:
        page.link(
            "pages/runs.py", f"{_percent(run, row)} · seed {run.spec.get('seed')}", run=run.id
        )


def _network(published: Reproduction) -> str:
    if published.recipe.head:
        return pretrained_info(published.model).title
    return model_info(published.model).title


def _state(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        messages.status_chip(run.status)
        page.link(training_page(run), "Watch the training", run=run.id)
    if run.progress and not run.status.over:
        st.progress(run.progress.fraction, progress_in_words(run, run.progress))
    if run.reason and run.status is Status.FAILED:
        st.caption(run.reason.partition("\n")[0])


def _expected(row: Row) -> str:
    estimate = expected(row)
    if estimate is None:
        return "Time unknown :small[:gray[(not measured yet)]]"
    seconds, source = estimate
    most = "at most " if row.published.recipe.stopping else "about "
    return f"{most.capitalize()}{duration(seconds)} :small[:gray[({source})]]"


def _help(row: Row, busy: bool, missing: bool) -> str:
    if missing:
        return row.published.missing
    if busy:
        return "It is already queued or running."
    return f"Trains it in the background with seed {row.next_seed}."


def _table_line(row: Row) -> dict[str, object]:
    published = row.published
    metric = published.measure
    return {
        "Result": published.title,
        "Measure": MEASURES[metric],
        "Published": published.published,
        "Reproduced (mean)": _share(mean(row.shipped, metric)),
        "Seeds": len(row.shipped),
        "Accuracy": _share(mean(row.shipped, "test_accuracy")),
        "Time": _time(complete) if (complete := complete_timings(row.shipped)) else "–",
        "Machine": row.shipped[-1].machine if row.shipped else "–",
        "Best here": _share(_best_here(row)),
        "Target reached": _target(row),
        "Published with": published.conditions,
        "Source": published.source,
    }


def _target(row: Row) -> str:
    if row.ours is None:
        return "–"
    return "yes" if row.published.reached(row.ours) else "no"


def _best_here(row: Row) -> float | None:
    values = [run.metrics[row.published.measure] for run in row.finished]
    best = min if row.published.smaller_is_better else max
    return best(values) if values else None


def _percent(run: Run, row: Row) -> str:
    return _share(run.metrics[row.published.measure])


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _seeds(count: int) -> str:
    return "one seed" if count == 1 else f"{count} seeds"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _time(measured: Sequence[Measurement]) -> str:
    return duration(median_time(measured).seconds)
