"""The slider of Inside over the epochs whose weights a run has kept."""

from __future__ import annotations

from functools import partial

import pytest

from cnnkit.datasets import load_dataset
from cnnkit.models import ModelCard, save_model
from cnnkit.runs import Status
from cnnkit.training import Recipe, fit
from cnnkit.training.epoch_weights import EPOCHS_FILE, write_epochs
from tests.pages import opened, words_of

open_page = partial(opened, "pages/inside.py")
RECIPE = Recipe(
    model="toy_cnn", dataset="toy_patterns", epochs=3, learning_rate=0.1, keep_best=None
)


def add_run(store, folder, recipe):
    """A finished run as a job leaves it."""
    result = fit(recipe, epochs_folder=folder)
    card = ModelCard(
        model=recipe.model,
        title="Toy",
        class_names=load_dataset(recipe.dataset).class_names,
        input_shape=result.model.input_shape[1:],
        dataset=recipe.dataset,
        recipe=recipe.to_dict(),
    )
    save_model(result.model, card, folder)
    if result.kept_epochs:
        write_epochs(folder / EPOCHS_FILE, result.kept_epochs)
    run = store.create("train", recipe.to_dict(), "Toy by hand")
    for path in folder.iterdir():
        store.add_artifact(run.id, path)
    store.update(run.id, status=Status.FINISHED)
    return run


@pytest.fixture
def kept(store, tmp_path):
    return add_run(store, tmp_path, RECIPE.replace(keep_checkpoints=2))


def filters(at):
    """Address of the image of the first filters as they are now."""
    images = [image for element in at.image for image in element.proto.imgs]
    return next(i.url for i in images if " filters of " in i.alt and "before" not in i.alt)


def test_the_slider_goes_from_the_beginning_to_the_trained_network(kept):
    at = open_page(network=f"run.{kept.id}")
    slider = at.select_slider(key="epoch")
    assert slider.options == [
        "after epoch 0",
        "after epoch 1",
        "after epoch 3",
        "trained network",
    ]
    assert slider.value == "end" and "After training" in words_of(at)
    end = filters(at)
    slider.set_value("1").run()
    assert not at.exception and at.query_params["epoch"] == "1"
    assert "After epoch 1" in words_of(at) and filters(at) != end
    at.select_slider(key="epoch").set_value("3").run()
    assert filters(at) == end, "without the best weights restored, the last epoch is the end"
    at.select_slider(key="epoch").set_value("end").run()
    assert "epoch" not in at.query_params


def test_the_feature_maps_are_those_of_the_epoch_in_the_link(kept):
    def figure(**query):
        at = open_page(network=f"run.{kept.id}", **query)
        return "".join(element.proto.body for element in at.get("html"))

    assert figure(epoch="0") != figure() and figure(epoch="3") == figure()


def test_before_training_is_what_was_kept(kept):
    at = open_page(network=f"run.{kept.id}", epoch="0")
    images = [image for element in at.image for image in element.proto.imgs]
    before, after = [i.url for i in images if "filters of" in i.alt][:2]
    assert before == after


def test_an_epoch_that_was_not_kept_is_said(kept):
    at = open_page(network=f"run.{kept.id}", epoch="2")
    assert "“2”, whose weights were not kept" in at.warning[0].value
    assert at.select_slider(key="epoch").value == "end"


def test_a_run_that_kept_none_has_no_slider(store, tmp_path):
    run = add_run(store, tmp_path, RECIPE)
    at = open_page(network=f"run.{run.id}", epoch="1")
    assert not at.select_slider and "epoch" not in at.query_params


def test_a_kept_epoch_whose_file_is_gone_is_said_in_one_sentence(store, kept):
    store.artifact(kept.id, "weights-epoch-00001.npz").unlink()
    at = open_page(network=f"run.{kept.id}", epoch="1")
    assert len(at.error) == 1 and "weights-epoch-00001.npz" in at.error[0].value
