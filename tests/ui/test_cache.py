"""What pages share and keep: never older than what it was made of."""

import shutil

import pytest

from cnnkit.models import CARD_FILE, MODEL_FILE
from cnnkit.runs import Status
from cnnkit.ui.common import cache, shared_reads


@pytest.fixture
def trained(store, root, tmp_path):
    """A finished run with the network that ships."""
    run = store.create("train", {"model": "lenet_tutorial", "dataset": "mnist"}, "mine")
    for name in (MODEL_FILE, CARD_FILE):
        shutil.copy(root / "cnnkit" / "starter" / name, tmp_path / name)
        store.add_artifact(run.id, tmp_path / name)
    store.update(run.id, status=Status.FINISHED)
    return run


def test_a_network_in_memory_answers_with_renamed_classes(trained):
    assert cache.model(trained.id).card.class_names[:2] == ("0", "1")
    names = [f"digit {number}" for number in range(10)]
    cache.rename_classes(trained.id, names)
    assert cache.card(trained.id).class_names == tuple(names)
    assert cache.model(trained.id).card.class_names == tuple(names)
    assert cache.run_classes(trained) == tuple(names)


def test_a_network_is_opened_once_for_all(trained):
    assert cache.model(trained.id) is cache.model(trained.id)


def test_the_list_of_runs_is_read_once_a_second_and_at_once_after_a_change_here(monkeypatch):
    monkeypatch.setattr(shared_reads, "LEAST", 1000.0)
    record, read = cache.shared_store(), []
    search = record._search

    def counted(*args):
        read.append(1)
        return search(*args)

    monkeypatch.setattr(record, "_search", counted)
    assert [run.id for run in cache.list_runs(kind="train")] == ["starter"]
    assert cache.list_runs(kind="train") and len(read) == 1
    assert cache.list_runs(statuses=[Status.QUEUED], limit=5) == []
    assert len(read) == 1, "all runs are at hand"
    monkeypatch.setattr(cache, "FEW", 1)
    assert cache.list_runs(statuses=[Status.QUEUED], limit=5) == []
    assert len(read) == 3, "there are more than are read at once, so that the record is asked"
    new = cache.store().create("train", {"model": "toy_cnn"}, "mine")
    assert [run.id for run in cache.list_runs(kind="train")] == [new.id, "starter"]
