"""What the tests of pages share: caches of their own, a record, and jobs that nobody starts."""

from __future__ import annotations

from functools import cache

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner

from cnnkit.jobs import JobPool
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings
from tests.records import new_store


@pytest.fixture(autouse=True)
def store(own_home, monkeypatch) -> RunStore:
    """A record of its own, made without waiting for a migration; no warm worker starts."""
    monkeypatch.setenv("CNNKIT_WARM_WORKERS", "0")
    get_settings.cache_clear()
    return new_store(get_settings())


@pytest.fixture(autouse=True)
def fresh_caches(store, monkeypatch):
    """Nothing that an earlier test's pages kept; the record is read whenever a page asks."""
    monkeypatch.setattr("cnnkit.ui.common.shared_reads.LEAST", 0.0)
    monkeypatch.setattr("cnnkit.ui.common.shared_reads.SHARE", float("inf"))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(autouse=True, scope="session")
def components_once():
    """Look for Streamlit's components among the installed packages once, not for each page."""
    patch = pytest.MonkeyPatch()
    scan = cache(manifest_scanner.scan_component_manifests)
    patch.setattr(manifest_scanner, "scan_component_manifests", scan)
    yield
    patch.undo()


@pytest.fixture
def submitted(monkeypatch) -> list[str]:
    """Ids of the runs that would have been started: they are queued, and nobody starts them."""
    ids: list[str] = []

    class Still(JobPool):
        def __init__(self, settings, store):
            self.settings, self.store = settings, store

        def _place(self, run, *, adopt=False):
            ids.append(run.id)

        def recover(self):
            pass

    monkeypatch.setattr("cnnkit.jobs.JobPool", Still)
    return ids
