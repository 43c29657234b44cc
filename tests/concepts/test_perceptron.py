import numpy as np
import pytest

from cnnkit.concepts.perceptron import different_units, gradient_descent, perceptron, small_images
from cnnkit.datasets import load_dataset


@pytest.fixture(scope="module")
def digits():
    images, labels = load_dataset("digits").part("train")
    return small_images(images[:200]), labels[:200]


def trained(kind, digits, steps=100):
    network = perceptron(kind, inputs=196, units=12, classes=10, scale=0.03)
    return list(gradient_descent(network, *digits, steps=steps, learning_rate=0.3, every=20))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_gradients_are_the_slopes_of_the_loss(activation, dropout):
    generator = np.random.default_rng(1)
    inputs, labels = generator.normal(size=(5, 6)), np.array([0, 1, 2, 1, 0])

    def model():  # equal seeds, so that each forward pass has the same dropout mask
        return perceptron(
            "noise",
            inputs=6,
            units=4,
            classes=3,
            scale=0.7,
            activation=activation,
            dropout=dropout,
            dropout_seed=3,
        )

    def loss(layer, name, place, change):
        network = model()
        values = network[layer].parameters[name].copy()
        values[place] += change
        network[layer].parameters[name] = values
        return network.forward(inputs, labels, training=True)

    network = model()
    network.forward(inputs, labels, training=True)
    network.backward()
    for layer in ("hidden", "logits"):
        for name, gradient in network[layer].gradients.items():
            for place in np.ndindex(gradient.shape):
                above, below = (loss(layer, name, place, way * 1e-6) for way in (1, -1))
                assert gradient[place] == pytest.approx((above - below) / 2e-6, abs=1e-7)


def test_units_that_start_at_zero_never_learn(digits):
    end = trained("zeros", digits)[-1]
    assert not end.hidden.any()
    assert end.accuracy < 0.2


def test_units_that_start_equal_stay_equal(digits):
    path = trained("constant", digits)
    assert path[-1].hidden.std() > 0  # they do learn …
    assert different_units(path[-1].hidden) == 1  # … all the same


def test_units_that_start_as_noise_become_different_and_learn(digits):
    end = trained("noise", digits)[-1]
    assert different_units(end.hidden) == 12
    assert end.accuracy > 0.75


def test_snapshots_hold_the_start_the_end_and_what_is_between(digits):
    path = trained("noise", digits, steps=50)
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
        perceptron("ones", inputs=2, units=2, classes=2)
