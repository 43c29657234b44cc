"""The log: one line for each event, as JSON for machines or as text for a terminal.

Every part logs through the standard library, an event's name as the message and its facts as
`extra`; only a server or a program decides how the lines look:

    log = logging.getLogger("cnnkit.jobs")
    log.info("job started", extra={"run": run.id, "kind": run.kind})

An event names runs, people and exceptions, never the content of an image or the name of a file.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from cnnkit.settings import Settings

JSON, TEXT = "json", "text"
# Their loggers have handlers of their own; their lines are to look like all others.
SERVERS = ("uvicorn", "streamlit", "websockets")
ACCESS = "uvicorn.access"  # switched off by Streamlit: a line for every file of every visit


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Have every logger of this process write its events in one form.

    Args:
        settings: `log_format`, or None for text on a terminal and JSON elsewhere, and `log_file`,
            to which the events go too, always as JSON.
        stream: where to write; None: standard error.
    """
    target: TextIO = stream or sys.__stderr__ or sys.stdout
    chosen = settings.log_format or (TEXT if target.isatty() else JSON)
    console = logging.StreamHandler(target)
    console.setFormatter(EventJson() if chosen == JSON else EventText())
    handlers: list[logging.Handler] = [console]
    if settings.log_file:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(settings.log_file, encoding="utf-8"))
        handlers[-1].setFormatter(EventJson())
    root = logging.getLogger()
    for former in [one for one in root.handlers if getattr(one, "of_cnnkit", False)]:
        root.removeHandler(former)
        former.close()
    for handler in handlers:
        handler.of_cnnkit = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    logging.getLogger("cnnkit").setLevel(logging.INFO)
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in SERVERS and name != ACCESS:
            server = logging.getLogger(name)
            server.handlers, server.propagate = [], True


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """What an event says beside its name: its `extra`, and the exception it came with."""
    said = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
    if record.exc_info and record.exc_info[0]:
        said["error"] = record.exc_info[0].__name__
    return said


class EventJson(JsonFormatter):
    """An event as one line of JSON: time (UTC), level, logger, event, then its facts."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Leave the order as `add_fields` made it."""
        return log_data

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Fill in what the line says."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data |= {"time": when, "level": record.levelname.lower(), "logger": record.name}
        log_data |= {"event": record.getMessage()} | facts(record)
        if record.exc_info:
            log_data["traceback"] = self.formatException(record.exc_info)


class EventText(logging.Formatter):
    """An event as a person reads it: time, level, name, and its facts as name=value."""

    def __init__(self):
        """Only the time of day: a terminal has been watched since today."""
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line without the traceback, which follows it."""
        said = "".join(f" {name}={value!s}" for name, value in facts(record).items())
        return super().formatMessage(record) + said


_OF_EVERY_RECORD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
