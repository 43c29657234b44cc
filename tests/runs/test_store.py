"""Runs in a real MLflow record."""

import sqlite3
import subprocess
import sys
import time

import pytest

from cnnkit.errors import CorruptRunError, RunNotFoundError, StorageError
from cnnkit.people import Person
from cnnkit.runs import Progress, RunStore, Status, select_runs
from cnnkit.runs._store import POINTS, Point
from cnnkit.settings import Settings

SPEC = {"model": "lenet_tutorial", "dataset": "digits", "epochs": 3, "augmentation": {"shift": 1.5}}


def points(name, values, *, first=1, when=None):
    when = time.time() if when is None else when
    return [
        Point(metric=name, value=value, step=first + i, when=when + i)
        for i, value in enumerate(values)
    ]


def test_a_new_run_waits_and_keeps_its_spec(store):
    run = store.create("train", SPEC, "my first")
    assert run == store.get(run.id)
    assert (run.name, run.kind, run.status, run.attempt) == ("my first", "train", "queued", 0)
    assert run.spec == SPEC
    assert run.progress is None and run.started is None and run.ended is None
    assert run.created.tzinfo is not None


def test_fields_come_back_as_they_were_written(store):
    run = store.create("train", SPEC)
    progress = Progress(epoch=2, epochs=3, step=40, steps=60, seconds_left=1.5, loss=0.25)
    store.update(run.id, status=Status.RUNNING, progress=progress, wish="pause")
    running = store.get(run.id)
    assert (running.status, running.progress, running.wish) == ("running", progress, "pause")
    assert running.progress.fraction == pytest.approx(2 / 3)
    store.update(run.id, status=Status.FAILED, reason="No.\nBecause of that.", wish=None)
    failed = store.get(run.id)
    assert (failed.status, failed.reason, failed.wish) == ("failed", "No.\nBecause of that.", None)


def test_of_a_reason_too_long_for_the_record_the_end_is_kept(store):
    run = store.create("train", SPEC)
    store.update(run.id, status=Status.FAILED, reason="a line\n" * 2000 + "ValueError: the cause")
    assert store.get(run.id).reason.endswith("ValueError: the cause")


def test_mlflow_itself_shows_the_same_state(store):
    from mlflow.tracking import MlflowClient

    run = store.create("train", SPEC, "seen by mlflow")
    store.update(run.id, status=Status.RUNNING)
    store.log(run.id, points("loss", [0.5]), params={"epochs": 3})
    store.update(run.id, status=Status.FINISHED)
    seen = MlflowClient(store.settings.tracking_uri).get_run(run.id)
    assert seen.info.status == "FINISHED"
    assert seen.info.run_name == "seen by mlflow"
    assert seen.data.params["epochs"] == "3"
    assert seen.data.metrics["loss"] == 0.5


def test_history_has_one_row_an_epoch(store):
    run = store.create("train", SPEC)
    store.log(run.id, points("loss", [3.0, 2.0]) + points("epoch_seconds", [9.0, 8.0]))
    assert store.history(run.id) == [
        {"epoch": 1, "loss": 3.0, "seconds": 9.0},
        {"epoch": 2, "loss": 2.0, "seconds": 8.0},
    ]
    assert store.get(run.id).metrics["loss"] == 2.0


def test_epochs_that_were_repeated_replace_those_that_were_lost(store):
    run = store.create("train", SPEC)
    store.log(run.id, points("live/loss", [5, 4, 3, 2], when=1000))
    store.log(run.id, points("live/loss", [4.5, 3.5], first=2, when=2000))
    assert store.live(run.id) == [
        {"step": 1, "loss": 5},
        {"step": 2, "loss": 4.5},
        {"step": 3, "loss": 3.5},
    ]
    assert "live/loss" not in store.get(run.id).metrics


def test_live_points_are_thinned_and_the_last_one_stays(store):
    run = store.create("train", SPEC)
    store.log(run.id, points("live/loss", [float(i) for i in range(2500)]))
    rows = store.live(run.id)
    assert POINTS / 2 < len(rows) <= POINTS
    assert rows[-1] == {"step": 2500, "loss": 2499.0}


def test_runs_are_listed_newest_first_and_filtered(store):
    first = store.create("train", SPEC, "Alpha")
    second = store.create("rehearsal", {}, "beta")
    store.update(second.id, status=Status.FINISHED)
    own = [run for run in store.list() if not run.starter]
    assert [run.id for run in own] == [second.id, first.id]
    assert [run.id for run in store.list(kind="rehearsal")] == [second.id]
    assert [run.id for run in store.list(statuses=[Status.QUEUED])] == [first.id]
    both = store.list(statuses=[Status.QUEUED, Status.FINISHED], text="ta", limit=1)
    assert [run.id for run in both] == [second.id]
    assert [run.id for run in store.list(text="ALPHA")] == [first.id]
    assert store.list(text="lenet", statuses=[Status.QUEUED])[0].id == first.id
    assert store.list(text="no such thing") == []


def test_runs_that_others_logged_to_mlflow_are_left_out(store):
    client, experiment = store._opened
    stranger = client.create_run(experiment).info.run_id
    run = store.create("train", SPEC)
    assert [found.id for found in store.list() if not found.starter] == [run.id]
    with pytest.raises(RunNotFoundError):
        store.get(stranger)


def test_artifacts_come_back_and_missing_ones_are_named(store, tmp_path):
    run = store.create("train", SPEC)
    (tmp_path / "recipe.json").write_text("{}")
    store.add_artifact(run.id, tmp_path / "recipe.json")
    assert store.artifact(run.id, "recipe.json").read_text() == "{}"
    with pytest.raises(CorruptRunError, match="model.keras"):
        store.artifact(run.id, "model.keras")
    with pytest.raises(ValueError, match="inside the run"):
        store.artifact(run.id, "../../runs.db")


