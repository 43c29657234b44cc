"""What is known of networks and recipes on the 17 flowers: accuracy against time."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.durations import duration
from cnnkit.models import network_title
from cnnkit.published.flowers import FlowerResult, flower_results
from cnnkit.training import Recipe
from cnnkit.training.estimates import count_macs
from cnnkit.ui.common import charts
from cnnkit.ui.common.tasks import background, wait_for


def recipe_title(recipe: Recipe) -> str:
    """A recipe's name, and what it reached: "fast (flowers: 96.8 % in 1 min 21 s)"."""
    name = recipe.name.replace("_", " ")
    known = [one for one in flower_results() if one.is_of(recipe)]
    return f"{name} (flowers: {in_words(known[0])})" if known else name


def in_words(result: FlowerResult) -> str:
    """Mean accuracy and time."""
    time = "" if result.seconds is None else f" in {duration(result.seconds)}"
    return f"{100 * result.accuracy:.1f} %{time}"


def show_flower_results() -> None:
    """All that was measured, as a chart whose dots choose a recipe, and as a table."""
    results = flower_results()
    timed = [result for result in results if result.seconds]
    with st.expander("Accuracy and time on the 17 flowers", icon=":material/scatter_plot:"):
        if timed:
            _chart(timed)
        task = background().ask(("macs", len(results)), lambda: _macs(results))
        macs = wait_for(task, waiting="Counting multiply-accumulates")
        st.dataframe(
            [_cells(result, count) for result, count in zip(results, macs, strict=True)],
            hide_index=True,
            height="content",
            alt="Test accuracy, time, parameters and MACs of each recipe",
            column_config={
                "Test accuracy": st.column_config.NumberColumn(format="%.1f %%"),
                "Parameters": st.column_config.NumberColumn(format="compact"),
                "MACs": st.column_config.NumberColumn(
                    format="compact", help="Multiply-accumulates for one image."
                ),
            },
        )
        st.caption(
            "Mean test accuracy over random splits; the bars show the lowest and the highest. "
            "Where several depths were tried, the validation set of each split chose one. Times "
            "are from an empty feature cache on two cores without a GPU; a dash: not timed."
        )


def _chart(results: Sequence[FlowerResult]) -> None:
    from cnnkit.figures.dots import TimedAccuracy, accuracy_against_time

    dots = [
        TimedAccuracy(
            network=network_title(one.recipe.model),
            recipe=one.name.replace("_", " "),
            seconds=one.seconds or 0,
            shares=one.accuracies,
            key=(one.recipe.model, one.name),
        )
        for one in results
    ]
    words = (
        f"{dot.network}, {dot.recipe}: {in_words(one)}"
        for dot, one in zip(dots, results, strict=True)
    )
    charts.clickable(
        accuracy_against_time(dots),
        alt=f"Test accuracy on the 17 flowers against time. {'; '.join(words)}",
        key="flower_results",
        clicked=_choose,
    )
    st.caption("Click a dot to choose its network and recipe.")


def _choose(point: dict) -> None:
    network, recipe = point["customdata"][:2]
    st.query_params.update(network=network, recipe=recipe)


def _cells(result: FlowerResult, macs: int) -> dict[str, object]:
    recipe = result.recipe
    return {
        "Network": network_title(recipe.model),
        "Recipe": result.name.replace("_", " "),
        "Test accuracy": 100 * result.accuracy,
        "Splits": len(result.accuracies),
        "Time": duration(result.seconds),
        "Parameters": result.parameters,
        "MACs": macs,
        "Images": f"{recipe.size}×{recipe.size}" if recipe.size else "–",
    }


def _macs(results: Sequence[FlowerResult]) -> list[int]:
    """Multiply-accumulates of each network for one image of the recipe's size."""
    return [count_macs(one.recipe) for one in results]
