import numpy as np
import pytest
import sklearn.metrics

from cnnkit.errors import IncompatibleError
from cnnkit.models import create_model
from cnnkit.training import Predictions, evaluate, fit


@pytest.fixture
def evaluation():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 200)
    logits = generator.normal(size=(200, 4)) * 3 + np.eye(4)[labels] * 2
    return Predictions(logits=logits.astype(np.float32), labels=labels)


def test_figures_agree_with_scikit_learn(evaluation):
    labels, predictions = evaluation.labels, evaluation.predicted
    assert evaluation.accuracy == sklearn.metrics.accuracy_score(labels, predictions)
    assert evaluation.error == pytest.approx(1 - evaluation.accuracy)
    assert evaluation.loss == pytest.approx(
        sklearn.metrics.log_loss(labels, evaluation.probabilities)
    )
    np.testing.assert_array_equal(
        evaluation.confusion, sklearn.metrics.confusion_matrix(labels, predictions)
    )


def test_the_toy_networks_accuracy_is_the_mean_probability_of_the_true_class(evaluation):
    probabilities = zip(evaluation.probabilities, evaluation.labels, strict=True)
    expected = np.mean([row[label] for row, label in probabilities])
    assert evaluation.mean_true_probability == pytest.approx(expected)
    assert evaluation.metrics("test_")["test_true_probability"] == pytest.approx(expected)


IMAGES = np.zeros((6, 12, 12, 1), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture(scope="module")
def toy_cnn():
    return create_model("toy_cnn")


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES, LABELS[:3], r"one whole number for each of the 6 images.*\(3,\)"),
        (IMAGES, np.eye(3)[LABELS], r"one whole number for each.*\(6, 3\), float64"),
        (IMAGES, LABELS + 0.5, "float64"),
        (IMAGES, LABELS + 1, "0 to 2, as the model has 3 classes. Received: 1 to 3"),
        (IMAGES, LABELS - 1, "Received: -1 to 1"),
        (IMAGES[:0], LABELS[:0], "at least one"),
        (IMAGES[..., 0], LABELS, r"images of \(12, 12, 1\).*\(6, 12, 12\)"),
        (np.repeat(IMAGES, 3, -1), LABELS, r"\(6, 12, 12, 3\)"),
        (IMAGES + np.nan, LABELS, "finite, 0 to 255. Received NaN"),
        (IMAGES.astype(str), LABELS, "must be numbers"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused(images, labels, message, toy_cnn):
    with pytest.raises(IncompatibleError, match=message):
        evaluate(toy_cnn, images, labels)


def test_images_of_another_size_are_resized(toy_cnn):
    assert len(evaluate(toy_cnn, np.zeros((6, 20, 16, 1), np.uint8), LABELS).labels) == 6


def test_a_name_is_no_model_and_no_recipe():
    with pytest.raises(TypeError, match="`model` must be a Keras model.*Received: 'toy_cnn'"):
        evaluate("toy_cnn", IMAGES, LABELS)
    with pytest.raises(TypeError, match="`recipe` must be a `Recipe`.*Received: 'toy_cnn'"):
        fit("toy_cnn")


def test_large_logits_stay_finite():
    evaluation = Predictions(logits=np.float32([[1000, -1000]]), labels=np.array([1]))
    assert evaluation.loss == pytest.approx(2000)
    assert np.isfinite(evaluation.probabilities).all()


def test_a_network_is_evaluated_alike_in_any_batches():
    model = create_model("toy_cnn", initialization="sugomori")
    images = np.random.default_rng(0).integers(0, 256, (33, 12, 12, 1), np.uint8)
    labels = np.zeros(33, int)
    whole = evaluate(model, images, labels, batch_size=100)
    parts = evaluate(model, images, labels, batch_size=10)
    np.testing.assert_allclose(whole.logits, parts.logits, atol=1e-6)
    np.testing.assert_allclose(whole.logits, model(images.astype(np.float32)), atol=1e-6)
