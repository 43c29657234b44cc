"""Fine-tuning as a job: killed among features and while it learns, it loses next to nothing."""

import json
import os
import signal
from collections import defaultdict

import numpy as np
import pytest

from cnnkit.models import load_model, missing_weights
from cnnkit.runs import Status
from cnnkit.training import Augmentation, FeatureCache, Head, Phase, Recipe, fit

pytestmark = pytest.mark.usefixtures("decoded")

RECIPE = Recipe(
    model="compact_cnn",
    weights="random",
    dataset="digits",
    head=Head(dropout=0.3),
    phases=(Phase(epochs=2), Phase(train_from="block3", epochs=2)),
    augmentation=Augmentation(shift=2),
    optimizer="adamw",
    schedule="cosine",
    batch_size=32,
    variants=4,
    feature_type="float32",
)


@pytest.mark.endurance
@pytest.mark.faults
def test_a_job_killed_twice_ends_with_the_network_of_an_undisturbed_one(
    pool, store, until, tmp_path
):
    run = pool.submit(kind="train", spec=RECIPE.to_dict(), name="killed")
    begun = until(run, lambda run: run.progress and 200 < run.progress.step)
    assert begun.progress.stage == "features" and begun.progress.step < begun.progress.steps
    _kill(store, until, run)
    pool.resume(run.id)
    going = until(run, lambda run: run.attempt == 2 and run.progress and run.progress.epoch)
    until(run, lambda run: store.history(run.id))
    _kill(store, until, run)
    done = len(store.history(run.id))
    pool.resume(run.id)
    finished = until(run, lambda run: run.status.over)
    assert (finished.status, finished.reason) == (Status.FINISHED, ""), going
    assert [row["epoch"] for row in store.history(run.id)] == [1, 2, 3, 4] and done >= 1

    # Undisturbed, and in this process.
    plain = fit(RECIPE, cache=FeatureCache(tmp_path, 2**30)).model
    one = load_model(store.model_folder(finished.id))
    for a, b in zip(one[0].get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    card = one[1]
    assert card.class_names == tuple("0123456789") and card.input_shape == (28, 28, 1)
    figures = finished.metrics
    assert figures["test_accuracy_low"] < figures["test_accuracy"] < figures["test_accuracy_high"]
    assert figures["trainable"] < figures["parameters"]


VGG16 = Recipe(
    model="vgg16",
    dataset="flowers17",
    size=48,
    per_class=4,
    head=Head(),
    phases=(Phase(epochs=1), Phase(train_from="block5", epochs=1, learning_rate=1e-4)),
    augmentation=Augmentation(flip=True),
    optimizer="adamw",
    variants=4,
    feature_type="float32",
)


@pytest.mark.endurance
@pytest.mark.faults
@pytest.mark.flowers
def test_features_of_vgg16_that_were_computed_before_a_kill_are_not_computed_again(
    pool, store, settings, until, tmp_path
):
    if missing_weights("vgg16"):
        pytest.skip("VGG16's weights without top are not on this machine (see CNNKIT_DATA_DIR)")
    run = pool.submit(kind="train", spec=VGG16.to_dict(), name="killed")
    begun = until(run, lambda run: run.progress and 32 < run.progress.step)
    assert begun.progress.stage == "features" and begun.progress.step < begun.progress.steps
    _kill(store, until, run)
    there = _cached_images(settings.features)
    assert 32 < there < begun.progress.steps

    pool.resume(run.id)
    finished = until(run, lambda run: run.status.over)
    assert (finished.status, finished.reason) == (Status.FINISHED, "")
    assert finished.metrics["features_computed"] == begun.progress.steps - there

    plain = fit(VGG16, cache=FeatureCache(tmp_path, 2**30)).model
    resumed, _ = load_model(store.model_folder(finished.id))
    for a, b in zip(resumed.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def _cached_images(folder):
    """Images, each variant counted, whose features are there for every layer."""
    masks = defaultdict(list)
    for card in folder.glob("*/card.json"):
        variant = json.loads(card.read_text())["variant"]
        masks[variant].append(np.load(card.with_name("done.npy")))
    return sum(int(np.min(layers, axis=0).sum()) for layers in masks.values())


def _kill(store, until, run):
    os.kill(store.get(run.id).pid, signal.SIGKILL)
    assert until(run, lambda run: run.status.over).status == "interrupted"
