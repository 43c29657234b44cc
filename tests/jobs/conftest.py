import time
from collections.abc import Callable, Iterator

import pytest

from cnnkit.jobs import JobPool
from cnnkit.runs import Run, RunStore
from cnnkit.settings import get_settings
from tests.records import new_store

PATIENCE = 240.0  # seconds; a busy machine takes a minute to import TensorFlow


@pytest.fixture
def settings(monkeypatch):
    """One slot, and no warm worker unless a test asks for it."""
    monkeypatch.setenv("CNNKIT_WARM_WORKERS", "0")
    monkeypatch.setenv("CNNKIT_SLOTS", "1")
    get_settings.cache_clear()
    return get_settings()


@pytest.fixture
def store(settings) -> RunStore:
    return new_store(settings)


@pytest.fixture
def pool(settings, store, forking) -> Iterator[JobPool]:
    pool = JobPool(settings, store)
    yield pool
    for run in store.list(limit=100):
        if not run.status.over:
            pool.cancel(run.id)
            wait_until(store, run.id, lambda run: run.status.over)
    pool.close()


@pytest.fixture
def until(store) -> Callable[..., Run]:
    """Wait for a run to become something."""
    return lambda run, condition: wait_until(store, run.id, condition)


def wait_until(store: RunStore, run_id: str, condition: Callable[[Run], object]) -> Run:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        run = store.get(run_id)
        if condition(run):
            return run
        time.sleep(0.05)
    raise AssertionError(f"Waited {PATIENCE:.0f} s in vain: {run}")
