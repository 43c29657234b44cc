"""The epochs whose weights a run has kept: on Inside, as networks, and on Embedding."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from cnnkit.embedding import EmbeddingSettings, embed
from cnnkit.networks import NetworkRef
from cnnkit.settings import get_settings
from cnnkit.training import Recipe
from tests.finished import finished_run
from tests.pages import opened, words_of
from tests.workers import StillWorker

open_page = partial(opened, "pages/inside.py")
RECIPE = Recipe(
    model="toy_cnn", dataset="toy_patterns", epochs=3, learning_rate=0.1, keep_best=None
)


@pytest.fixture
def kept(store, tmp_path):
    return finished_run(store, RECIPE.replace(keep_checkpoints=2), tmp_path)


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
    run = finished_run(store, RECIPE, tmp_path)
    at = open_page(network=f"run.{run.id}", epoch="1")
    assert not at.select_slider and "epoch" not in at.query_params


def test_a_kept_epoch_whose_file_is_gone_is_said_in_one_sentence(store, kept):
    store.artifact(kept.id, "weights-epoch-00001.npz").unlink()
    at = open_page(network=f"run.{kept.id}", epoch="1")
    assert len(at.error) == 1 and "weights-epoch-00001.npz" in at.error[0].value


def test_an_epoch_is_a_network_of_its_own(kept):
    trained = NetworkRef("run", kept.id)
    assert trained.kept_epochs() == [0, 1, 3]
    first, last = (NetworkRef.parse(f"run.{kept.id}@{epoch}") for epoch in (0, 3))
    assert str(first) == f"run.{kept.id}@0" and first.title() == "trained, after epoch 0"
    assert len({one.digest() for one in (trained, first, last)}) == 3
    image = np.full((1, *trained.card().input_shape), 200, np.float32)
    before, after, end = (one.open().logits(image) for one in (first, last, trained))
    np.testing.assert_array_equal(after, end)
    assert not np.allclose(before, end)


def test_two_epochs_are_compared_on_embedding(kept, monkeypatch):
    worker = StillWorker(get_settings())
    worker.layers = (("block1_conv1", "Conv2D", (12, 12, 6)),)
    monkeypatch.setattr("cnnkit.ui.common.cache.VisualizationWorker", lambda settings: worker)
    settings = EmbeddingSettings(
        layer="block1_conv1",
        dataset="toy_patterns",
        count=100,
        method="pca",
        split_seed=RECIPE.split_seed,
    )
    for ref in (NetworkRef("run", kept.id), NetworkRef("run", kept.id, 1)):
        made = embed(ref.open(), settings)
        made.keep(worker.results, settings.key(ref.digest()))
    query = {"network": f"run.{kept.id}", "layer": "block1_conv1", "dataset": "toy_patterns"}
    query |= {"method": "pca", "compare": "epoch", "other_epoch": "1", "count": "100"}
    at = opened("pages/embedding.py", **query)
    assert at.select_slider(key="epoch").value == "end"
    assert at.select_slider(key="other_epoch").value == "1"
    motion = json.loads(at.get("plotly_chart")[-1].proto.spec)
    assert "after epoch 1" in json.dumps(motion["layout"])
