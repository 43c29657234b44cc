import numpy as np
from plotly.graph_objects import Figure

from cnnkit.figures.figure_cache import cache_figures


def test_equal_arguments_get_the_same_figure_and_others_another():
    built = []

    @cache_figures
    def build(values, *, height=100) -> Figure:
        built.append(height)
        return Figure(layout={"height": height})

    first = build(np.arange(3))
    assert build(np.arange(3)) is first
    assert build(np.arange(4)) is not first and build(np.arange(3), height=50) is not first
    assert built == [100, 100, 50]


def test_drawing_a_figure_leaves_it_as_it_was():
    from cnnkit.figures.bars import top_k_bars
    from cnnkit.figures.style import with_text_colors

    figure = top_k_bars([0.9, 0.1], ["cat", "dog"])
    before = figure.to_json()
    with_text_colors(figure.to_dict(), dark=True)
    assert figure.to_json() == before
