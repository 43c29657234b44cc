"""A server of its own on a free port with a home of its own, and a real Chromium.

What a browser test needs:

    @pytest.mark.browser
    def test_something(app, page):
        page.goto(app.url("draw"))
        app.settle(page)
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from benchmarks._children import end_children
from cnnkit.runs import RunStore
from cnnkit.settings import Settings
from cnnkit.training import Recipe
from tests.decoded import lend
from tests.finished import finished_run
from tests.records import new_store

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120_000  # ms: a first `import keras` on a busy small machine
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@dataclass(frozen=True)
class App:
    """A running server."""

    address: str
    home: Path
    log: Path
    pid: int

    def url(self, page: str = "", **query: str) -> str:
        """Address of a page, such as `url("draw", run="starter")`."""
        return f"{self.address}/{page}" + (f"?{urlencode(query)}" if query else "")

    def settle(self, page) -> None:
        """Wait until the script has ended and nothing is loading."""
        page.wait_for_selector("h1", timeout=PATIENCE)
        page.wait_for_selector(READY, timeout=PATIENCE)


@pytest.fixture(scope="session")
def serve(root, tmp_path_factory, kept_images) -> Iterator[Callable[..., App]]:
    """Start the app: `serve()`, or `serve(home, environment, port)`; stopped at the end."""
    started: list[subprocess.Popen] = []
    homes: list[Path] = []

    def start(
        home: Path | None = None,
        environment: dict[str, str] | None = None,
        port: int | None = None,
    ) -> App:
        if home is None:
            home = tmp_path_factory.mktemp("browser-home")
            new_store(Settings.from_environment({"CNNKIT_HOME": str(home)}))
        lend(kept_images, home / "images")
        port = port or free_port()
        log = home / "server.log"
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*command, f"--server.port={port}"],
                cwd=root,
                env={
                    **os.environ,
                    "CNNKIT_HOME": str(home),
                    "CNNKIT_OFFLINE": "1",
                    **(environment or {}),
                },
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        homes.append(home)
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        return App(f"http://127.0.0.1:{port}", home, log, process.pid)

    yield start
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for home in homes:
        end_children(home)


@pytest.fixture(scope="session")
def app(serve) -> App:
    """One server that all tests of a session share, without a warm worker."""
    return serve(environment={"CNNKIT_WARM_WORKERS": "0"})


@pytest.fixture
def finished(app, tmp_path) -> Callable[[Recipe], str]:
    """The id of a finished run of the app's home: `finished(recipe)`."""
    store = RunStore(Settings.from_environment({"CNNKIT_HOME": str(app.home)}))
    return lambda recipe: finished_run(store, recipe, tmp_path).id


@pytest.fixture(scope="session")
def browser(chromium):
    """A headless Chromium. `chromium` and the marker `browser` say where there is none."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(browser):
    """One window for all tests: Chromium compiles Streamlit's scripts once, and moves nothing."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 1000}, color_scheme="light", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(window):
    """A fresh tab of 1280 pixels that fails the test on a page's error."""
    page = window.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    page.close()
    window.clear_cookies()
    assert not broken


def free_port() -> int:
    """A port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"The server did not answer within {seconds} s:\n{log.read_text()}")
