import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from cnnkit.__main__ import main
from cnnkit.maintenance import examine, repair
from cnnkit.runs import RunStore, Status
from cnnkit.runs._starter import FOLDER


def test_a_home_in_order_is_told(store, run):
    assert examine(store.settings) == []
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0 and result.output == f"{store.settings.home} is in order.\n"


@pytest.mark.parametrize("damage", ["noise", "gone"])
def test_a_damaged_record_is_rebuilt_from_what_can_be_read_and_from_files(store, run, damage):
    path = store.settings.home / "runs.db"
    path.unlink()
    if damage == "noise":
        path.write_bytes(os.urandom(99_999))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1 and "`cnnkit doctor --repair`" in result.output
    assert result.output.count("\n") == 1
    result = CliRunner().invoke(main, ["doctor", "--repair"])
    assert result.exit_code == 0, result.output
    found = RunStore(store.settings).get(run.id)
    assert (found.status, found.spec, found.kind) == (Status.FINISHED, run.spec, "train")
    assert RunStore(store.settings).model_folder(run.id)
    kept = list(store.settings.home.glob("runs.db.damaged-*"))
    assert len(kept) == (damage != "gone")


def test_rows_that_can_be_read_are_saved_with_their_curves(store, run):
    path = store.settings.home / "runs.db"
    with sqlite3.connect(path) as connection:
        connection.execute("drop table params")
    connection.close()
    assert "no table 'params'" in examine(store.settings)[0].what
    repair(store.settings)
    assert RunStore(store.settings).history(run.id) == [{"epoch": 1, "loss": 0.5}]


def test_a_server_goes_on_in_the_record_that_was_repaired_under_it(store, run):
    path = store.settings.home / "runs.db"
    with contextlib.closing(sqlite3.connect(path)) as server:
        assert server.execute("select count(*) from params").fetchone()[0] == 0
        drop = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('drop table params')"
        subprocess.run([sys.executable, "-c", drop, str(path)], check=True)
        repairing = [sys.executable, "-m", "cnnkit", "doctor", "--repair"]
        server.execute("begin immediate")  # a repair waits for whoever writes
        with subprocess.Popen(repairing, stdout=subprocess.PIPE, text=True) as doctor:
            with pytest.raises(subprocess.TimeoutExpired):
                doctor.wait(6)
            server.rollback()
            assert "Repaired: " in doctor.communicate(timeout=60)[0]
        assert server.execute("select name from runs").fetchall() == [("one",)]
        assert server.execute("select count(*) from params").fetchone()[0] == 0
        server.execute("update runs set name = 'two'")
        server.commit()
    assert RunStore(store.settings).get(run.id).name == "two"
    assert examine(store.settings) == []


def test_a_run_whose_process_is_gone_becomes_interrupted(store):
    run = store.create("rehearsal", {}, "lost")
    store.update(
        run.id,
        status=Status.RUNNING,
        lease="1:x",
        attempt=1,
        heartbeat=datetime(2020, 1, 1, tzinfo=UTC),
    )
    (finding,) = examine(store.settings)
    assert "nobody works on it" in finding.what
    assert repair(store.settings) == ([finding], [])
    assert store.get(run.id).status is Status.INTERRUPTED


def test_files_and_runs_that_lack_each_other_are_found(store, run):
    settings = store.settings
    shutil.copytree(settings.artifacts / run.id, settings.artifacts / ("a" * 32))
    (settings.artifacts / ("b" * 32) / "artifacts").mkdir(parents=True)
    (settings.jobs / ("c" * 32)).mkdir(parents=True)
    bare = store.create("train", {"model": "toy_cnn"}, "bare", status=Status.FINISHED)
    deleted = store.create("rehearsal", {}, "deleted", status=Status.FINISHED)
    store.delete(deleted.id)
    (settings.artifacts / deleted.id).mkdir()
    assert len(examine(settings)) == 5
    repaired, left = repair(settings)
    assert len(repaired) == 4
    assert [bare.id in one.what and one.repair is None for one in left] == [True]
    assert store.get("a" * 32).status is Status.FINISHED
    assert store.model_folder("a" * 32)
    assert {path.name for path in (settings.home / "unclaimed").iterdir()} == {
        "artifacts-" + "b" * 32, "jobs-" + "c" * 32
    }  # fmt: skip
    assert not (settings.artifacts / deleted.id).exists()


def test_damaged_networks_and_checkpoints_are_found(store, run):
    (store.settings.artifacts / run.id / "artifacts" / "model.keras").write_bytes(b"PK no zip")
    queued = store.create("train", {"model": "toy_cnn"}, "queued")
    folder = store.settings.jobs / queued.id
    folder.mkdir(parents=True)
    content = (FOLDER / "examples.npz").read_bytes()
    (folder / "checkpoint.npz").write_bytes(content[: len(content) // 2])
    network, checkpoint = examine(store.settings)
    assert "model.keras is damaged" in network.what and network.repair is None
    assert "checkpoint.npz cannot be read" in checkpoint.what
    assert repair(store.settings) == ([checkpoint], [network])
    assert not (folder / "checkpoint.npz").exists()


def test_leftovers_are_removed_once_nobody_writes_to_them(store, tmp_path):
    home = store.settings.home
    (home / "images" / ".0a1b").mkdir(parents=True)
    (home / "images" / ".0a1b" / "pixels.npy").write_bytes(b"x")
    (home / "jobs").mkdir(exist_ok=True)
    (home / "jobs" / ".half").write_bytes(b"x")
    (tmp_path / "__autograph_generated_filex.py").write_bytes(b"x")
    assert examine(store.settings) == []
    assert len(examine(store.settings, idle=0)) == 3
    repaired, left = repair(store.settings, idle=0)
    assert (len(repaired), left) == (3, [])
    assert not (home / "images" / ".0a1b").exists()


def test_a_cache_beyond_its_limit_is_shrunk(store, monkeypatch):
    import dataclasses

    settings = dataclasses.replace(store.settings, results_memory=8192)
    for number in range(4):
        (settings.results / str(number)).mkdir(parents=True)
        (settings.results / str(number) / "image.png").write_bytes(bytes(4096))
    (finding,) = examine(settings)
    assert "more than its limit" in finding.what
    assert repair(settings) == ([finding], [])
    assert len(list(settings.results.iterdir())) == 2
