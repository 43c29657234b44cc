"""A real training as a job: what it leaves, and that a stop in its middle changes nothing."""

import csv
import os
import signal

import numpy as np
import pytest

from cnnkit.models import load_model
from cnnkit.training import Augmentation, Recipe, evaluate, fit, recipe_dataset
from cnnkit.training.epoch_weights import EPOCHS_FILE, epoch_file, read_epochs

# Dropout, shuffling and augmentation on; half a second an epoch.
RECIPE = Recipe(
    model="keras_mnist_cnn",
    dataset="digits",
    train_size=512,
    validation_size=128,
    epochs=5,
    batch_size=32,
    augmentation=Augmentation(shift=1, rotation=5),
    seed=3,
    keep_checkpoints=2,
)
MEASURED = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
EPOCHS = {EPOCHS_FILE, *map(epoch_file, (0, 1, 5))}
FILES = {"model.keras", "card.json", "recipe.json", "history.csv", "predictions.npz", *EPOCHS}


@pytest.mark.endurance
@pytest.mark.faults
def test_a_killed_training_resumes_to_the_very_weights_of_an_uninterrupted_one(pool, store, until):
    run = pool.submit(spec=RECIPE.to_dict(), name="killed")
    until(run, lambda run: store.history(run.id))
    os.kill(store.get(run.id).pid, signal.SIGKILL)
    killed = until(run, lambda run: run.status.over)
    assert killed.status == "interrupted"
    done = len(store.history(run.id))
    assert 1 <= done < RECIPE.epochs
    pool.resume(run.id)
    resumed = until(run, lambda run: run.status.over)
    assert (resumed.status, resumed.reason, resumed.attempt) == ("finished", "", 2)
    check_what_a_finished_run_leaves(store, resumed)

    # Uninterrupted, and in this process.
    plain = fit(RECIPE)
    mine = load_model(store.model_folder(run.id))[0]
    for ours, theirs in zip(mine.get_weights(), plain.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for row, again in zip(store.history(run.id), plain.history, strict=True):
        assert {k: row[k] for k in MEASURED} == {k: again[k] for k in MEASURED}


def check_what_a_finished_run_leaves(store, run):
    assert {path.name for path in store.artifact(run.id, "card.json").parent.iterdir()} == FILES
    model, card = load_model(store.artifact(run.id, "model.keras").parent)
    assert Recipe.from_dict(card.recipe) == RECIPE
    assert Recipe.from_json(store.artifact(run.id, "recipe.json").read_text()) == RECIPE
    images, labels = recipe_dataset(RECIPE).part("test")
    again = evaluate(model, images, labels)
    np.testing.assert_allclose(predictions(store, run), again.logits, atol=1e-4)
    assert run.metrics["test_error"] == pytest.approx(again.error, abs=2 / len(labels))
    assert run.metrics["parameters"] == model.count_params()
    assert run.metrics["seconds"] > 0 and 1 <= run.metrics["best_epoch"] <= RECIPE.epochs
    with store.artifact(run.id, "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    history = store.history(run.id)
    assert [int(row["epoch"]) for row in rows] == [row["epoch"] for row in history]
    assert [float(row["val_loss"]) for row in rows] == [row["val_loss"] for row in history]
    assert run.progress.epoch == RECIPE.epochs
    record = store.client.get_run(run.id)
    assert record.data.params["batch_size"] == "32"
    assert record.data.params["augmentation.shift"] in ("1", "1.0")
    assert not (store.settings.jobs / run.id / "checkpoint.npz").exists()
    assert read_epochs(store.artifact(run.id, EPOCHS_FILE)) == [0, 1, 5]


def predictions(store, run):
    with np.load(store.artifact(run.id, "predictions.npz")) as file:
        assert file["logits"].dtype == np.float32
        return file["logits"]
