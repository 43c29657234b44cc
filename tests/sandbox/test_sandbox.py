"""A child does what it is asked, within its limits; whatever it does, the next one is unharmed."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from cnnkit.errors import CnnkitError, InvalidImageError
from cnnkit.sandbox import MIB, BreachError, Limits, Sandbox

HERE = "misbehaving"  # the module beside this one
LIMITS = Limits(seconds=0.4, wall_seconds=10, memory=100 * MIB)


@pytest.fixture(scope="module")
def sandbox():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        box = Sandbox(f"{HERE}:warm_up", places=2)
        yield box
    box.zygote.close()


def call(sandbox: Sandbox, name: str, *arguments, limits=LIMITS, **options):
    return sandbox.call(f"{HERE}:{name}", *arguments, limits=limits, **options)


def breach(sandbox: Sandbox, name: str, *arguments, limits=LIMITS) -> BreachError:
    with pytest.raises(BreachError) as caught:
        call(sandbox, name, *arguments, limits=limits)
    assert call(sandbox, "double", 2) == {"double": 4}, "the next child is unharmed"
    return caught.value


def test_values_and_arrays_pass_both_ways(sandbox):
    array = np.arange(6, dtype=np.uint16).reshape(2, 3)
    found = call(sandbox, "double", array)["double"]
    np.testing.assert_array_equal(found, array * 2)
    assert found.dtype == np.uint16
    assert call(sandbox, "double", b"ab")["double"] == b"abab"


def test_each_call_has_a_child_of_its_own(sandbox):
    assert [call(sandbox, "how_often") for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "arguments", "limits", "what"),
    [
        ("compute", (30,), LIMITS, "time"),
        ("wait", (30,), replace(LIMITS, wall_seconds=0.5), "time"),
        ("allocate", (200 * MIB,), LIMITS, "memory"),
        ("die", (signal.SIGSEGV,), LIMITS, "crash"),
        ("leave", (3,), LIMITS, "crash"),
        ("raise_foreign", (), LIMITS, "crash"),
        ("raise_unlisted", (), LIMITS, "crash"),
        ("an_object", (), LIMITS, "crash"),
        ("size", (65 * MIB,), replace(LIMITS, memory=300 * MIB), "crash"),
    ],
)
def test_what_goes_wrong_in_a_child_is_told_in_a_sentence(sandbox, name, arguments, limits, what):
    began = time.monotonic()
    found = breach(sandbox, name, *arguments, limits=limits)
    assert found.what == what
    assert str(found).endswith(".")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read", ("/etc/hostname",)),
        ("write", ("{folder}/new",)),
        ("delete", ("{folder}/old",)),
        ("connect", ()),
        ("start_process", ()),
        ("fork", ()),
    ],
)
def test_a_child_reaches_nothing_outside(sandbox, tmp_path, name, arguments):
    (tmp_path / "old").write_text("still here")
    arguments = [text.format(folder=tmp_path) for text in arguments]
    found = breach(sandbox, name, *arguments)
    assert "not allowed" in found.detail
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_the_system_refuses_files_to_a_library_that_python_cannot_see(sandbox):
    assert call(sandbox, "read_unseen", "/etc/hostname") == -1


def test_a_file_that_was_opened_for_it_can_be_read(sandbox, tmp_path):
    (tmp_path / "given").write_bytes(b"content")
    with (tmp_path / "given").open("rb") as file:
        found = call(sandbox, "read_given", 5, read=[file.fileno()])
    assert found == b"content"


def test_the_server_s_secrets_are_not_in_its_environment(sandbox, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    fresh = Sandbox(f"{HERE}:warm_up")
    try:
        assert "AWS_SECRET_ACCESS_KEY" not in call(fresh, "environment")
    finally:
        fresh.zygote.close()


def test_an_error_of_ours_arrives_as_it_is(sandbox):
    with pytest.raises(InvalidImageError, match=r"It is no image\."):
        call(sandbox, "raise_known")


def test_when_the_zygote_is_killed_the_next_call_starts_another(sandbox):
    call(sandbox, "double", 1)
    before = sandbox.zygote.pid
    os.kill(before, signal.SIGKILL)
    sandbox.zygote._process.wait()
    assert call(sandbox, "double", 3) == {"double": 6}
    assert sandbox.zygote.pid != before


def test_warming_up_takes_none_of_a_child_s_time(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setattr("cnnkit.sandbox._zygote.GRACE", 0.3)
    slow = Sandbox(f"{HERE}:warm_up_slowly")
    hurried = replace(LIMITS, wall_seconds=0.5)
    try:
        assert call(slow, "double", 2, limits=hurried) == {"double": 4}
        process = psutil.Process(slow.zygote.pid)
        process.kill()
        process.wait(10)
        assert call(slow, "double", 3, limits=hurried) == {"double": 6}, "a new one warms up, too"
    finally:
        slow.zygote.close()


def test_many_calls_in_order_and_only_the_bad_ones_fail(sandbox):
    calls = [(n,) if n % 4 else InvalidImageError("no") for n in range(12)]
    found = list(sandbox.map(f"{HERE}:double", calls, limits=LIMITS))
    assert [one["double"] if isinstance(one, dict) else str(one) for one in found] == [
        n * 2 if n % 4 else "no" for n in range(12)
    ]
    codes = list(sandbox.map(f"{HERE}:leave", [(1,), (2,)], limits=LIMITS))
    assert all(isinstance(one, CnnkitError) for one in codes)


def test_a_batch_s_child_stays_until_a_file_kills_it(sandbox):
    calls = [()] * 3
    assert list(sandbox.map(f"{HERE}:how_often", calls, limits=LIMITS, children=1)) == [1, 2, 3]


def test_children_wait_for_each_other_in_the_order_they_came(sandbox):
    order: list[int] = []

    def ask(number: int) -> None:
        call(sandbox, "wait", 0.3)
        order.append(number)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    assert sandbox.line.length >= 3
    for thread in threads:
        thread.join()
    assert [n // 2 for n in order] == [0, 0, 1, 1, 2, 2]


def test_no_child_stays_when_its_call_is_over(sandbox):
    zygote = psutil.Process(sandbox.zygote.pid)
    with pytest.raises(BreachError):
        call(sandbox, "wait_deaf", 60, limits=replace(LIMITS, wall_seconds=-4))
    end = time.monotonic() + 5
    while zygote.children() and time.monotonic() < end:
        time.sleep(0.05)
    assert zygote.children() == []
