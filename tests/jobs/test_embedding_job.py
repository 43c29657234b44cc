"""A real job of an embedding: what it keeps, what it need not compute again, and how it stops."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.embedding import Embedding, EmbeddingSettings
from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.training.feature_cache import DONE
from cnnkit.visualize.results import ResultCache

STARTER = NetworkRef("run", "starter")
SETTINGS = EmbeddingSettings(layer="dense", dataset="digits", count=80, method="pca")


@pytest.fixture
def results(settings) -> ResultCache:
    return ResultCache(settings.results, settings.results_memory)


@pytest.fixture
def layer() -> str:
    from cnnkit.visualize.network import target_layers

    return target_layers(STARTER.open().model)[-2].name


def spec(settings: EmbeddingSettings) -> dict:
    return {"network": str(STARTER), **settings.to_dict()}


def finished(pool, until, settings):
    run = pool.submit(kind="embedding", spec=spec(settings))
    run = until(run, lambda run: run.status.over)
    assert (run.status, run.reason) == (Status.FINISHED, "")
    return run


def test_a_finished_embedding_is_reused_and_a_damaged_one_is_made_again(
    pool, until, store, settings, results, layer
):
    wanted = EmbeddingSettings.from_dict(SETTINGS.to_dict() | {"layer": layer})
    run = finished(pool, until, wanted)
    key = wanted.key(STARTER.digest())
    first = Embedding.read(results, key)
    assert first and len(first) == 80 and run.metrics["images"] == 80
    assert first.correct is not None and first.correct.mean() > 0.8
    coordinates = results.path(key) / "coordinates.npy"
    made = coordinates.stat().st_ino

    again = finished(pool, until, wanted)
    assert coordinates.stat().st_ino == made and "seconds" not in store.get(again.id).metrics

    coordinates.write_bytes(coordinates.read_bytes()[:90])
    finished(pool, until, wanted)
    second = Embedding.read(results, key)
    assert second and np.array_equal(second.coordinates, first.coordinates)


@pytest.mark.endurance
@pytest.mark.faults
def test_an_embedding_that_was_stopped_keeps_its_features_and_can_be_resumed(
    pool, until, settings, results, layer
):
    wanted = EmbeddingSettings(layer=layer, dataset="digits", split="all", count=1500)
    run = pool.submit(kind="embedding", spec=spec(wanted))
    until(run, lambda r: r.progress and r.progress.stage == "projection" and r.progress.step >= 50)
    pool.cancel(run.id)
    assert until(run, lambda run: run.status.over).status is Status.CANCELLED
    assert Embedding.read(results, wanted.key(STARTER.digest())) is None
    marks = {path: np.load(path) for path in settings.features.glob(f"*/{DONE}")}
    assert len(marks) == 2 and all(one.sum() == 1500 for one in marks.values())
    changed = {path: path.stat().st_mtime_ns for path in marks}

    pool.resume(run.id)
    run = until(run, lambda run: run.status.over)
    assert (run.status, run.reason, run.attempt) == (Status.FINISHED, "", 2)
    found = Embedding.read(results, wanted.key(STARTER.digest()))
    assert found and len(found) == 1500 and found.facts["divergence"] > 0
    assert {path: path.stat().st_mtime_ns for path in marks} == changed
