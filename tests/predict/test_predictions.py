import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from cnnkit.predict import no_answer, softmax, top_k

LOGITS = np.array([1.0, 4.0, -2.0, 3.0], np.float32)


def test_probabilities_are_those_of_scipy():
    many = np.random.default_rng(0).normal(0, 50, (7, 11))
    np.testing.assert_allclose(softmax(many), scipy_softmax(many, axis=-1), atol=1e-15)


def test_the_best_come_first_with_probabilities_of_all_classes():
    predictions = top_k(LOGITS, "abcd", 2)
    assert [(a.index, a.name) for a in predictions] == [(1, "b"), (3, "d")]
    assert [a.probability for a in predictions] == pytest.approx(
        sorted(scipy_softmax(LOGITS))[:1:-1]
    )


def test_more_than_there_are_gives_all():
    assert sum(a.probability for a in top_k(LOGITS, "abcd", 9)) == pytest.approx(1)


def test_what_is_not_finite_is_no_answer():
    assert no_answer(np.float32([2, -1])) == ""
    for value in (np.nan, np.inf):
        assert "not a number (NaN)" in no_answer(np.float32([2, value]))
