"""Finished images are found again, and only so many stay."""

import json
import os

import numpy as np
import pytest

from cnnkit.visualize import Plan, class_logit, total_variation
from cnnkit.visualize.results import OptimizationResult, ResultCache


@pytest.fixture
def plan():
    return Plan(objective=class_logit(3), steps=9)


def result(plan, level=1.0, size=8):
    images = np.full((1, size, size, 3), level, np.float32)
    return OptimizationResult(plan, images, {"curves": {"step": [1.0]}})


def test_what_is_put_is_got(tmp_path, plan):
    cache = ResultCache(tmp_path / "results", 10**6)
    key = cache.key("weights", plan)
    assert cache.get(key) is None
    cache.put(key, result(plan))
    found = cache.get(key)
    assert found.plan == plan and found.card["curves"] == {"step": [1.0]}
    np.testing.assert_array_equal(found.images, 1)
    cache.put(key, result(plan, 2))  # the first stays: equal keys are equal images
    np.testing.assert_array_equal(cache.get(key).images, 1)


def test_curves_of_an_older_version_are_read_under_the_names_of_the_terms(tmp_path):
    plan = Plan(objective=class_logit(3) - 2 * total_variation() - total_variation(beta=3))
    cache = ResultCache(tmp_path, 10**6)
    stored = {"step": [1.0], "terms/0": [5.0], "terms/1": [6.0], "terms/2": [7.0]}
    cache.put("k", OptimizationResult(plan, np.zeros((1, 8, 8, 3)), {"curves": stored}))
    assert cache.get("k").card["curves"] == {
        "step": [1.0],
        "objective.class_logit": [5.0],
        "objective.total_variation": [6.0],
        "objective.total_variation_2": [7.0],
    }


def test_other_weights_plans_and_beginnings_have_other_keys(tmp_path, plan):
    cache = ResultCache(tmp_path, 10**6)
    other = Plan(objective=class_logit(3), steps=9, seed=1)
    keys = {
        cache.key("a", plan),
        cache.key("b", plan),
        cache.key("a", other),
    }
    assert len(keys) == 3


def test_the_least_used_go_when_there_is_no_room(tmp_path, plan):
    cache = ResultCache(tmp_path, 70_000)  # three of about 20 kB on disk
    for n in range(5):
        cache.put(f"k{n}", result(plan, n, 32))
        os.utime(tmp_path / f"k{n}", (n, n))
        if n == 2:
            cache.get("k0")
    left = {entry.name for entry in tmp_path.iterdir()}
    assert "k0" in left and "k4" in left and "k1" not in left
    assert sum(f.stat().st_size for f in tmp_path.rglob("*") if f.is_file()) <= 70_000


@pytest.mark.parametrize("damage", ["card.json", "images.npy"])
def test_a_damaged_entry_is_removed_and_made_again(tmp_path, plan, damage):
    cache = ResultCache(tmp_path, 10**6)
    cache.put("k", result(plan))
    path = tmp_path / "k" / damage
    path.write_bytes(path.read_bytes()[:30])
    assert cache.get("k") is None and not (tmp_path / "k").exists()
    cache.put("k", result(plan))
    assert cache.get("k").plan == plan
    assert json.loads((tmp_path / "k" / "card.json").read_text())["plan"]["steps"] == 9
