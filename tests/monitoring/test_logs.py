import io
import json
import logging

import pytest

from cnnkit.monitoring.logs import configure_logs
from cnnkit.settings import Settings


@pytest.fixture
def log(own_home):
    """The lines that were written since it was called with a format."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], logging.getLogger("cnnkit").level
    stream = io.StringIO()

    def begin(form: str | None, **values: str):
        settings = Settings.from_environment(
            {"CNNKIT_HOME": str(own_home), "CNNKIT_LOG_FORMAT": form or "", **values}
        )
        configure_logs(settings, stream)
        return lambda: stream.getvalue().splitlines()

    yield begin
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers = handlers
    logging.getLogger("cnnkit").setLevel(level)


def test_an_event_is_one_line_of_json_with_its_facts(log):
    lines = log("json")
    logging.getLogger("cnnkit.jobs").info("job ended", extra={"run": "ab12", "status": "failed"})
    (line,) = lines()
    event = json.loads(line)
    assert event.pop("time").endswith("+00:00")
    assert event == {
        "level": "info",
        "logger": "cnnkit.jobs",
        "event": "job ended",
        "run": "ab12",
        "status": "failed",
    }


def test_an_exception_is_named_and_stays_on_the_line(log):
    lines = log("json")
    try:
        {}["absent"]
    except KeyError:
        logging.getLogger("cnnkit.visits").exception("page failed")
    (line,) = lines()
    event = json.loads(line)
    assert event["error"] == "KeyError" and "absent" in event["traceback"]


def test_text_is_for_people(log):
    lines = log("text")
    logging.getLogger("cnnkit.jobs").warning("job ended", extra={"run": "ab12"})
    (line,) = lines()
    assert line.endswith("WARNING job ended run=ab12")


def test_what_is_no_terminal_gets_json(log):
    lines = log(None)
    logging.getLogger("cnnkit").info("server started")
    assert json.loads(lines()[0])["event"] == "server started"


def test_a_file_gets_json_whatever_the_terminal_shows(log, tmp_path):
    file = tmp_path / "logs" / "server.log"
    log("text", CNNKIT_LOG_FILE=str(file))
    logging.getLogger("cnnkit").info("server started")
    assert json.loads(file.read_text("utf-8"))["event"] == "server started"


def test_configuring_twice_writes_each_line_once(log):
    log("json")
    lines = log("json")
    logging.getLogger("cnnkit").info("server started")
    assert len(lines()) == 1
