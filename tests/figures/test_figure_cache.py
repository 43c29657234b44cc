import numpy as np
from plotly.graph_objects import Figure

from cnnkit.figures.figure_cache import BYTES, cache_figures


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


def test_what_is_made_of_a_kept_figure_is_made_once_for_each_key_and_else_anew():
    from cnnkit.figures.figure_cache import made_of

    @cache_figures
    def build(height) -> Figure:
        return Figure(layout={"height": height})

    made = [made_of(build(100), key, lambda figure: object()) for key in ("light", "light", "dark")]
    assert made[0] is made[1] and made[1] is not made[2]
    other = Figure()
    assert made_of(other, "light", lambda f: object()) is not made_of(other, "light", lambda f: [f])
    assert made_of(build(100), "light", lambda figure: None) is made[0]


def test_figures_of_large_arrays_are_not_kept():
    @cache_figures
    def build(values) -> Figure:
        return Figure(layout={"height": len(values)})

    large, halves = (
        np.zeros(BYTES, np.uint8),
        [np.full(BYTES * 2 // 3, n, np.uint8) for n in (1, 2)],
    )
    assert build(large) is not build(large)
    first = build(halves[0])
    assert build(halves[0]) is first
    build(halves[1])  # takes the place of the first
    assert build(halves[0]) is not first
