"""Published figures and ours on one line."""

from __future__ import annotations

import pytest

from cnnkit.figures.dots import Dots, TimedAccuracy, accuracy_against_time, dot_plot


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


def dots():
    values = (("VGG16", "fast", 170, (0.88, 0.9)), ("VGG16", "best", 800, (0.94, 0.96)),
              ("GoogLeNet", "fast", 90, (0.95,)))  # fmt: skip
    return [
        TimedAccuracy(network=n, recipe=r, seconds=s, shares=a, key=(n, r)) for n, r, s, a in values
    ]


def test_accuracy_against_time_has_a_dot_with_its_range_for_each_recipe():
    vgg, googlenet = accuracy_against_time(dots()).data
    assert list(vgg.x) == [170, 800] and list(vgg.y) == pytest.approx([0.89, 0.95])
    assert list(vgg.error_y.array) == pytest.approx([0.01, 0.01])
    assert [list(row) for row in vgg.customdata] == [
        ["VGG16", "fast", "VGG16, fast", "2 min 50 s"],
        ["VGG16", "best", "VGG16, best", "13 min 20 s"],
    ]
    assert "customdata[2]" in vgg.hovertemplate and "customdata[3]" in vgg.hovertemplate
    assert list(vgg.textposition) == ["middle right", "middle left"]  # within the chart
    assert googlenet.mode == "markers" and list(googlenet.error_y.array) == [0]


def test_times_are_named_within_the_axis():
    axis = accuracy_against_time(dots()).layout.xaxis
    low, high = (10**end for end in axis.range)
    assert low < 90 and high > 800
    assert list(axis.ticktext) == ["2 min", "5 min", "10 min"]
