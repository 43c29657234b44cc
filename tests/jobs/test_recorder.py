"""What becomes of the events of a training, without a training."""

import time

import pytest

from cnnkit.jobs.kinds.train import LIVE_POINTS, Recorder
from cnnkit.training import EpochEnded, FeaturesCached, Started, StepsEnded


class Job:
    """Writes down what the recorder tells it."""

    def __init__(self, store, folder):
        self.store, self.folder = store, folder
        self.run = store.create("train", {})
        self.told = []
        self.rows = {}
        self.points = []
        self.shared = []

    def params(self, values):
        self.told_params = values

    def progress(self, progress):
        self.told.append(progress)

    def log(self, step, values, live=False):
        if live:
            self.points.append((step, values))
        else:
            self.rows.setdefault(step, {}).update(values)

    def share_checkpoint(self, epoch):
        self.shared.append(epoch)


@pytest.fixture
def job(store, tmp_path):
    return Job(store, tmp_path)


def started(first_epoch=1):
    return Started(
        epochs=10,
        steps_per_epoch=100,
        first_epoch=first_epoch,
        parameters=7,
        train_images=1000,
        device="CPU",
    )


def steps(step, epoch):
    return StepsEnded(
        step=step,
        steps=1000,
        epoch=epoch,
        loss=0.5,
        accuracy=0.75,
        learning_rate=0.1,
        images_per_second=20.0,
    )


def epoch(number, seconds=8.0):
    logs = {"epoch": number, "loss": 0.5, "val_loss": 0.25, "seconds": seconds}
    return EpochEnded(epoch=number, epochs=10, logs=logs, seconds=seconds)


def test_progress_follows_steps_and_epochs(job):
    recorder = Recorder(job)
    recorder(started())
    recorder(steps(40, 1))
    assert (job.told[-1].step, job.told[-1].steps, job.told[-1].epoch) == (40, 1000, 1)
    recorder(epoch(1))
    assert (job.told[-1].step, job.told[-1].fraction) == (100, 0.1)
    assert job.rows[1] == {"loss": 0.5, "val_loss": 0.25, "epoch_seconds": 8.0}
    assert job.rows[0]["parameters"] == 7
    assert job.shared == [1]


def test_time_left_comes_from_whole_epochs_as_soon_as_there_is_one(job):
    recorder = Recorder(job)
    recorder(started())
    recorder(epoch(1))
    assert job.told[-1].seconds_left == pytest.approx(9 * 8)
    recorder(steps(150, 2))
    assert job.told[-1].seconds_left == pytest.approx(8.5 * 8)


def test_time_left_in_the_first_epoch_comes_from_its_steps(job):
    recorder = Recorder(job)
    recorder(started(first_epoch=6))
    time.sleep(0.05)
    recorder(steps(510, 6))
    assert job.told[-1].seconds_left == pytest.approx(49 * 0.05, rel=0.5)


def test_a_long_run_keeps_a_bounded_number_of_points(job):
    recorder = Recorder(job)
    recorder(started())
    for step in range(1, 1001):
        recorder(steps(step, (step - 1) // 100 + 1))
    assert LIVE_POINTS / 2 < len(job.points) <= LIVE_POINTS


def test_figures_that_a_crash_swallowed_are_written_at_the_end(job):
    recorder = Recorder(job)
    recorder(started(first_epoch=3))
    recorder(epoch(3))
    history = [epoch(number).logs for number in (1, 2, 3)]
    recorder.complete(history)
    assert sorted(job.rows) == [0, 1, 2, 3]


@pytest.mark.parametrize("there", [0, 90])
def test_the_time_of_features_is_recorded_where_some_were_computed(job, there):
    recorder = Recorder(job)
    recorder(FeaturesCached(done=there, total=90, images_per_second=None))
    time.sleep(0.05)
    recorder(FeaturesCached(done=90, total=90, images_per_second=None))
    time.sleep(0.2)
    recorder(started())
    if there == 90:
        assert "features_seconds" not in job.rows[0]
    else:
        assert 0.05 <= job.rows[0]["features_seconds"] < 0.2
        assert job.rows[0]["features_computed"] == 90
