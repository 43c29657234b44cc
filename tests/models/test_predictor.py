"""Networks in memory: one at a time, within a bound, the least used goes first."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest

from cnnkit.errors import IncompatibleError, LimitError
from cnnkit.models import ModelCache, ModelCard, Predictor, create_model

CARD = ModelCard(
    model="toy_cnn",
    title="Toy CNN",
    class_names=("a", "b", "c"),
    input_shape=(12, 12, 1),
    dataset="toy_patterns",
)


class Thing:
    """Stands for a network where only its place in the cache matters."""


def test_it_answers_as_the_network_itself():
    model = create_model("toy_cnn", initialization="sugomori")
    images = np.random.default_rng(0).integers(0, 256, (70, 12, 12, 1), np.uint8)
    logits = Predictor(model, CARD).logits(images)
    assert logits.shape == (70, 3) and logits.dtype == np.float32
    np.testing.assert_allclose(logits, model(images, training=False), atol=1e-5)


def test_other_sizes_are_refused_with_both_shapes():
    network = Predictor(create_model("toy_cnn"), CARD)
    with pytest.raises(IncompatibleError, match=r"\(12, 12, 1\).*\(28, 28, 1\)"):
        network.logits(np.zeros((1, 28, 28, 1), np.uint8))


def test_equal_keys_share_one_and_it_is_opened_once():
    cache, opened = ModelCache(10), []
    for _ in range(3):
        cache.get("a", lambda: opened.append("a") or Thing(), 4)
    assert opened == ["a"]


def test_the_least_used_goes_first_before_the_next_is_opened():
    cache, held = ModelCache(10), {}

    def opener(name):
        def open_one():
            held[name] = cache.bytes
            return Thing()

        return open_one

    cache.get("a", opener("a"), 4)
    cache.get("b", opener("b"), 4)
    cache.get("a", opener("a"), 4)  # used again: b is now the least used
    cache.get("c", opener("c"), 4)
    assert held == {"a": 4, "b": 8, "c": 8}, "room is made before, so both never stand together"
    cache.get("a", lambda: pytest.fail("a must still be here"), 4)
    assert cache.bytes == 8


def test_what_is_dropped_is_really_gone():
    cache = ModelCache(4)
    first = weakref.ref(cache.get("a", Thing, 4))
    cache.get("b", Thing, 4)
    gc.collect()
    assert first() is None


def test_what_is_larger_than_the_bound_is_refused_and_drops_nothing():
    cache = ModelCache(3 * 2**20)
    cache.get("a", Thing, 2**20)
    with pytest.raises(LimitError, match=r"takes 5 MB.*3 MB.*CNNKIT_MODEL_MEMORY"):
        cache.get("b", Thing, 5 * 2**20)
    assert cache.bytes == 2**20


def test_whoever_asks_meanwhile_waits_and_gets_the_same():
    cache, begun, go, found = ModelCache(10), threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        go.wait(10)
        return Thing()

    threads = [
        threading.Thread(target=lambda: found.append(cache.get("a", slow, 1))) for _ in range(4)
    ]
    threads[0].start()
    begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1


def test_a_failure_is_told_and_not_kept():
    cache = ModelCache(10)

    def broken():
        raise IncompatibleError("not this one")

    with pytest.raises(IncompatibleError, match="not this one"):
        cache.get("a", broken, 4)
    assert cache.bytes == 0
    assert isinstance(cache.get("a", Thing, 4), Thing)


def test_the_time_of_an_answer_does_not_hold_the_wait_for_another_visitor():
    network, found = Predictor(create_model("toy_cnn"), CARD), []
    images = np.zeros((1, 12, 12, 1), np.uint8)

    def ask():
        began = time.perf_counter()
        seconds = network.timed_logits(images)[1]
        found.append((seconds, time.perf_counter() - began))

    with network.lock:
        visitor = threading.Thread(target=ask)
        visitor.start()
        time.sleep(1)
    visitor.join()
    seconds, waited = found[0]
    assert waited - seconds > 0.9


def test_networks_that_are_dropped_leave_nothing_behind():
    """Real ones: graphs, functions and layers hold each other in cycles."""
    size, alive = 4 * create_model("toy_cnn").count_params(), []
    cache = ModelCache(2 * size)
    for number in range(4):
        opened = cache.get(number, lambda: Predictor(create_model("toy_cnn"), CARD), size)
        alive.append(weakref.ref(opened.model))
        del opened
        assert cache.bytes <= cache.max_bytes
    gc.collect()
    assert [model() is not None for model in alive] == [False, False, True, True]
