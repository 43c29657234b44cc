"""Own images, uploaded networks and results, handed from machine to machine by the record alone.

A machine is a home of its own; the record is the one thing that two of them have in common.
"""

from __future__ import annotations

import io
import json
import pickle
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets import dataset_info, folders, load_dataset
from cnnkit.datasets._store import LISTING, ImageStore
from cnnkit.embedding import Embedding, EmbeddingSettings
from cnnkit.embedding.placement import place
from cnnkit.errors import LimitError, StorageError
from cnnkit.jobs import _sharing
from cnnkit.models import CHECKED_FILES
from cnnkit.networks import UPLOADED, NetworkRef
from cnnkit.runs import RunStore, SharedFolders
from cnnkit.settings import Settings, get_settings
from cnnkit.visualize.results import ResultCache
from tests.records import new_store


@pytest.fixture
def record(tmp_path, monkeypatch) -> str:
    """Address of a record that no machine has for itself."""
    monkeypatch.chdir(tmp_path)  # beside which MLflow puts the files of a record without a server
    new_store(Settings.from_environment({"CNNKIT_HOME": str(tmp_path / "server")}))
    return f"sqlite:///{tmp_path / 'server' / 'runs.db'}"


@pytest.fixture
def machine(record, tmp_path, monkeypatch):
    """Be another machine from now on."""

    def be(name: str) -> RunStore:
        monkeypatch.setenv("CNNKIT_HOME", str(tmp_path / name))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", record)
        monkeypatch.setenv("CNNKIT_SCHEDULER", "tcp://127.0.0.1:8786")
        get_settings.cache_clear()
        return RunStore(get_settings())

    return be


