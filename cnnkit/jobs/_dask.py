"""Where jobs are placed: a Dask scheduler in this process, or one elsewhere."""

from __future__ import annotations

import logging
from typing import Any

import dask.config
from distributed import Client, LocalCluster

from cnnkit.errors import JobError
from cnnkit.jobs._warm_workers import WarmWorkers
from cnnkit.settings import Settings

CONNECT_SECONDS = 10.0

# Our tasks only wait for processes: nothing here needs watching, sampling or spilling.
_CONFIGURATION: dict[str, Any] = {
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.diagnostics.nvml": False,
}


def connect(settings: Settings, warm_workers: WarmWorkers) -> Client:
    """A client of the scheduler that the settings name.

    Raises:
        JobError: the scheduler does not answer.
    """
    if settings.scheduler is None:
        return _start_here(settings, warm_workers)
    try:
        return Client(settings.scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except OSError as error:
        raise JobError(
            f"The Dask scheduler at {settings.scheduler} does not answer ({error}). "
            "Start it, or unset CNNKIT_SCHEDULER to run jobs on this machine."
        ) from error


def disconnect(client: Client) -> None:
    """Close a client and, where it is ours, its scheduler; slots stop watching."""
    cluster = client.cluster
    client.close(timeout=5)
    if cluster is not None:
        cluster.close(timeout=5)


def _start_here(settings: Settings, warm_workers: WarmWorkers) -> Client:
    with dask.config.set(_CONFIGURATION):
        cluster = LocalCluster(
            processes=False,
            n_workers=1,
            threads_per_worker=settings.slots,
            memory_limit=0,
            # Left to itself, Dask listens on every interface.
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            local_directory=str(settings.home / "cache" / "dask"),
            plugins=[warm_workers],
            silence_logs=logging.ERROR,
        )
        return Client(cluster, set_as_default=False)
