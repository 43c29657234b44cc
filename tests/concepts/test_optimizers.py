import numpy as np
import pytest

from cnnkit.concepts.optimizers import OPTIMIZERS, SURFACES, minimize


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_slopes_belong_to_their_heights(surface):
    for x, y in ((0.3, -0.4), (-1.1, 0.9), surface.start):
        for axis, partial in enumerate(surface.gradient(x, y)):
            step = 1e-6 * np.eye(2)[axis]
            above = surface.loss(x + step[0], y + step[1])
            below = surface.loss(x - step[0], y - step[1])
            assert partial == pytest.approx((above - below) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_nothing_around_is_lower_than_the_lowest_point(surface):
    left, right, bottom, top = surface.bounds
    heights = surface.loss(*np.meshgrid(np.linspace(left, right), np.linspace(bottom, top)))
    assert surface.loss(*surface.minima[0]) <= heights.min()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_every_method_goes_down(surface, optimizer):
    path = minimize(surface, optimizer, start=surface.start, steps=100, learning_rate=0.05)
    assert path.shape == (101, 2)
    assert tuple(path[0]) == surface.start
    assert surface.loss(*path[-1]) < surface.loss(*path[0])


def test_the_first_steps_are_those_of_the_papers():
    valley = SURFACES["valley"]
    start = np.array((-4.0, 1.2))
    partial = np.array(valley.gradient(*start))
    steps = {
        optimizer: minimize(valley, optimizer, start=tuple(start), steps=2, learning_rate=0.1)
        for optimizer in OPTIMIZERS
    }
    assert steps["gradient descent"][1] == pytest.approx(start - 0.1 * partial)
    second = np.array(valley.gradient(*steps["momentum"][1]))
    assert steps["momentum"][2] - steps["momentum"][1] == pytest.approx(
        0.9 * (-0.1 * partial) - 0.1 * second
    )
    # Adam's first step has the size of the learning rate, whatever the partial.
    assert np.abs(steps["Adam"][1] - start) == pytest.approx([0.1, 0.1], rel=1e-6)


def test_momentum_is_ahead_of_plain_descent_in_a_narrow_valley():
    valley = SURFACES["valley"]
    ends = {
        optimizer: minimize(valley, optimizer, start=valley.start, steps=60, learning_rate=0.05)[-1]
        for optimizer in OPTIMIZERS
    }
    assert valley.loss(*ends["momentum"]) < valley.loss(*ends["gradient descent"]) / 10


def test_a_path_that_diverges_ends_early_and_stays_finite():
    valley = SURFACES["valley"]
    path = minimize(valley, "gradient descent", start=valley.start, steps=200, learning_rate=1.0)
    assert len(path) < 201
    assert np.isfinite(path).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="Adam"):
        minimize(SURFACES["valley"], "newton", start=(0, 0), steps=1, learning_rate=0.1)
