"""Uploaded networks that are kept: runs like any other, from which training goes on."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.imported_runs import KIND, keep_upload, keras_file
from cnnkit.models import load_model
from cnnkit.networks import RUN, NetworkRef, add_upload
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.training import Head, Phase, Recipe, fit
from tests.old_files import hdf5_file, teachable_machine
from tests.records import new_store

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)


@pytest.fixture
def store():
    return new_store(get_settings())


@pytest.fixture
def ref() -> NetworkRef:
    data = hdf5_file(*teachable_machine(size=32))
    return add_upload(data, title="keras_model.h5", class_names=["cat", "dog", "none"])


def test_a_kept_network_is_a_finished_run_that_answers_alike(store, ref):
    run = keep_upload(ref, store)
    assert (run.kind, run.status, run.name) == (KIND, Status.FINISHED, "keras_model.h5")
    assert run.metrics["parameters"] == ref.open().model.count_params()
    network = NetworkRef(RUN, run.id).open()
    assert network.card.class_names == ("cat", "dog", "none")
    np.testing.assert_allclose(network.logits(IMAGES), ref.open().logits(IMAGES), atol=1e-5)
    assert [one.id for one in store.list(kind=KIND)] == [run.id]
    store.delete(run.id)
    assert store.list(kind=KIND) == []


def test_it_can_be_fine_tuned_further(store, ref, monkeypatch):
    monkeypatch.setattr("cnnkit.datasets.drawn.PER_CLASS", 5)
    monkeypatch.setattr("cnnkit.datasets._images.SIDE", 32)
    run = keep_upload(ref, store)
    recipe = Recipe(
        model="uploaded",
        run=run.id,
        head=Head(),
        phases=(Phase(train_from="head", epochs=1),),
        dataset="drawn_flowers",
        per_class=2,
    )
    base = load_model(store.model_folder(run.id))[0]
    result = fit(recipe, base=lambda: base)
    kept = result.model.get_layer("Conv1").get_weights()[0]
    np.testing.assert_array_equal(kept, ref.open().model.get_layer("Conv1").get_weights()[0])
    assert result.model.output_shape == (None, 17)


def test_the_file_to_download_opens_with_keras(ref, tmp_path):
    (tmp_path / "model.keras").write_bytes(keras_file(ref.open()))
    model = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model(IMAGES), ref.open().logits(IMAGES), atol=1e-5)


def test_what_can_only_be_shown_is_not_kept(store, tmp_path):
    row = keras.Input((4,))
    keras.Model(row, keras.layers.Dense(2)(row)).save(tmp_path / "row.keras")
    ref = add_upload((tmp_path / "row.keras").read_bytes(), title="row.keras")
    with pytest.raises(IncompatibleError):
        keep_upload(ref, store)
    assert store.list(kind=KIND) == []
