from __future__ import annotations

import numpy as np
import pytest

from cnnkit.errors import CorruptAssetError
from cnnkit.training import Head, Recipe, recipe_dataset
from cnnkit.training.predictions import Predictions, evaluation_dataset, wilson_interval

pytestmark = pytest.mark.usefixtures("decoded")

# Two right (0 and 1), three wrong: images 2 and 4 are 0 taken for 1, image 3 is 1 taken for 2.
LOGITS = [[4, 0, 0], [0, 1, 0], [0, 2, 0], [0, 0, 1], [0, 9, 0]]
LABELS = [0, 1, 0, 1, 0]


@pytest.fixture
def predictions():
    return Predictions(logits=np.array(LOGITS, float), labels=np.array(LABELS))


def test_mistakes_come_with_the_most_confident_first(predictions):
    assert predictions.misclassified().tolist() == [4, 2, 3]


def test_the_confusion_matrix_counts_every_image_by_true_row(predictions):
    assert predictions.confusion.tolist() == [[1, 2, 0], [0, 1, 1], [0, 0, 0]]
    assert predictions.error == pytest.approx(3 / 5)


def test_a_cell_holds_exactly_its_images_with_the_remarkable_ones_first(predictions):
    assert predictions.cell(0, 1).tolist() == [4, 2]
    doubtful = Predictions(logits=np.array([[9.0, 0], [1, 0]]), labels=np.array([0, 0]))
    assert doubtful.cell(0, 0).tolist() == [1, 0]
    assert predictions.cell(2, 0).tolist() == []


def test_each_class_has_its_accuracy_count_and_worst_confusion(predictions):
    scores = [(s.images, s.correct, s.most_confused) for s in predictions.by_class()]
    assert scores == [(3, 1, 1), (2, 1, 2), (0, 0, None)]
    assert predictions.by_class()[2].accuracy == 0


def test_half_precision_logits_of_any_size_give_probabilities(tmp_path):
    path = tmp_path / "predictions.npz"
    np.savez(path, logits=np.float16([[60000, -60000]]), labels=np.array([0]))
    probabilities = Predictions.read(path).probabilities
    assert probabilities.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    "arrays",
    [
        {"logits": np.zeros((2, 3))},
        {"logits": np.zeros((2, 3)), "labels": np.zeros(5, int)},
        {"logits": np.zeros((0, 3)), "labels": np.zeros(0, int)},
        {"logits": np.zeros((2, 3)), "labels": np.array([0, 3])},
    ],
    ids=["no labels", "other length", "empty", "label out of range"],
)
def test_a_damaged_file_is_named(tmp_path, arrays):
    path = tmp_path / "predictions.npz"
    np.savez(path, **arrays)
    with pytest.raises(CorruptAssetError, match="predictions.npz"):
        Predictions.read(path)


@pytest.mark.parametrize("content", [b"not numpy", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_archive_is_named(tmp_path, content):
    path = tmp_path / "predictions.npz"
    path.write_bytes(content)
    with pytest.raises(CorruptAssetError, match="predictions.npz"):
        Predictions.read(path)


def test_the_interval_is_that_of_the_tables():
    # Newcombe 1998: 81 of 263 gives .2553 to .3662; 0 of 20 gives 0 to .1611.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson_interval(20, 20)[1] == 1 and wilson_interval(20, 20)[0] > 0.8


@pytest.mark.parametrize("dataset", ["drawn_flowers", "toy_patterns"])
@pytest.mark.parametrize("head", [None, Head()])
def test_the_test_set_of_a_stored_recipe_is_the_one_it_was_trained_beside(dataset, head):
    recipe = Recipe(model="compact_photo_cnn", dataset=dataset, head=head, seed=1, split_seed=3)
    for mine, theirs in zip(
        evaluation_dataset(recipe.to_dict()).part("test"),
        recipe_dataset(recipe).part("test"),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, theirs)
