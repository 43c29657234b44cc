"""Feature maps and units whose values can be read."""

from __future__ import annotations

import numpy as np

from cnnkit.figures.bars import class_bars
from cnnkit.figures.heatmaps import map_grid, unit_strip

MAPS = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4) - 7


def tile(figure, number, columns=2):
    top, left = (number // columns) * 3, (number % columns) * 4
    trace = figure.data[0]
    place = (slice(top, top + 2), slice(left, left + 3))
    return np.asarray(trace.z)[place], np.asarray(trace.customdata)[place]


def test_every_value_of_every_map_is_there_for_the_mouse():
    figure = map_grid(MAPS, columns=2)
    for number in range(4):
        _, details = tile(figure, number)
        assert (details[..., 0] == number + 1).all()
        np.testing.assert_array_equal(details[..., 1], MAPS[..., number])


def test_one_scale_for_all_keeps_maps_comparable():
    figure = map_grid(MAPS, columns=2, together=True)
    for number in range(4):
        np.testing.assert_allclose(
            tile(figure, number)[0], MAPS[..., number] / np.abs(MAPS).max(), rtol=1e-6
        )


def test_a_scale_of_its_own_brings_each_map_to_full_color():
    figure = map_grid(MAPS, columns=2, together=False)
    assert [float(np.abs(tile(figure, n)[0]).max()) for n in range(4)] == [1, 1, 1, 1]


def test_gaps_and_missing_maps_stay_empty():
    z = np.asarray(map_grid(MAPS[..., :3], columns=2).data[0].z)
    assert np.isnan(z[2]).all() and np.isnan(z[:, 3]).all() and np.isnan(z[3:, 4:]).all()


def test_dead_maps_do_not_divide_by_zero():
    assert (
        np.nanmax(np.asarray(map_grid(np.zeros((2, 2, 2)), columns=2, together=False).data[0].z))
        == 0
    )


def test_a_strip_holds_the_units_in_order_and_is_symmetric_about_zero():
    values = np.array([0.5, -2.0, 1.0])
    trace = unit_strip(values, "fc1").data[0]
    assert np.asarray(trace.z).ravel().tolist() == values.tolist()
    assert (trace.zmin, trace.zmax) == (-2, 2)


def test_bars_mark_the_true_class_and_write_percent():
    trace = class_bars(np.array([0.25, 0.75]), ["a", "b"], "p", percent=True, true=0).data[0]
    assert list(trace.y) == ["a ✓", "b"]
    assert list(trace.text) == ["25.0%", "75.0%"]
