"""Heatmaps of readable numbers, the row of layers, and the charts of Backpropagation."""

import numpy as np
import pytest

from cnnkit.figures.functions import CURVES, LossCurve, activation_curve, loss_by_rate
from cnnkit.figures.network import LayerBox, layer_row
from cnnkit.figures.numbers import common_power, folded, format_number, number_map, titled
from cnnkit.figures.seed_spread import SeedCurves, curves_by_seed


def texts(figure):
    return [a.text for a in figure.layout.annotations]


def test_numbers_are_written_without_their_common_power_and_the_title_says_it():
    values = np.array([[0.0123, -0.004], [0, 0.0007]])
    assert common_power(values) == -2
    assert texts(number_map(values)) == ["1.23", "-0.40", "0", "0.07"]
    assert "10⁻²" in titled("δ", values)
    assert texts(number_map(values * 100)) == ["1.23", "-0.40", "0", "0.07"]
    assert titled("δ", values * 100) == "**δ**"
    assert texts(number_map(np.array([[255.0, 0]]))) == ["255", "0"]
    assert common_power(np.zeros((2, 2))) == 0
    assert texts(number_map(np.array([[0.5] * 9 + [-0.25, 2, 1e-5]])))[-4:] == [
        ".50",
        "-.25",
        "2.00",
        "≈0",
    ]


def test_hovering_tells_the_whole_number_and_its_place():
    figure = number_map(np.array([[0.5, 0.123456789]]), places=["here", "there"])
    assert figure.data[0].customdata.tolist() == [["here: <b>0.5</b>", "there: <b>0.123457</b>"]]
    assert "row 1, column 0" in number_map(np.ones((2, 1))).data[0].customdata[1][0]


def test_large_maps_are_colored_but_not_written():
    assert not texts(number_map(np.ones((24, 24))))
    assert titled("map", np.full((24, 24), 1e-5)) == "**map**"


def test_every_cell_can_be_clicked_and_empty_ones_cannot():
    figure = number_map(folded(np.arange(15.0)), clickable=True)
    places = [list(place) for place in figure.data[1].customdata]
    assert len(places) == 15 and places[12] == [1, 2]
    assert len(number_map(np.ones((2, 2))).data) == 1


def test_frames_lie_around_the_chosen_cell_and_the_window():
    shapes = number_map(np.ones((5, 5)), chosen=(1, 2), window=(0, 1, 2, 3)).layout.shapes
    assert [(s.x0, s.x1, s.y0, s.y1) for s in shapes] == [
        (0.5, 3.5, -0.5, 1.5),
        (1.5, 2.5, 0.5, 1.5),
    ]


def test_rows_of_numbers_are_folded():
    assert folded(np.arange(3.0)).shape == (1, 3)
    assert folded(np.arange(80.0)).shape == (8, 10)
    assert folded(np.arange(801.0)).shape == (33, 25) and np.isnan(folded(np.arange(801.0))[-1, -1])


@pytest.mark.parametrize("value, text", [(0, "0"), (0.12345, "0.123"), (-3.44e-5, "-3.44e-05")])
def test_single_numbers_are_short(value, text):
    assert format_number(value) == text


def test_the_row_of_layers_names_them_and_its_direction():
    boxes = [
        LayerBox(title="conv", name="block1<conv1>", values=np.ones((4, 4, 3))),
        LayerBox(title="loss", name="softmax", values=np.zeros(3)),
    ]
    html = layer_row(boxes, 1, backward=True)
    assert 'class="cnn-row backward"' in html and "now at softmax" in html
    assert "block1&lt;conv1&gt;" in html and html.count('class="box current"') == 1
    assert "4×4×3" in html and "nan" not in html


@pytest.mark.parametrize("kind", CURVES)
def test_a_tangent_only_on_the_way_back(kind):
    assert len(activation_curve(kind, 0.5, 1.0, backward=False).data) == 2
    assert len(activation_curve(kind, 0.5, 1.0, backward=True).data) == 3


def test_a_loss_far_outside_is_marked_at_the_edge():
    slope = LossCurve(title="batch", color="#112233", losses=[1, 900], before=1, after=900)
    figure = loss_by_rate([0.1, 10], [slope], 10)
    assert figure.layout.yaxis.range == (0, 4)
    assert figure.data[1].marker.symbol == "triangle-up" and figure.data[1].y[0] < 4


def test_the_mean_of_the_runs_is_thick_and_what_was_published_stands_beside():
    x = np.array([1, 2])
    bundle = SeedCurves(
        title="all",
        color="#112233",
        runs=[(x, np.array([0.4, 0.6])), (x, np.array([0.2, 1.0]))],
        names=["seed 0", "seed 1"],
        published=[(2, 0.9, "the author")],
    )
    figure = curves_by_seed([bundle], x_title="epochs", y_title="p", log=False)
    assert [trace.name for trace in figure.data[2:]] == ["all, mean of 2", "all, published"]
    assert figure.data[2].y.tolist() == pytest.approx([0.3, 0.8])
    assert figure.data[3].y == (0.9,)
