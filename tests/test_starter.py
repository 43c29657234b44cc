"""The trained network that ships: small, readable, and the one that its figures are of."""

import json
from pathlib import Path

import numpy as np
import pytest

import cnnkit.starter
from cnnkit.models import load_model
from cnnkit.training import Recipe, get_recipe

FOLDER = Path(cnnkit.starter.__file__).parent


@pytest.fixture(scope="module")
def predictions():
    with np.load(FOLDER / "predictions.npz") as file:
        return {name: file[name] for name in file}


@pytest.fixture(scope="module")
def examples():
    with np.load(FOLDER / "examples.npz") as file:
        return {name: file[name] for name in file}


def test_the_starter_is_small_enough_to_ship():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.*")) < 2_100_000


def test_its_recipe_is_the_one_that_its_command_would_train():
    recipe = Recipe.from_json((FOLDER / "recipe.json").read_text(encoding="utf-8"))
    assert recipe == get_recipe("lenet_tutorial", "thorough")


def test_the_network_gives_its_stored_predictions_and_its_card_their_error(predictions, examples):
    model, card = load_model(FOLDER)
    logits = np.asarray(model(examples["images"].astype(np.float32), training=False))
    stored = predictions["logits"][examples["indices"]].astype(np.float32)
    np.testing.assert_allclose(logits, stored, atol=0.05)  # half precision
    wrong = predictions["logits"].argmax(axis=1) != predictions["labels"]
    assert card.metrics["test_error"] == pytest.approx(wrong.mean(), abs=2e-4)
    assert getattr(model, "optimizer", None) is None


def test_the_examples_begin_with_the_mistakes_and_end_with_right_ones(predictions, examples):
    indices, labels = examples["indices"], predictions["labels"]
    wrong = predictions["logits"].argmax(axis=1)[indices] != labels[indices]
    assert wrong[:60].all()
    assert not wrong[60:].any()
    assert set(labels[indices[60:]]) == set(range(10))


def test_its_curves_have_a_row_for_every_epoch():
    rows = (FOLDER / "history.csv").read_text(encoding="utf-8").splitlines()
    epochs = json.loads((FOLDER / "recipe.json").read_text(encoding="utf-8"))["epochs"]
    assert len(rows) == epochs + 1
    assert rows[0].startswith("epoch,loss,accuracy,val_loss")


def test_its_visualizations_are_complete_and_small():
    from cnnkit.starter.visualizations import FILE, load_visualizations

    shipped = load_visualizations()
    assert len(shipped.ladder) == len(shipped.values) == 9
    assert all(image.std() > 0 for image in shipped.ladder.values())
    assert list(shipped.layers) and all(images.ndim == 4 for images in shipped.layers.values())
    assert shipped.before.shape == shipped.after.shape
    assert not np.array_equal(shipped.before, shipped.after)
    assert FILE.stat().st_size < 300_000
