"""Published figures and ours on one line."""

from __future__ import annotations

import pytest

from cnnkit.figures.dots import Dots, dot_plot


def lines():
    return [
        Dots(title="published", kind="published", values=[0.0092], words=["as published"]),
        Dots(title="cnnkit", kind="project", values=[0.008, 0.010], words=["seed 0", "seed 1"]),
    ]


def test_dots_stand_at_their_values_in_percent_with_the_mean_of_several():
    figure = dot_plot(lines(), 0.0092, smaller_is_better=True)
    assert list(figure.data[0].x) == pytest.approx([0.92])
    assert list(figure.data[1].x) == pytest.approx([0.8, 1.0])
    assert list(figure.data[2].x) == pytest.approx([0.9])


@pytest.mark.parametrize("smaller", [True, False])
def test_the_good_side_of_the_published_figure_is_shaded(smaller):
    figure = dot_plot(lines(), 0.0092, smaller_is_better=smaller)
    low, high = figure.layout.xaxis.range
    shade = figure.layout.shapes[0]
    assert (shade.x0, shade.x1) == pytest.approx((low, 0.92) if smaller else (0.92, high))


def test_all_dots_are_inside_the_axis():
    figure = dot_plot(lines(), 0.0092, smaller_is_better=True)
    low, high = figure.layout.xaxis.range
    assert 0 <= low < 0.8 and high > 1.0


def test_a_single_perfect_figure_has_an_axis():
    line = Dots(title="published", kind="published", values=[1.0], words=[""])
    low, high = dot_plot([line], 1.0, smaller_is_better=False).layout.xaxis.range
    assert low < 100 <= high
