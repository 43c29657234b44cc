"""The pieces of the Reproduce page: what was published, what we get, and a way to run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.jobs.kinds import TRAINED
from cnnkit.models import model_info, pretrained_info
from cnnkit.published.measurements import Measurement, mean, measurements, paces
from cnnkit.published.reproductions import Reproduction, list_reproductions
from cnnkit.runs import Run, Status
from cnnkit.training import Recipe
from cnnkit.training.estimates import estimate, recipe_of
from cnnkit.ui.common import cache, charts, inputs, messages, page, polling
from cnnkit.ui.common.polling import duration
from cnnkit.ui.common.run_monitor import progress_in_words, training_page

MEASURES = {
    "test_error": "test error",
    "test_accuracy": "accuracy",
    "test_true_probability": "mean probability of the true class",
}
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A published figure with all that is known of it."""

    published: Reproduction
    shipped: Sequence[Measurement]  # measured by the project, one a seed
    runs: Sequence[Run] = field(default_factory=tuple)  # of this machine, newest first

    @property
    def finished(self) -> list[Run]:
        """Runs of this machine that have the figure."""
        done = [run for run in self.runs if run.status is Status.FINISHED]
        return [run for run in done if self.published.measure in run.metrics]

    @property
    def unfinished(self) -> Run | None:
        """The newest run that is queued, running or can go on, if nothing came after it."""
        return self.runs[0] if self.runs and self.runs[0].status is not Status.FINISHED else None

    @property
    def ours(self) -> float | None:
        """The mean over the project's seeds and this machine's runs; None: nothing yet."""
        metric = self.published.measure
        values = [one.metrics[metric] for one in self.shipped if metric in one.metrics]
        seeds = {one.recipe.seed for one in self.shipped}
        # The same seed again is not another measurement.
        values += [
            run.metrics[metric] for run in self.finished if run.spec.get("seed") not in seeds
        ]
        return sum(values) / len(values) if values else None

    @property
    def next_seed(self) -> int:
        """The smallest seed that no run of this machine has used."""
        used = {run.spec.get("seed") for run in self.runs}
        return next(seed for seed in range(len(used) + 1) if seed not in used)


def rows() -> list[Row]:
    """Every published figure with what is known of it.

    Raises:
        StorageError, CorruptAssetError
    """
    runs = [run for run in cache.store().list() if run.kind in TRAINED and not run.starter]
    recipes = {run.id: recipe_of(run.spec) for run in runs}
    return [
        Row(
            published=published,
            shipped=measurements(published.recipe),
            runs=[run for run in runs if (recipe := recipes[run.id]) and published.matches(recipe)],
        )
        for published in list_reproductions()
    ]


def chosen(found: Sequence[Row]) -> list[Row]:
    """All rows, or the one that the address names (`?row=`)."""
    titles = {row.published.name: row.published.title for row in found}
    name = inputs.choice(
        "Show",
        [ALL, *titles],
        parameter="row",
        title=lambda name: titles.get(name, f"All {len(titles)} figures"),
    )
    return [row for row in found if name in (ALL, row.published.name)]


def summary(found: Sequence[Row]) -> None:
    """How many figures are reached, in one line of numbers."""
    reached = [row for row in found if row.ours is not None and row.published.reached(row.ours)]
    short = [row for row in found if row.ours is not None and row not in reached]
    with st.container(horizontal=True):
        st.metric("Published figures", len(found))
        st.metric("Reached", len(reached))
        st.metric("Not reached", len(short))
        st.metric("Not run yet", len(found) - len(reached) - len(short))


def show_row(row: Row) -> None:
    """One published figure: words on the left, dots in the middle, a button on the right."""
    published = row.published
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="top")
        with left:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"#### {published.title}", width="content")
                _verdict(row)
            st.markdown(_sentence(row))
            if row.ours is not None:
                _dots(row)
            messages.source(f"{published.source}. Published with: {published.conditions}.")
        with right:
            _run_it(row)


def show_table(found: Sequence[Row]) -> None:
    """The same as a table that can be sorted and saved."""
    with st.expander("The same as a table", icon=":material/table:"):
        st.dataframe([_table_line(row) for row in found], hide_index=True)


def explain_measures() -> None:
    """Why the toy network has two figures."""
    st.info(
        "What the toy network's author called *accuracy* is the **mean probability of the true "
        "class**: a network that is right each time, but only 70 % sure, has 70 %. Most people "
        "mean the **share of right answers**. Both stand in its rows.",
        icon=":material/straighten:",
    )
    page.link(
        "pages/backpropagation.py",
        "What do the convolutions add? Both measures over the epochs, ten networks each",
        view="convolutions",
    )


