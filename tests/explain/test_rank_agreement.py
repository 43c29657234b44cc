"""Agreement between maps, beside SciPy and counted by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from cnnkit.errors import IncompatibleError
from cnnkit.explain import agreement, rank_correlation, top_overlap


@pytest.fixture
def maps():
    return np.float32(np.random.default_rng(0).normal(size=(3, 2, 9, 8)))


def test_rank_correlation_is_spearman_s_of_the_magnitudes(maps):
    one, other = np.round(maps[0], 1), np.round(maps[0] + maps[1], 1)  # with ties
    expected = [
        spearmanr(np.abs(a).ravel(), np.abs(b).ravel()).statistic
        for a, b in zip(one, other, strict=True)
    ]
    np.testing.assert_allclose(rank_correlation(one, other), expected, atol=1e-12)


def test_rank_correlation_sees_the_order_alone(maps):
    one = np.abs(maps[0])
    np.testing.assert_allclose(rank_correlation(one, -(one**3)), 1)
    np.testing.assert_allclose(rank_correlation(one, one.max() - one), -1)
    np.testing.assert_array_equal(rank_correlation(one, np.ones_like(one)), 0)


def test_the_overlap_is_counted():
    one, other = np.zeros((2, 1, 2, 5))
    one[0, 0], other[0, 0] = [5, 4, 3, 2, 1], [-4, 0, -5, 0, -3]
    np.testing.assert_allclose(top_overlap(one, other, 0.3), 2 / 3)
    np.testing.assert_allclose(top_overlap(one, one, 0.3), 1)
    np.testing.assert_allclose(top_overlap(one, other, 0.1), 0)


def test_the_matrices_hold_each_pair(maps):
    named = dict(zip(("a", "b", "c"), maps, strict=True))
    found = agreement(named, share=0.2)
    assert found.names == ("a", "b", "c")
    for i, one in enumerate(maps):
        for j, other in enumerate(maps):
            assert found.correlations[i, j] == pytest.approx(rank_correlation(one, other).mean())
            assert found.overlaps[i, j] == pytest.approx(top_overlap(one, other, 0.2).mean())
    np.testing.assert_allclose(np.diag(found.correlations), 1)
    np.testing.assert_allclose(np.diag(found.overlaps), 1)


def test_bad_input_is_said_in_one_sentence(maps):
    with pytest.raises(IncompatibleError, match="both the same"):
        rank_correlation(maps[0], maps[0][:1])
    with pytest.raises(IncompatibleError, match="`share` must be between 0 and 1"):
        top_overlap(maps[0], maps[1], 1.5)
    for wrong in ({}, {"a": maps[0], "b": maps[0][:1]}, {"a": maps[0][0]}):
        with pytest.raises(IncompatibleError, match="the same for each method"):
            agreement(wrong)