@pytest.fixture
def elsewhere(store, tmp_path, monkeypatch) -> RunStore:
    """A record whose files are no files of this machine: MLflow hands out copies."""
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    def repository(address, *args, **options):
        return LocalArtifactRepository(str(tmp_path / "far" / address.partition("://")[2]))

    monkeypatch.setitem(_artifact_repository_registry._registry, "far", repository)
    with sqlite3.connect(store.settings.home / "runs.db") as connection:
        connection.execute("update experiments set artifact_location = 'far://runs'")
    connection.close()
    return store


def test_a_file_from_elsewhere_is_fetched_once_and_anew_when_it_was_replaced(elsewhere, tmp_path):
    run = elsewhere.create("train", SPEC)
    (tmp_path / "card.json").write_text("old")
    elsewhere.add_artifact(run.id, tmp_path / "card.json")
    copy = elsewhere.artifact(run.id, "card.json")
    assert copy.read_text() == "old" and copy.is_relative_to(elsewhere.settings.home / "cache")
    (tmp_path / "card.json").write_text("new")
    elsewhere.replace_artifact(run.id, tmp_path / "card.json")
    assert elsewhere.artifact(run.id, "card.json").read_text() == "new"
    with pytest.raises(CorruptRunError, match="model.keras"):
        elsewhere.artifact(run.id, "model.keras")


def test_copies_of_a_deleted_runs_files_go_with_it(elsewhere, tmp_path):
    run = elsewhere.create("train", SPEC)
    (tmp_path / "log.txt").write_text("words")
    elsewhere.add_artifact(run.id, tmp_path / "log.txt")
    copy = elsewhere.artifact(run.id, "log.txt")
    assert copy.exists()
    elsewhere.update(run.id, status=Status.FINISHED)
    elsewhere.delete(run.id)
    assert not copy.parent.exists() and not list((tmp_path / "far").rglob("log.txt"))


def test_a_deleted_run_is_gone_with_its_files(store, tmp_path):
    run = store.create("train", SPEC)
    (tmp_path / "log.txt").write_text("words")
    store.add_artifact(run.id, tmp_path / "log.txt")
    kept = store.artifact(run.id, "log.txt")
    with pytest.raises(StorageError, match="Cancel it"):
        store.delete(run.id)
    store.update(run.id, status=Status.CANCELLED)
    store.delete(run.id)
    assert not kept.exists()
    assert run.id not in [found.id for found in store.list()]
    with pytest.raises(RunNotFoundError):
        store.get(run.id)


def test_a_run_is_renamed_but_not_to_nothing(store):
    run = store.create("train", SPEC, "old")
    store.rename(run.id, " new ")
    assert store.get(run.id).name == "new"
    with pytest.raises(StorageError, match="name"):
        store.rename(run.id, "  ")


@pytest.mark.parametrize("run_id", ["nothing", "0" * 32, "'; drop table runs; --", "../x"])
def test_an_unknown_id_is_a_run_not_found(store, run_id):
    with pytest.raises(RunNotFoundError):
        store.get(run_id)


def test_two_processes_may_open_a_new_record_at_once(own_home):
    program = (
        "from cnnkit.runs import RunStore; from cnnkit.settings import get_settings\n"
        "print(RunStore(get_settings()).create('rehearsal', {}).id)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outcomes = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outcomes
    ids = {out.strip() for out, _ in outcomes}
    from cnnkit.settings import get_settings

    assert ids == {run.id for run in RunStore(get_settings()).list() if not run.starter}


def test_a_record_that_cannot_be_opened_says_where_it_should_be(own_home):
    (own_home / "file").write_text("not a folder")
    place = {"MLFLOW_TRACKING_URI": f"sqlite:///{own_home}/file/runs.db"}
    with pytest.raises(StorageError, match="file/runs.db"):
        RunStore(Settings.from_environment(place)).list()


def test_importing_the_store_loads_no_mlflow():
    program = (
        "import sys, cnnkit.runs, cnnkit.jobs\n"
        "print({'mlflow', 'distributed', 'keras', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_run_that_was_begun_while_the_list_was_read_is_not_listed_as_queued(store, monkeypatch):
    run = store.create("train", {}, "one")
    found = RunStore._pages

    def begun_meanwhile(self, *arguments):
        """MLflow finds runs by their tags first, and reads the tags afterwards."""
        store.update(run.id, status=Status.RUNNING)
        return [store.get(one.id) for one in found(self, "", None)]

    monkeypatch.setattr(RunStore, "_pages", begun_meanwhile)
    assert store.list(statuses=[Status.QUEUED]) == []


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"kind": "train"},
        {"statuses": [Status.QUEUED]},
        {"statuses": [Status.FINISHED, Status.PAUSED], "kind": "train"},
        {"owner": "ada"},
        {"owner": "", "statuses": [Status.QUEUED]},
        {"kind": "train", "limit": 1},
        {"limit": 3},
        {"statuses": []},
    ],
    ids=str,
)
def test_runs_that_are_at_hand_are_selected_as_the_record_does(store, filters):
    for number, (kind, owner) in enumerate([("train", "ada"), ("fine_tune", ""), ("train", "bob")]):
        run = store.acting_for(Person(owner, owner)).create(kind, SPEC, f"run {number}")
        if number:
            store.update(run.id, status=[Status.PAUSED, Status.FINISHED][number % 2])
    assert select_runs(store.list(), **filters) == store.list(**filters)
