import numpy as np
import pytest

from cnnkit.concepts.descent import LANDSCAPES, METHODS, descend


@pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES)
def test_slopes_belong_to_their_heights(landscape):
    for x, y in ((0.3, -0.4), (-1.1, 0.9), landscape.start):
        for axis, slope in enumerate(landscape.slope(x, y)):
            step = 1e-6 * np.eye(2)[axis]
            above = landscape.height(x + step[0], y + step[1])
            below = landscape.height(x - step[0], y - step[1])
            assert slope == pytest.approx((above - below) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES)
def test_nothing_around_is_lower_than_the_lowest_point(landscape):
    left, right, bottom, top = landscape.reach
    heights = landscape.height(*np.meshgrid(np.linspace(left, right), np.linspace(bottom, top)))
    assert landscape.height(*landscape.lowest[0]) <= heights.min()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES)
def test_every_method_goes_down(landscape, method):
    path = descend(landscape, method, start=landscape.start, steps=100, learning_rate=0.05)
    assert path.shape == (101, 2)
    assert tuple(path[0]) == landscape.start
    assert landscape.height(*path[-1]) < landscape.height(*path[0])


def test_the_first_steps_are_those_of_the_papers():
    valley = LANDSCAPES["valley"]
    start = np.array((-4.0, 1.2))
    slope = np.array(valley.slope(*start))
    steps = {
        method: descend(valley, method, start=tuple(start), steps=2, learning_rate=0.1)
        for method in METHODS
    }
    assert steps["gradient descent"][1] == pytest.approx(start - 0.1 * slope)
    second = np.array(valley.slope(*steps["momentum"][1]))
    assert steps["momentum"][2] - steps["momentum"][1] == pytest.approx(
        0.9 * (-0.1 * slope) - 0.1 * second
    )
    # Adam's first step has the size of the learning rate, whatever the slope.
    assert np.abs(steps["Adam"][1] - start) == pytest.approx([0.1, 0.1], rel=1e-6)


def test_momentum_is_ahead_of_plain_descent_in_a_narrow_valley():
    valley = LANDSCAPES["valley"]
    ends = {
        method: descend(valley, method, start=valley.start, steps=60, learning_rate=0.05)[-1]
        for method in METHODS
    }
    assert valley.height(*ends["momentum"]) < valley.height(*ends["gradient descent"]) / 10


def test_a_path_that_diverges_ends_early_and_stays_finite():
    valley = LANDSCAPES["valley"]
    path = descend(valley, "gradient descent", start=valley.start, steps=200, learning_rate=1.0)
    assert len(path) < 201
    assert np.isfinite(path).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="Adam"):
        descend(LANDSCAPES["valley"], "newton", start=(0, 0), steps=1, learning_rate=0.1)
