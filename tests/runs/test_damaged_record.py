"""A record that is damaged, locked or lost is told in one sentence, and never begun anew unseen."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import time
from pathlib import Path

import pytest

from cnnkit.errors import SettingsError, StorageError
from cnnkit.runs import RunStore, Status, database
from cnnkit.settings import Settings


def noise(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def noise_after_the_head(path):
    content = path.read_bytes()
    path.write_bytes(content[:100] + os.urandom(len(content) - 100))


def truncated(path):
    os.truncate(path, path.stat().st_size // 2)


def one_page(path):
    os.truncate(path, 50)


def folder(path):
    path.unlink()
    path.mkdir()


def emptied(path):
    path.write_bytes(b"")


def removed(path):
    path.unlink()


DAMAGES = (noise, noise_after_the_head, truncated, one_page, folder, emptied, removed)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="asks Linux for its locks")
def test_looking_at_an_open_record_ends_no_lock_that_this_process_holds(store):
    store.list()
    path = store.settings.home / "runs.db"

    def locks() -> list[str]:
        held = Path("/proc/locks").read_text().splitlines()
        own = (f" {os.getpid()} ", f":{path.stat().st_ino} ")
        return [line.partition(":")[2] for line in held if all(word in line for word in own)]

    with contextlib.closing(database.connect(path)) as connection:
        connection.execute("begin immediate")
        before = locks()
        assert before
        assert database._damage_before_opening(store.settings, path) == ""
        assert locks() == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_told_with_what_to_do_and_stays_as_it_is(store, damage, tmp_path):
    run = store.create("train", {}, "one", status=Status.FINISHED)
    (tmp_path / "card.json").write_text("{}")
    store.add_artifact(run.id, tmp_path / "card.json")
    path = store.settings.home / "runs.db"
    damage(path)
    before = path.read_bytes() if path.is_file() else path.exists()
    began = time.monotonic()
    with pytest.raises(StorageError, match="of runs .*`cnnkit doctor --repair`") as caught:
        RunStore(store.settings).list()
    assert time.monotonic() - began < 5
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else path.exists()) == before


@pytest.mark.parametrize("damage", [noise, truncated, removed, folder])
def test_a_record_that_is_damaged_while_it_is_open_is_told_too(store, damage):
    run = store.create("train", {}, "one")
    damage(store.settings.home / "runs.db")
    for call in (store.list, lambda: store.get(run.id), lambda: store.create("train", {}, "two")):
        with pytest.raises(StorageError, match="The record of runs"):
            call()


def test_a_new_home_gets_a_new_record_even_where_an_empty_file_was_left(own_home):
    (own_home / "runs.db").touch()
    database.check_database(Settings.from_environment({"CNNKIT_HOME": str(own_home)}))


def test_a_locked_record_is_told_after_a_while(store, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    with contextlib.closing(sqlite3.connect(store.settings.home / "runs.db")) as other:
        other.execute("begin exclusive")
        with pytest.raises(StorageError, match="locked by another program .* try again"):
            RunStore(store.settings).list()


def test_a_full_disk_is_told(store, tmp_path):
    def full():
        raise OSError(28, "No space left on device")

    from cnnkit.runs._mlflow import patiently

    with pytest.raises(StorageError, match="the disk is full. Free some space"):
        patiently(full)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:{}", "postgresql://me:secret@127.0.0.1:{}/runs"])
def test_a_server_that_is_away_is_told_within_seconds(own_home, uri):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = uri.format(free.getsockname()[1])
    settings = Settings.from_environment({"CNNKIT_HOME": str(own_home), "MLFLOW_TRACKING_URI": uri})
    began = time.monotonic()
    with pytest.raises(StorageError, match="does not answer .*MLFLOW_TRACKING_URI") as caught:
        RunStore(settings).list()
    assert time.monotonic() - began < 5
    assert "secret" not in str(caught.value)


def test_a_missing_driver_names_the_package(own_home):
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"mysql://me:secret@127.0.0.1:{server.getsockname()[1]}/runs"
        settings = Settings.from_environment(
            {"CNNKIT_HOME": str(own_home), "MLFLOW_TRACKING_URI": uri}
        )
        with pytest.raises(SettingsError, match="pip install mysqlclient") as caught:
            RunStore(settings).list()
    assert "secret" not in str(caught.value)
