import numpy as np

from cnnkit.figures.functions import loss_surface


def height(x, y):
    return x**2 + 3 * y**2


def test_paths_are_drawn_over_the_landscape_with_their_ends_marked():
    paths = {"down": np.array([[1.0, 1.0], [0.5, 0.2]]), "lost": np.array([[1.0, 1.0]])}
    figure = loss_surface(height, (-1, 1, -1, 1), paths, minima=((0.0, 0.0),))
    kinds = [trace.type for trace in figure.data]
    assert kinds == ["heatmap", "contour", "scatter", "scatter", "scatter"]
    down = figure.data[2]
    assert down.name == "down"
    assert list(down.x) == [1.0, 0.5]
    assert down.marker.size[-1] > down.marker.size[0]


def test_the_lowest_place_of_the_map_is_where_the_loss_is_lowest():
    surface = loss_surface(height, (-1, 1, -1, 1), {}).data[0]
    row, column = np.unravel_index(np.argmin(surface.z), surface.z.shape)
    assert abs(surface.x[column]) < 0.03 and abs(surface.y[row]) < 0.03


def test_the_axes_end_at_the_reach():
    figure = loss_surface(height, (-2, 1, -3, 4), {})
    assert tuple(figure.layout.xaxis.range) == (-2, 1)
    assert tuple(figure.layout.yaxis.range) == (-3, 4)
