import threading
import time

from cnnkit.errors import StorageError
from cnnkit.monitoring import health
from cnnkit.monitoring.health import Health


def test_a_server_whose_parts_work_is_ok():
    report = Health({"record": lambda: "open", "scheduler": lambda: "not started"}).report()
    assert report.status_code == 200
    assert report.to_dict() == {"status": "ok", "record": "open", "scheduler": "not started"}


def test_a_part_that_fails_is_named_without_its_secrets(caplog):
    def check() -> str:
        raise StorageError("postgresql://teacher:secret@db/runs does not answer")

    report = Health({"record": check, "scheduler": lambda: "running"}).report()
    assert report.status_code == 503
    expected = {"status": "failing", "record": "StorageError", "scheduler": "running"}
    assert report.to_dict() == expected
    assert "secret" not in caplog.text


def test_a_part_that_hangs_holds_up_nobody_and_is_asked_only_once(monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    monkeypatch.setattr(health, "FRESH", 0.0)
    go_on, asked = threading.Event(), []

    def check() -> str:
        asked.append(1)
        go_on.wait(10)
        return "open"

    watched = Health({"record": check})
    began = time.monotonic()
    assert [watched.report().status_code for _ in range(3)] == [503] * 3
    assert time.monotonic() - began < 5 and len(asked) == 1
    go_on.set()
    time.sleep(0.1)
    assert watched.report().status_code == 200


def test_whoever_asks_often_gets_the_same_answer_for_a_second():
    asked = []
    watched = Health({"record": lambda: asked.append(1) or "open"})
    assert watched.report() is watched.report() and len(asked) == 1
