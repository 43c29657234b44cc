"""Starting Streamlit on a free port, and Chromium against it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks._measure import ROOT

READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextlib.contextmanager
def served(script: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of `script`, served by a Streamlit of its own until the block ends."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    options = ["--server.address=127.0.0.1", f"--server.port={port}"]
    server = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextlib.contextmanager
def chromium(*, idle: bool = False) -> Iterator[Browser]:
    """A headless Chromium or Chrome of this machine.

    Args:
        idle: it only gets the time that nobody else wants, as if it had a machine of its own.
    """
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = _idle(executable(), Path(folder)) if idle else executable()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def _idle(program: str, folder: Path) -> Path:
    script = folder / "chromium"
    # Chromium sets the nice values of its processes as it likes, and leaves their policy alone.
    script.write_text(f'#!/bin/sh\nexec chrt --idle 0 "{program}" "$@"\n')
    script.chmod(0o755)
    return script


def executable() -> str:
    """Path of a Chromium or Chrome of this machine."""
    path = os.environ.get("CNNKIT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise SystemExit("This needs Chromium or Chrome on PATH, or CNNKIT_CHROMIUM.")
    return path


def settle(page: Page, timeout: float = 120) -> None:
    """Wait until the script has run and nothing of the page is being computed."""
    page.wait_for_selector(READY, timeout=timeout * 1000)
    page.wait_for_selector('[data-testid="stSpinner"]', state="detached", timeout=timeout * 1000)


def _wait_for(address: str, server: subprocess.Popen) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit(f"Streamlit ended with {server.returncode} before it answered.")
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.1)
    raise SystemExit(f"{address} did not answer within a minute.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
