import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnkit.backprop import SoftmaxCrossEntropy
from cnnkit.predict import softmax


def steps(logits, true):
    """Loss, probabilities and gradient."""
    layer = SoftmaxCrossEntropy()
    loss = layer.forward(np.array([logits]), np.array([true]))
    return loss, layer.probabilities[0], layer.backward()[0]


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
    assert steps([1000.0, 0.0], 1)[0] == pytest.approx(1000)


def test_the_gradient_is_the_slope_of_the_loss():
    logits = np.array([2.0, -1.0, 0.5])
    _, _, gradient = steps(logits, 2)
    for i in range(3):
        step = 1e-6 * np.eye(3)[i]
        slope = (steps(logits + step, 2)[0] - steps(logits - step, 2)[0]) / 2e-6
        assert gradient[i] == pytest.approx(slope, abs=1e-8)


def test_the_loss_is_the_log_of_the_true_probability():
    loss, probabilities, _ = steps([1.0, 2.0, 3.0], 0)
    assert loss == pytest.approx(-np.log(probabilities[0]))
