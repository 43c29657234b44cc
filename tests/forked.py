"""The fork server of the process that tests: it imports TensorFlow once for all its jobs."""

from __future__ import annotations

from cnnkit.jobs._child import wake_fork_server
from cnnkit.jobs._fork_server import POSSIBLE, fork_server
from cnnkit.settings import get_settings

PATIENCE = 240.0  # seconds; a busy machine takes a minute to import TensorFlow


def wake() -> None:
    """Wait until jobs of any home are forked, where that is possible."""
    wake_fork_server(get_settings())
    assert fork_server.wait(PATIENCE) or not POSSIBLE
