"""What the command line says while a run goes on, where no terminal shows a moving line."""

from __future__ import annotations

import resource
import subprocess
import threading
import time

import pytest

from cnnkit._cli._follow import LINE_SECONDS, Teller, _pause, follow
from cnnkit.jobs._child import Child
from cnnkit.runs import Point, Progress, RunStore, Status
from cnnkit.settings import get_settings
from tests.records import new_store

TRANSFER = {"phases": [{"epochs": 5}, {"epochs": 8}], "cached": True}


@pytest.fixture
def store(own_home):
    return new_store(get_settings())


def log_epoch(store, run, epoch, **figures):
    store.log(
        run.id, [Point(metric=n, value=v, step=epoch, when=epoch) for n, v in figures.items()]
    )


def look(teller, store, run):
    teller(store.get(run.id))


def test_a_silent_run_is_told_once_a_minute_with_what_it_does(store):
    assert LINE_SECONDS == 60
    run = store.create("fine_tune", TRANSFER)
    said = []
    teller = Teller(store, said.append, 0)
    stages = (
        (Status.QUEUED, None, "waiting to start"),
        (Status.RUNNING, None, "starting: reading the data, building the network"),
        (
            Status.RUNNING,
            Progress(stage="features", step=300, steps=4_000, seconds_left=100),
            "computing features, 300 of 4,000 images (8%), 1 min 40 s left",
        ),
        (Status.RUNNING, Progress(epoch=7, epochs=13, step=13, steps=26), "epoch 7/13 (50%)"),
        (
            Status.RUNNING,
            Progress(epoch=13, epochs=13, step=26, steps=26),
            "evaluating and storing the network",
        ),
    )
    for status, progress, words in stages:
        store.update(run.id, status=status, progress=progress)
        look(teller, store, run)
        assert said.pop().endswith(f" s: {words}") and not said
    patient = Teller(store, said.append, LINE_SECONDS)
    look(patient, store, run)
    assert not said  # the minute is not over


def test_an_epoch_is_told_once_when_all_of_it_is_written(store):
    run = store.create("fine_tune", TRANSFER)
    store.update(run.id, status=Status.RUNNING)
    said = []
    teller = Teller(store, said.append, LINE_SECONDS)
    log_epoch(store, run, 8, loss=0.5)
    look(teller, store, run)
    log_epoch(store, run, 8, accuracy=0.75, epoch_seconds=2.0)
    for _ in range(3):
        look(teller, store, run)
    assert said == ["epoch 8/13: loss 0.5000, accuracy 0.7500, 2.0 s"]
    log_epoch(store, run, 9, loss=0.25)
    store.update(run.id, status=Status.FINISHED)
    look(teller, store, run)
    assert said[1:] == ["epoch 9/13: loss 0.2500"]


def test_curves_are_read_only_when_there_may_be_something_new(store, monkeypatch):
    run = store.create("fine_tune", TRANSFER)
    store.update(run.id, status=Status.RUNNING)
    log_epoch(store, run, 1, loss=0.5)
    read = []
    history = RunStore.history
    monkeypatch.setattr(RunStore, "history", lambda *args: read.append(1) or history(*args))
    teller = Teller(store, lambda line: None, LINE_SECONDS)
    for _ in range(10):
        look(teller, store, run)
    assert len(read) == 2


def test_following_ends_with_the_run_and_speaks_meanwhile(store):
    run = store.create("train", {"epochs": 3})
    end = threading.Timer(3, lambda: store.update(run.id, status=Status.FINISHED))
    end.start()
    said = []
    assert follow(store, run.id, said.append, every=1).status is Status.FINISHED
    end.join()
    assert 1 <= len(said) <= 4 and all("waiting to start" in line for line in said)


def test_long_runs_are_looked_at_less_often():
    assert _pause(1, False) == 0.5 and _pause(60, False) == 2 and _pause(3600, False) == 5
    assert _pause(3600, True) == 1  # a line that moves


def test_waiting_for_a_process_does_not_wake_again_and_again():
    process = subprocess.Popen(["sleep", "30"])
    child = Child(process.pid, process)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    began = time.monotonic()
    child.wait(1.5)
    assert 1.4 < time.monotonic() - began < 5 and child.alive()
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before < 10  # thirty when polled
    threading.Timer(0.5, process.kill).start()
    began = time.monotonic()
    child.wait(20)
    assert time.monotonic() - began < 10
    process.wait()
    assert not child.alive()
