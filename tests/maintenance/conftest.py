import json

import pytest

from cnnkit.runs import Point, Run, RunStore, Status
from cnnkit.runs._starter import FOLDER
from cnnkit.settings import get_settings
from tests.records import new_store


@pytest.fixture
def store(own_home, tmp_path, monkeypatch) -> RunStore:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # what others left is theirs
    return new_store(get_settings())


@pytest.fixture
def run(store) -> Run:
    """A finished run with the files of the starter."""
    recipe = json.loads((FOLDER / "card.json").read_text())["recipe"]
    run = store.create("train", recipe, "one", status=Status.FINISHED)
    store.log(run.id, [Point(metric="loss", value=0.5, step=1, when=1.0)])
    for name in ("card.json", "model.keras"):
        store.add_artifact(run.id, FOLDER / name)
    return store.get(run.id)
