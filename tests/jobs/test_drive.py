"""A task that yields its progress is cancelled between steps, and paused where it may be."""

import time

import pytest

from cnnkit.jobs._context import JobContext
from cnnkit.jobs._controls import Lease
from cnnkit.runs import Progress, Run, RunStore, Status

STEPS = 4  # of each of two parts


class Reporting(JobContext):
    """Keeps what is reported instead of waiting for the next write."""

    def progress(self, progress):
        self.reported = [*getattr(self, "reported", []), progress]


@pytest.fixture
def job(settings):
    def make(wish=None):
        run = Run(id="r", name="r", kind="count", status=Status.RUNNING, spec={}, wish=wish)
        return Reporting(RunStore(settings), run, Lease(1, "t"))

    return make


def count(done, pause=0.0):
    for part in range(2):
        yield None
        for step in range(1, STEPS + 1):
            time.sleep(pause)
            done.append(step)
            yield Progress(epoch=part + 1, epochs=2, step=part * STEPS + step, steps=2 * STEPS)


def test_a_task_runs_to_its_end_and_its_time_is_estimated(job):
    job, done = job(), []
    assert job.drive(count(done, pause=0.02)) is Status.FINISHED
    assert [progress.step for progress in job.reported] == list(range(1, 2 * STEPS + 1))
    first, second, *_, last = [progress.seconds_left for progress in job.reported]
    assert first is None and last == 0
    assert 0.02 * 6 <= second < 60


def test_a_cancelled_task_is_not_continued(job):
    done = []
    assert job("cancel").drive(count(done)) is Status.CANCELLED
    assert not done


def test_a_task_is_paused_only_where_nothing_is_half_done(job):
    job, done = job(), []

    def asked_within_the_first_part():
        for progress in count(done):
            if progress and progress.step == 2:
                job._wish = "pause"
            yield progress

    assert job.drive(asked_within_the_first_part()) is Status.PAUSED
    assert len(done) == STEPS


def test_a_task_is_cancelled_in_the_middle_of_a_part(job):
    job, done = job(), []

    def asked_at_the_second_step():
        for progress in count(done):
            if progress and progress.step == 2:
                job._wish = "cancel"
            yield progress

    assert job.drive(asked_at_the_second_step()) is Status.CANCELLED
    assert len(done) == 2
