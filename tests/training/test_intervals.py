import pytest

from cnnkit.training.intervals import wilson


def test_the_interval_is_that_of_the_tables():
    # Newcombe 1998: 81 of 263 gives .2553 to .3662; 0 of 20 gives 0 to .1611.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson(20, 20)[1] == 1 and wilson(20, 20)[0] > 0.8
