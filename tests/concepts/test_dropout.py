import numpy as np
import pytest

from cnnkit.backprop import Dropout
from cnnkit.concepts import perceptron as module
from cnnkit.concepts.perceptron import perceptron, small_images, train_with_dropout
from cnnkit.datasets import load_dataset


@pytest.fixture(scope="module")
def few_and_partly_wrong():
    dataset = load_dataset("digits")
    images, labels = (array[:100] for array in dataset.part("train"))
    generator = np.random.default_rng(0)
    shift = generator.integers(1, 10, 100) * (generator.random(100) < 0.3)
    test_images, test_labels = dataset.part("test")
    return (
        (small_images(images), (labels + shift) % 10),
        (small_images(test_images), test_labels),
    )


def dropped(shape, rate):
    return Dropout("dropout", rate).forward(np.ones(shape), training=True)


def test_a_mask_switches_off_the_fraction_and_keeps_the_mean():
    chosen = dropped((400, 500), 0.3)
    assert np.unique(chosen).tolist() == pytest.approx([0, 1 / 0.7])
    assert (chosen == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert chosen.mean() == pytest.approx(1, abs=0.02)


def test_no_dropout_switches_nothing_off():
    assert (dropped((3, 4), 0.0) == 1).all()


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_that_cannot_be_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        Dropout("dropout", rate)


def test_dropout_narrows_the_gap_between_training_and_test(few_and_partly_wrong):
    gaps, better = [], []
    for seed in range(3):
        off = train_with_dropout(*few_and_partly_wrong, rate=0.0, seed=seed)
        on = train_with_dropout(*few_and_partly_wrong, rate=0.5, seed=seed)
        gaps.append(off.gap - on.gap)
        better.append(on.test_accuracy[-1] - off.test_accuracy[-1])
    assert np.mean(gaps) > 0.08
    assert np.mean(better) > 0


def test_the_seed_decides_order_and_dropout(few_and_partly_wrong, monkeypatch):
    # From the same initial weights, what differs was made by order and dropout.
    monkeypatch.setattr(module, "perceptron", lambda *a, **k: perceptron(*a, **k | {"seed": 0}))
    first, again, other = (
        train_with_dropout(*few_and_partly_wrong, rate=0.5, units=16, epochs=1, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first.train_loss == again.train_loss
    assert first.train_loss[0] == other.train_loss[0]
    assert first.train_loss[1] != other.train_loss[1]


def test_the_same_seed_gives_the_same_curves(few_and_partly_wrong):
    first, again = (
        train_with_dropout(*few_and_partly_wrong, rate=0.5, units=16, epochs=2, seed=3)
        for _ in range(2)
    )
    assert first.test_loss == again.test_loss
    assert len(first.test_loss) == 3
