"""What the server does beside serving pages: an early start, health, metrics, logs.

What is imported at the top here, the first visitor need not wait for; what takes long is imported
after the server has begun to answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cnnkit import sandbox
from cnnkit.errors import CnnkitError, SettingsError
from cnnkit.files import folder_bytes
from cnnkit.garbage import Collector
from cnnkit.monitoring import metrics
from cnnkit.monitoring.health import Health
from cnnkit.monitoring.logs import configure_logs
from cnnkit.runs import Status
from cnnkit.settings import Settings, get_settings
from cnnkit.ui.common import events, login
from cnnkit.ui.common.visitors import count_visitors
from cnnkit.ui.return_to import ReturnTo

# Before the record is opened, seconds: without a visitor, and with one, who is to see a page first.
# (Modules that two threads import at once, each of them waits for.)
ALONE, VISITED = 2.0, 10.0
LIVE = (Status.QUEUED, Status.RUNNING)
# It warns of every spinner that is shown outside of a visit.
CONTEXT_LOG = "streamlit.runtime.scriptrunner_utils.script_run_context"
FOLDERS = ("results", "features", "images")  # of the settings, each with a limit of bytes

log = logging.getLogger("cnnkit.server")


class Server:
    """What `app.py` hands to Streamlit: the life of the server, its routes, its log."""

    def __init__(self):
        self.routes = [Route("/health", self._answer_health)]
        self.middleware = [Middleware(ReturnTo)]
        self._health = Health(
            {
                "record": _check_record,
                "scheduler": _check_scheduler,
                "visualization": _check_visualization,
            }
        )

    @asynccontextmanager
    async def lifespan(self, app: st.App) -> AsyncIterator[None]:
        """Open what visitors will ask for before they do; end tidily."""
        try:
            settings = get_settings()
        except SettingsError as error:
            log.error("settings refused: %s", error)  # every page says so, too
            yield
            return
        configure_logs(settings)
        logging.getLogger(CONTEXT_LOG).setLevel(logging.ERROR)
        ending = threading.Event()
        threading.Thread(target=_open_early, args=(ending,), name="cnnkit-early").start()
        Collector(ending).start()
        close_metrics = _serve_metrics(settings)
        log.info("server started")
        login.log_if_open()
        try:
            yield
        finally:
            ending.set()
            close_metrics()
            self._health.close()
            log.info("server stopped")

    def log_script_error(self, error: Exception) -> None:
        """Write down an error that a page did not expect; Streamlit shows it as ever."""
        events.record_error(error, expected=False)

    async def _answer_health(self, request: Request) -> JSONResponse:
        report = await run_in_threadpool(self._health.report)
        return JSONResponse(report.to_dict(), report.status_code, {"Cache-Control": "no-store"})


def _open_early(ending: threading.Event) -> None:
    """Open the record of runs, and take up what an earlier server has left, before a visit."""
    began = time.monotonic()
    while time.monotonic() - began < (VISITED if count_visitors() else ALONE):
        if ending.wait(0.5):
            return
    from cnnkit.ui.common import cache

    sandbox.files.zygote.wake()
    if get_settings().warm_workers:
        sandbox.networks.zygote.wake()
    try:
        cache.shared_store().list(statuses=LIVE, limit=1)
        # Takes up what an earlier server has left; the first who presses Train need not wait.
        cache.shared_jobs()
    except CnnkitError as error:
        log.warning("record of runs not opened", extra={"error": type(error).__name__})


def _check_record() -> str:
    from cnnkit.ui.common import cache

    cache.shared_store().list(statuses=LIVE, limit=1)
    return "open"


def _check_scheduler() -> str:
    from cnnkit.ui.common import cache

    pool = cache.jobs_if_started()
    return pool.check() if pool else "not started"


def _check_visualization() -> str:
    from cnnkit.ui.common import cache

    return "running" if cache.shared_worker().pid else "not started"


def _serve_metrics(settings: Settings) -> Callable[[], None]:
    if settings.metrics_port is None:
        return lambda: None
    return metrics.serve_metrics(settings.metrics_port, metrics.Gauges(_read_gauges))


def _read_gauges() -> Iterator[tuple[str, str, dict[str, float]]]:
    """What Prometheus asks for beside the counters: name, meaning, values by label."""
    from cnnkit.ui.common import cache

    settings = get_settings()
    waiting = Counter(
        str(run.status) for run in cache.shared_store().list(statuses=LIVE, limit=10_000)
    )
    jobs = {str(status): float(waiting[status]) for status in LIVE}
    yield "cnnkit_jobs", "Jobs that are queued or running", jobs
    yield "cnnkit_visitors", "Browsers that are connected", {"": float(count_visitors())}
    sessions = cache.shared_worker().count_sessions()
    yield "cnnkit_visualization_sessions", "Sessions of the visualization worker", sessions
    folders = {name: float(folder_bytes(getattr(settings, name))) for name in FOLDERS}
    yield "cnnkit_cache_bytes", "Bytes on disk of each cache", folders
    weights = {"": float(cache.networks().bytes)}
    yield "cnnkit_network_bytes", "Bytes of the weights of networks in memory", weights
    memory = metrics.resident_memory()
    yield "cnnkit_resident_bytes", "Resident memory of the server and its children", memory
