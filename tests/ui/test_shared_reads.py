"""What many ask for is read once, and what is slow is read more seldom."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnnkit.ui.common import shared_reads
from cnnkit.ui.common.shared_reads import SharedReads


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(shared_reads, "LEAST", 1.0)
    monkeypatch.setattr(shared_reads, "SHARE", 0.05)
    monkeypatch.setattr(shared_reads.time, "monotonic", lambda: now[0])
    return now


def test_an_answer_counts_for_a_second(clock):
    reads, answers = SharedReads(), iter("abc")
    assert reads.get("runs", lambda: next(answers)) == "a"
    clock[0] += 0.9
    assert reads.get("runs", lambda: next(answers)) == "a"
    assert reads.get("queue", lambda: next(answers)) == "b"
    clock[0] += 0.2
    assert reads.get("runs", lambda: next(answers)) == "c"


def test_an_answer_that_expires_while_it_is_looked_up_is_read_again(monkeypatch):
    moments = iter(float(number) for number in range(1000))
    monkeypatch.setattr(shared_reads, "LEAST", 1.5)  # each look at the clock is a second later
    monkeypatch.setattr(shared_reads.time, "monotonic", lambda: next(moments))
    reads, count = SharedReads(), []
    for _ in range(50):
        reads.get("runs", lambda: count.append(1))
    assert len(count) > 1


def test_what_takes_half_a_second_counts_for_ten(clock):
    reads, count = SharedReads(), []

    def slow():
        count.append(1)
        clock[0] += 0.5
        return len(count)

    assert reads.get("runs", slow) == 1
    clock[0] += 9.9
    assert reads.get("runs", slow) == 1
    clock[0] += 0.2
    assert reads.get("runs", slow) == 2


def test_an_error_is_raised_and_not_kept(clock):
    reads = SharedReads()

    def fail():
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        reads.get("runs", fail)
    assert reads.get("runs", lambda: None) is None
    assert reads.get("runs", fail) is None, "None is an answer, too"


def test_those_who_ask_at_once_get_one_answer_and_other_questions_do_not_wait(monkeypatch):
    monkeypatch.setattr(shared_reads, "LEAST", 60.0)
    reads, count = SharedReads(), []
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        count.append(1)
        begun.set()
        assert go_on.wait(30)
        return "runs"

    with ThreadPoolExecutor(5) as people:
        asked = [people.submit(reads.get, "runs", slow)]
        assert begun.wait(30)
        asked += [people.submit(reads.get, "runs", slow) for _ in range(4)]
        assert reads.get("queue", lambda: "queue") == "queue"
        go_on.set()
        assert [one.result(30) for one in asked] == 5 * ["runs"] and count == [1]
