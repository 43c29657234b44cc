"""Garbage is collected beside the visitors; what modules defined is looked through once."""

import gc
import sys
import threading
import tomllib
import types
import weakref

import pytest

from cnnkit.garbage import IMPORTED, Collector


class Ring:
    """An object that refers to itself: only the collector frees it."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def collector():
    gc.collect()
    gc.disable()
    yield Collector(threading.Event(), every=0.01)
    gc.enable()
    gc.unfreeze()


def test_streamlit_itself_does_not_collect_after_each_script(root):
    config = tomllib.loads((root / ".streamlit" / "config.toml").read_text())
    assert config["runner"]["postScriptGC"] is False


def test_it_collects_until_it_is_to_end(collector):
    ring = weakref.ref(Ring())
    collector.start()
    for _ in range(1000):
        if ring() is None:
            break
        collector.join(0.01)
    assert ring() is None
    collector._ending.set()
    collector.join(30)
    assert not collector.is_alive()


def test_what_lasts_is_frozen_once_much_was_imported(collector, monkeypatch):
    collector.collect()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    ring = Ring()
    collector.collect()
    assert gc.get_freeze_count() <= frozen, "nothing was imported"
    late = weakref.ref(ring)
    del ring
    collector.collect()
    assert late() is None
    for number in range(IMPORTED):
        monkeypatch.setitem(sys.modules, f"late_{number}", types.ModuleType(f"late_{number}"))
    kept = [Ring() for _ in range(100)]
    collector.collect()
    assert gc.get_freeze_count() > frozen and kept
