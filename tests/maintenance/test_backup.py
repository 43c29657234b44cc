import dataclasses
import json
import os
import sqlite3
import stat
import zipfile

import pytest
from click.testing import CliRunner

from cnnkit.__main__ import main
from cnnkit.errors import StorageError
from cnnkit.maintenance import back_up, examine, restore
from cnnkit.runs import RunStore
from cnnkit.settings import Settings, get_settings


@pytest.fixture
def elsewhere(tmp_path) -> Settings:
    return Settings.from_environment({"CNNKIT_HOME": str(tmp_path / "elsewhere")})


def test_a_home_comes_back_whole_in_another_place(store, run, elsewhere, tmp_path):
    home = store.settings.home
    (home / "images" / "own").mkdir(parents=True)
    (home / "images" / "own" / "pixels.npy").write_bytes(b"mine")
    (home / "results" / "a").mkdir(parents=True)
    (home / "results" / "a" / "image.png").write_bytes(b"a cache")
    (home / "images" / ".half").write_bytes(b"half")
    file = tmp_path / "home.zip"
    result = CliRunner().invoke(main, ["backup", str(file)])
    assert result.exit_code == 0, result.output
    assert restore(elsewhere, file) == f"the home {elsewhere.home}"
    again = RunStore(elsewhere)
    assert again.get(run.id) == run
    assert again.history(run.id) == store.history(run.id)
    assert again.artifact(run.id, "model.keras").is_relative_to(elsewhere.home)
    assert (elsewhere.images / "own" / "pixels.npy").read_bytes() == b"mine"
    assert not elsewhere.results.exists() and not (elsewhere.images / ".half").exists()
    assert examine(elsewhere) == []
    with pytest.raises(StorageError, match="never overwrites"):
        restore(elsewhere, file)
    with pytest.raises(StorageError, match="never overwrites"):
        back_up(store.settings, file)


def test_one_run_comes_back_into_another_home(store, run, elsewhere, tmp_path):
    file = tmp_path / "run.zip"
    result = CliRunner().invoke(main, ["backup", str(file), "--run", run.id[:8]])
    assert result.exit_code == 0, result.output
    with pytest.raises(StorageError, match="already there"):
        restore(store.settings, file)
    assert restore(elsewhere, file) == f"run {run.id}"
    again = RunStore(elsewhere)
    assert again.get(run.id) == run
    assert again.artifact(run.id, "card.json").is_relative_to(elsewhere.home)
    assert again.history(run.id) == store.history(run.id)


def hostile(file, names, *, kind=stat.S_IFREG, content=b"x", run=""):
    """A backup whose list and checksums are right, with members of these names."""
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, content)
        facts = {"format": 1, "run": run, "files": dict.fromkeys(names, digest)}
        archive.writestr("backup.json", json.dumps(facts))


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc/out", "artifacts/../../out", "images/./a", "images\\..\\a", "runs.db/../x",
     "out.txt", "cache/x", "images/.half", "images//a", "artifacts"],
)  # fmt: skip
def test_a_member_that_is_no_file_of_a_home_is_refused(elsewhere, tmp_path, name):
    hostile(tmp_path / "a.zip", [name])
    with pytest.raises(StorageError, match="is refused"):
        restore(elsewhere, tmp_path / "a.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) in (["a.zip"], ["a.zip", "elsewhere"])


def test_links_are_refused(elsewhere, tmp_path):
    hostile(tmp_path / "a.zip", ["images/link"], kind=stat.S_IFLNK, content=b"/etc/passwd")
    with pytest.raises(StorageError, match="is refused"):
        restore(elsewhere, tmp_path / "a.zip")


def test_a_run_may_only_bring_its_own_files(elsewhere, tmp_path):
    hostile(tmp_path / "a.zip", ["run.json", "artifacts/other/x"], run="mine")
    with pytest.raises(StorageError, match="is refused"):
        restore(elsewhere, tmp_path / "a.zip")
    hostile(tmp_path / "b.zip", ["run.json"], run="mine", content=b'{"runs": [{"run_uuid": 5}]}')
    with pytest.raises(StorageError, match="rows are not those"):
        restore(elsewhere, tmp_path / "b.zip")
    hostile(tmp_path / "c.zip", ["run.json"], run="../../out", content=b"{}")
    with pytest.raises(StorageError):
        restore(elsewhere, tmp_path / "c.zip")


@pytest.mark.parametrize("damage", ["cut", "flipped", "noise", "missing", "no list", "database"])
def test_a_damaged_backup_changes_nothing(store, run, elsewhere, tmp_path, damage):
    file = tmp_path / "a.zip"
    back_up(store.settings, file)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 2] ^= 255
        file.write_bytes(content)
    elif damage == "noise":
        file.write_bytes(os.urandom(5000))
    elif damage == "missing":
        file.unlink()
    elif damage == "no list":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("images/a", b"x")
    else:
        hostile(file, ["runs.db"], content=b"no database")
    with pytest.raises(StorageError, match="a.zip|in the backup"):
        restore(elsewhere, file)
    assert not elsewhere.home.exists() or list(elsewhere.home.iterdir()) == []


def test_a_record_on_a_server_is_backed_up_there(store, tmp_path):
    settings = dataclasses.replace(get_settings(), tracking_uri="http://127.0.0.1:5000")
    with pytest.raises(StorageError, match="back up its database"):
        back_up(settings, tmp_path / "a.zip")


def test_the_record_may_be_written_while_it_is_copied(store, run, tmp_path, elsewhere):
    with sqlite3.connect(store.settings.home / "runs.db") as other:
        other.execute("begin")
        other.execute("select * from runs").fetchall()
        back_up(store.settings, tmp_path / "a.zip")
    other.close()
    restore(elsewhere, tmp_path / "a.zip")
    assert RunStore(elsewhere).get(run.id) == run
