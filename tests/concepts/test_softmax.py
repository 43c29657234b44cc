import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnkit.concepts.softmax import softmax_steps
from cnnkit.predict import softmax

LOGITS = st.lists(st.floats(-50, 50), min_size=2, max_size=6)


@given(LOGITS)
def test_probabilities_sum_to_one_and_keep_the_order(logits):
    probabilities = softmax(np.array(logits))
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities[np.argmax(logits)] == pytest.approx(probabilities.max())


@given(LOGITS, st.floats(-100, 100))
def test_adding_the_same_to_all_changes_nothing(logits, more):
    assert softmax(np.array(logits) + more) == pytest.approx(softmax(np.array(logits)))


def test_huge_logits_do_not_overflow():
    assert softmax_steps(np.array([1000.0, 0.0]), true=1).loss == pytest.approx(1000)


def test_the_gradient_is_the_slope_of_the_loss():
    logits = np.array([2.0, -1.0, 0.5])
    result = softmax_steps(logits, true=2)
    for i in range(3):
        step = 1e-6 * np.eye(3)[i]
        slope = (softmax_steps(logits + step, 2).loss - softmax_steps(logits - step, 2).loss) / 2e-6
        assert result.gradient[i] == pytest.approx(slope, abs=1e-8)


def test_the_loss_is_the_log_of_the_true_probability():
    result = softmax_steps(np.array([1.0, 2.0, 3.0]), true=0)
    assert result.loss == pytest.approx(-np.log(result.probabilities[0]))


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="true"):
        softmax_steps(np.zeros(3), true=3)
