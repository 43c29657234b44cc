import numpy as np
import pytest

from cnnkit.concepts.perceptron import Perceptron, descend, different_units, small_images
from cnnkit.datasets import load_dataset


@pytest.fixture(scope="module")
def digits():
    images, labels = load_dataset("digits").part("train")
    return small_images(images[:200]), labels[:200]


def learnt(kind, digits, steps=100):
    network = Perceptron.start(kind, inputs=196, units=12, classes=10, scale=0.03)
    return list(descend(network, *digits, steps=steps, learning_rate=0.3, every=20))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dropped", [False, True])
def test_gradients_are_the_slopes_of_the_loss(activation, dropped):
    generator = np.random.default_rng(1)
    network = Perceptron.start(
        "noise", inputs=6, units=4, classes=3, scale=0.7, activation=activation
    )
    inputs, labels = generator.normal(size=(5, 6)), np.array([0, 1, 2, 1, 0])
    mask = 2.0 * (generator.random((5, 4)) < 0.5) if dropped else None

    def loss():
        hidden = network._activate(inputs @ network.hidden + network.hidden_bias)
        logits = (hidden if mask is None else hidden * mask) @ network.output + network.output_bias
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(5), labels])

    for parameter, slopes in zip(
        network.parameters, network.gradients(inputs, labels, mask), strict=True
    ):
        for place in np.ndindex(parameter.shape):
            kept = parameter[place]
            parameter[place] = kept + 1e-6
            above = loss()
            parameter[place] = kept - 1e-6
            slope = (above - loss()) / 2e-6
            parameter[place] = kept
            assert slopes[place] == pytest.approx(slope, abs=1e-7)


def test_units_that_start_at_zero_never_learn(digits):
    end = learnt("zeros", digits)[-1]
    assert not end.hidden.any()
    assert end.accuracy < 0.2


def test_units_that_start_equal_stay_equal(digits):
    path = learnt("constant", digits)
    assert path[-1].hidden.std() > 0  # they do learn …
    assert different_units(path[-1].hidden) == 1  # … all the same


def test_units_that_start_as_noise_become_different_and_learn(digits):
    end = learnt("noise", digits)[-1]
    assert different_units(end.hidden) == 12
    assert end.accuracy > 0.75


def test_snapshots_hold_the_start_the_end_and_what_is_between(digits):
    path = learnt("noise", digits, steps=50)
    assert [snapshot.step for snapshot in path] == [0, 20, 40, 50]
    assert path[-1].loss < path[0].loss


def test_different_units_counts_kinds():
    assert different_units(np.array([[1.0, 2.0, 1.0], [0.0, 5.0, 0.0]])) == 2


def test_small_images_are_means_of_blocks():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 0, :2, 0] = 255
    small = small_images(image)
    assert small.shape == (1, 196)
    assert small[0, 0] == pytest.approx(0.5)
    assert small.sum() == pytest.approx(0.5)


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="zeros"):
        Perceptron.start("ones", inputs=2, units=2, classes=2)
