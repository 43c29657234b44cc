"""Ending the jobs of a home that is about to go: by design they outlive their server."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil


def end_children(home: Path | str) -> None:
    """Kill every worker whose `CNNKIT_HOME` is this folder, and wait until it is gone.

    A forked one has command line and environment of its fork server: those of its home.
    """
    found = []
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            worker = "worker" in (process.info["cmdline"] or ())
            if worker and process.environ().get("CNNKIT_HOME") == str(home):
                process.kill()
                found.append(process)
    psutil.wait_procs(found, timeout=10)