def imported() -> str:
    """The name of a small set that was imported on this machine."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        noise = np.random.default_rng(0).integers(0, 256, (2, 4, 8, 8, 3), np.uint8)
        for label, images in zip(("cat", "dog"), noise, strict=True):
            for number, image in enumerate(images):
                file = io.BytesIO()
                Image.fromarray(image).save(file, "PNG")
                archive.writestr(f"{label}/{number}.png", file.getvalue())
    packed.seek(0)
    return folders.image_folder(packed, name="pets.zip").name


def test_own_images_are_fetched_once_and_are_the_same(machine):
    web = machine("web")
    name = imported()
    whole = load_dataset(name)
    assert folders.stored_folder(name) and _sharing.is_shared(get_settings())
    _sharing.share_inputs(web, {"dataset": name})
    worker = machine("worker")
    assert folders.stored_folder(name) is None
    _sharing.fetch_inputs(worker, {"dataset": name})
    fetched = load_dataset(name)
    np.testing.assert_array_equal(fetched.images, whole.images)
    assert (fetched.fingerprint, fetched.names) == (whole.fingerprint, whole.names)
    folder = folders.stored_folder(name)
    written = (folder / "images.npy").stat().st_mtime_ns
    _sharing.fetch_inputs(worker, {"dataset": name})
    assert (folder / "images.npy").stat().st_mtime_ns == written


def test_a_copy_goes_when_room_is_needed_and_an_import_does_not(machine):
    web = machine("web")
    name = imported()
    _sharing.share_inputs(web, {"dataset": name})
    with pytest.raises(LimitError, match="Delete a set"):
        ImageStore(get_settings().images, max_bytes=1).make_room(1)
    worker = machine("worker")
    _sharing.fetch_inputs(worker, {"dataset": name})
    ImageStore(get_settings().images, max_bytes=1).make_room(1)
    assert ImageStore.of().keys() == []
    assert imported() == name
    assert not ImageStore.of().card(name).derived


def test_renamed_classes_reach_a_machine_that_has_the_images(machine):
    web = machine("web")
    name = imported()
    _sharing.share_inputs(web, {"dataset": name})
    _sharing.fetch_inputs(machine("worker"), {"dataset": name})
    web = machine("web")
    folders.rename(name, classes=["Katze", "Hund"])
    _sharing.share_inputs(web, {"dataset": name})
    _sharing.fetch_inputs(machine("worker"), {"dataset": name})
    assert dataset_info(name).class_names == ("Katze", "Hund")


def test_deleted_images_leave_the_artifact_store(machine):
    web = machine("web")
    name = imported()
    _sharing.share_inputs(web, {"dataset": name})
    _sharing.forget_images(get_settings(), name)
    assert SharedFolders(web).size(f"images/{name}") is None
    worker = machine("worker")
    _sharing.fetch_inputs(worker, {"dataset": name})
    assert folders.stored_folder(name) is None


def test_files_that_were_damaged_on_the_way_are_refused(machine, tmp_path):
    web = machine("web")
    name = imported()
    _sharing.share_inputs(web, {"dataset": name})
    for stored in tmp_path.rglob(LISTING):
        if not stored.is_relative_to(get_settings().home):
            stored.write_text("{}")
    with pytest.raises(StorageError, match="other contents"):
        _sharing.fetch_inputs(machine("worker"), {"dataset": name})
    assert folders.stored_folder(name) is None


def test_an_uploaded_network_travels_as_it_came_and_is_checked_again(machine):
    web = machine("web")
    ref = NetworkRef(UPLOADED, "0" * 32)
    folder = get_settings().home / "uploads" / ref.name
    folder.mkdir(parents=True)
    (folder / "network").write_bytes(b"weights")
    (folder / "upload.json").write_text(json.dumps({"title": "mine.keras"}))
    for name in CHECKED_FILES:
        (folder / name).write_bytes(b"what the check left")
    spec = {"network": str(ref)}
    _sharing.share_inputs(web, spec)
    worker = machine("worker")
    _sharing.fetch_inputs(worker, spec)
    shutil.rmtree(folder)
    copy = get_settings().home / "uploads" / ref.name
    assert (copy / "network").read_bytes() == b"weights"
    assert {path.name for path in copy.iterdir()} == {"network", "upload.json"}
    assert ref.title() == "mine.keras"


def test_a_result_is_found_on_every_machine(machine):
    worker = machine("worker")
    results = _sharing.result_cache(get_settings(), shared=True)
    results.write("abc", {"seconds": 1.5}, {"maps": np.eye(3)})
    _sharing.share_result(worker, results, "abc")
    machine("web")
    assert not ResultCache(get_settings().results, 2**20).has("abc")
    here = _sharing.result_cache(get_settings(), shared=True)
    assert here.has("abc") and not here.has("abd")
    card, arrays = here.read("abc", ("maps",))
    assert card == {"seconds": 1.5, "elsewhere": True}
    np.testing.assert_array_equal(arrays["maps"], np.eye(3))


def test_code_that_another_machine_shared_is_never_read(machine):
    worker = machine("worker")
    plain = {name: np.zeros((1, 2), np.float32) for name in ("coordinates", "confidence")}
    plain |= {name: np.zeros(1, np.int64) for name in ("rows", "labels", "predicted")}
    embedding = Embedding(
        settings=EmbeddingSettings(layer="dense", dataset="digits", method="umap"),
        class_names=("0",),
        network_classes=("0",),
        thumbnails=np.zeros(1, np.uint8),
        arrays={"reducer": np.frombuffer(pickle.dumps("code"), np.uint8)},
        **plain,
    )
    results = _sharing.result_cache(get_settings(), shared=True)
    embedding.keep(results, "abc")
    assert "reducer" in Embedding.read(results, "abc").arrays
    _sharing.share_result(worker, results, "abc")
    machine("web")
    here = _sharing.result_cache(get_settings(), shared=True)
    fetched = Embedding.read(here, "abc")
    assert fetched.arrays == {} and Embedding.read(here, "abc").arrays == {}
    placed = place(fetched, np.zeros((1, 3), np.float32), np.zeros(3, np.float32), 1)
    np.testing.assert_array_equal(placed.coordinates, [0, 0])


def test_a_run_that_names_nothing_of_ones_own_needs_nothing():
    assert _sharing.inputs({"dataset": "digits", "network": "run.starter"}) == []
    assert _sharing.inputs({"epochs": 1}) == []
