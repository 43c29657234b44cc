"""The run that ships with the package."""

import json
import shutil

import numpy as np
import pytest

from cnnkit.errors import CorruptRunError, RunNotFoundError, StorageError
from cnnkit.runs import STARTER_ID, _starter


@pytest.fixture
def starter(tmp_path, monkeypatch):
    """A package with a starter of its own."""
    folder = tmp_path / "starter"
    folder.mkdir()
    card = {
        "title": "LeNet",
        "recipe": {"model": "lenet_tutorial", "dataset": "mnist"},
        "metrics": {"test_error": 0.009},
    }
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "recipe.json").write_text("{}")
    (folder / "model.keras").write_bytes(b"weights")
    (folder / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    np.savez(folder / "predictions.npz", logits=np.eye(3, dtype=np.float32), labels=np.arange(3))
    # The functions' default argument is the package's own folder.
    for function in (_starter.starter_run, _starter.starter_artifact, _starter.starter_history):
        monkeypatch.setattr(function, "__defaults__", (folder,))
    return folder


def test_the_starter_is_an_ordinary_finished_run(store, starter):
    run = store.get(STARTER_ID)
    assert run.starter and run.status == "finished" and run.kind == "train"
    assert run.spec["model"] == "lenet_tutorial"
    assert run.metrics["test_error"] == 0.009
    assert store.history(STARTER_ID) == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    assert store.live(STARTER_ID) == []


def test_the_starter_is_listed_last_among_what_is_asked_for(store, starter):
    mine = store.create("train", {}, "mine")
    assert [run.id for run in store.list()] == [mine.id, STARTER_ID]
    assert [run.id for run in store.list(text="lenet")] == [STARTER_ID]
    assert [run.id for run in store.list(statuses=["queued"])] == [mine.id]
    assert [run.id for run in store.list(kind="rehearsal")] == []


def test_the_starter_cannot_be_changed(store, starter, tmp_path):
    (tmp_path / "x").write_text("")
    for change in (
        lambda: store.delete(STARTER_ID),
        lambda: store.rename(STARTER_ID, "mine"),
        lambda: store.add_artifact(STARTER_ID, tmp_path / "x"),
    ):
        with pytest.raises(StorageError, match="cannot be changed"):
            change()


def test_a_damaged_starter_is_named(store, starter):
    (starter / "model.keras").unlink()
    with pytest.raises(CorruptRunError, match="model.keras"):
        store.artifact(STARTER_ID, "model.keras")
    (starter / "card.json").write_text("{")
    with pytest.raises(CorruptRunError, match="card.json"):
        store.get(STARTER_ID)


def test_without_a_starter_there_is_no_such_run(store, starter):
    shutil.rmtree(starter)
    with pytest.raises(RunNotFoundError):
        store.get(STARTER_ID)
    assert store.list() == []