def _verdict(row: Row) -> None:
    if row.ours is None:
        st.badge("not run yet", icon=":material/hourglass_empty:", color="gray")
    elif row.published.reached(row.ours):
        st.badge("reached", icon=":material/check:", color="green")
    else:
        st.badge("not reached", icon=":material/close:", color="orange")


def _sentence(row: Row) -> str:
    published = row.published
    said = f"Published: **{published.published}** {MEASURES[published.measure]}."
    if row.ours is None:
        return f"{said} Nobody has run it with this version yet."
    said += f" Ours: **{100 * row.ours:.2f} %**"
    if row.shipped:
        said += f", measured with {_seeds(len(row.shipped))}"
        each = " each" * (len(row.shipped) > 1)
        said += f" in {_time(timed)}{each}" if (timed := _timed(row.shipped)) else ""
    if row.finished:
        said += f", {_times(len(row.finished))} on this machine"
    hard = mean(row.shipped, "test_accuracy")
    if published.measure == "test_true_probability" and hard is not None:
        said += f". Share of right answers: **{100 * hard:.2f} %**"
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
        name = ", right answers" if metric != published.measure else ""
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
        here = [run for run in row.finished if metric in run.metrics]
        if here:
            lines.append(
                Dots(
                    title=f"this machine{name}",
                    kind="here",
                    values=[run.metrics[metric] for run in here],
                    words=[f"seed {run.spec.get('seed')}, {run.name}" for run in here],
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
        "Run it" if not row.runs else "Run it again",
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


def submit(row: Row) -> Run:
    """Queue a run of a row with a seed that this machine has not used.

    Raises:
        JobError, StorageError
    """
    recipe = row.published.seeded(row.next_seed)
    return cache.jobs().submit(kind="train", spec=recipe.to_dict(), name=row.published.title)


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
    known = expected(row)
    if known is None:
        return "Time unknown :small[:gray[(not measured yet)]]"
    seconds, source = known
    most = "at most " if row.published.recipe.stopping else "about "
    return f"{most.capitalize()}{duration(seconds)} :small[:gray[({source})]]"


def expected(row: Row) -> tuple[float, str] | None:
    """Seconds that a row takes and what they rest on: runs here, else what the project measured."""
    wanted = row.published.recipe
    if wanted.head is None:
        return _estimated(wanted, row)
    timed = _timed(row.shipped)
    if not timed:
        return None
    middle = _middle(timed)
    return middle.seconds, f"measured on {middle.where}"


def _estimated(wanted: Recipe, row: Row) -> tuple[float, str] | None:
    history = cache.store().history
    here = [
        ("measured here", recipe, history(run.id))
        for run in row.finished[:1]
        if (recipe := recipe_of(run.spec))
    ]
    shipped = [*paces(row.shipped), *paces(measurements())]
    known = estimate(wanted, here) or estimate(wanted, shipped)
    return (known.seconds, known.source) if known else None


def _help(row: Row, busy: bool, missing: bool) -> str:
    if missing:
        return row.published.missing
    if busy:
        return "It is already on its way."
    return f"Trains it in the background with seed {row.next_seed}."


def _table_line(row: Row) -> dict[str, object]:
    published = row.published
    metric = published.measure
    return {
        "Figure": published.title,
        "Measure": MEASURES[metric],
        "Published": published.published,
        "cnnkit, mean": _share(mean(row.shipped, metric)),
        "Seeds": len(row.shipped),
        "Right answers": _share(mean(row.shipped, "test_accuracy")),
        "Time": _time(timed) if (timed := _timed(row.shipped)) else "–",
        "Machine": row.shipped[-1].machine if row.shipped else "–",
        "Best here": _share(_best_here(row)),
        "Reached": "–" if row.ours is None else ("yes" if published.reached(row.ours) else "no"),
        "Published with": published.conditions,
        "Source": published.source,
    }


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
    return duration(_middle(measured).seconds)


def _timed(measured: Sequence[Measurement]) -> list[Measurement]:
    """Those whose time is all that it takes."""
    return [one for one in measured if not one.shared]


def _middle(measured: Sequence[Measurement]) -> Measurement:
    """The one whose time is the median."""
    return sorted(measured, key=lambda one: one.seconds)[len(measured) // 2]
