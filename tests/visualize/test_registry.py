"""Every registered component, whichever there are, works where all of them must."""

import json

import numpy as np
import pytest
import tensorflow as tf

from cnnkit.visualize import Plan, class_logit, optimizers, presets, registry
from cnnkit.visualize.optimize import Maximization
from cnnkit.visualize.plan import script
from cnnkit.visualize.registry import IMAGE_REGULARIZER, REGULARIZER, TRANSFORM

ASCENT = optimizers.sgd(2.0, normalized="rms")
PLAN = presets.completed(Plan(objective=class_logit(1), optimizer=ASCENT))
REGULARIZERS = [one.kind for one in registry.definitions(REGULARIZER)]


@pytest.fixture(scope="module")
def running(small):
    return Maximization(small, PLAN)


@pytest.mark.parametrize("kind", REGULARIZERS)
@pytest.mark.parametrize("level", [0.0, 127.5, 255.0])
def test_a_regularizer_and_its_gradient_are_finite_even_of_a_flat_image(kind, level, images):
    one = registry.definition(kind)
    numbers = {n: tf.constant(v, tf.float32) for n, v in one.component().numbers.items()}
    batch = tf.constant(np.concatenate([images, np.full((1, 16, 16, 3), level, np.float32)]))
    with tf.GradientTape() as tape:
        tape.watch(batch)
        values = one.compute(batch, **numbers)
    assert values.shape == (4,)
    gradient = tape.gradient(values, batch)
    assert np.isfinite(values).all() and np.isfinite(gradient).all()
    assert np.abs(gradient[:3]).max() > 0


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_a_regularizer_turned_up_while_running_falls(kind, running):
    running.go_back(running.engine.begin(running.plan))
    name = f"objective.{kind}.weight"
    before = running.step().values
    running.steer({"objective.class_logit.weight": 1e-6, name: -1e3})
    after = [running.step() for _ in range(4)][-1].values
    running.steer({"objective.class_logit.weight": 1, name: 0})
    term = next(term for term in before if term.startswith(f"{kind}("))
    assert after[term] < before[term]


@pytest.mark.parametrize("role", [REGULARIZER, TRANSFORM, IMAGE_REGULARIZER])
def test_a_completed_plan_has_each_number_that_has_a_slider(role):
    section = {REGULARIZER: "objective", TRANSFORM: "transforms"}.get(role, "regularizers")
    numbers = PLAN.numbers()
    for one in registry.definitions(role):
        for number, slider in one.sliders.items():
            value = numbers[f"{section}.{one.kind}.{number}"]
            assert slider.low <= abs(value) <= slider.high
            if slider.options and value:
                assert value in slider.options


def test_components_that_are_neutral_change_no_image(small):
    plan = Plan(objective=class_logit(1), optimizer=ASCENT)
    plain, completed = (Maximization(small, each) for each in (plan, PLAN))
    for _ in range(4):
        found, expected = completed.step(), plain.step()
    np.testing.assert_allclose(found.images, expected.images, atol=1e-3)


def test_a_plan_of_all_of_them_survives_json_and_its_script_names_them():
    assert Plan.from_dict(json.loads(PLAN.to_json())) == PLAN
    program = script("network.keras", PLAN)
    for role in (REGULARIZER, TRANSFORM, IMAGE_REGULARIZER):
        for one in registry.definitions(role):
            assert one.kind in program or not one.sliders


def test_a_new_regularizer_needs_nothing_but_its_function(monkeypatch, small):
    monkeypatch.setattr(registry, "DEFINITIONS", dict(registry.DEFINITIONS))

    @registry.regularizer(title="Contrast", weight=registry.log_slider(1e-2, 1e2))
    def contrast(image, power=2.0):
        return tf.reduce_mean(tf.abs(image - 127.5) ** power, (1, 2, 3))

    assert str(class_logit(1) - 2 * contrast(3)).endswith("-2·contrast(power=3)")
    plan = presets.completed(presets.get("quick").plan(class_logit(1)))
    plan = plan.turned({"objective.contrast.weight": -2})
    assert Plan.from_dict(json.loads(plan.to_json())) == plan
    step = Maximization(small, plan).step()
    assert step.values["contrast(power=2)"] > 0


def test_stable_names_count_components_of_one_kind_and_older_names_are_read():
    plan = presets.get("lucid").plan(class_logit(3) + 2 * class_logit(4))
    assert {
        "objective.class_logit.unit",
        "objective.class_logit_2.weight",
        "transforms.jitter.pixels",
        "transforms.jitter_2.pixels",
        "optimizer.learning_rate",
    } <= plan.numbers().keys()
    older = {"terms/1/weight": 5, "transforms/4/pixels": 2, "optimizer/learning_rate": 0.1}
    newer = {
        "objective.class_logit_2.weight": 5,
        "transforms.jitter_2.pixels": 2,
        "optimizer.learning_rate": 0.1,
    }
    assert plan.turned(older) == plan.turned(newer) != plan
    blurred = presets.get("yosinski_1").plan(class_logit(3))
    assert blurred.turned({"operators/0/width": 2}).numbers()["regularizers.blur.sigma"] == 2


def test_a_plan_stored_by_an_older_version_is_read():
    plan = presets.get("yosinski_1").plan(class_logit(3) - 2 * presets.regularizers.l2(100))
    stored = plan.to_dict()
    stored["operators"] = stored.pop("regularizers")
    stored["operators"][0]["numbers"] = {"width": 0.5, "every": 4.0}
    stored["objective"][1]["numbers"] = {"centre": 100.0}
    stored["start"]["numbers"] = {"spread": 10.0, "centre": 127.5}
    stored["optimizer"] = {
        "kind": "sgd",
        "numbers": {"learning_rate": 100.0, "momentum": 0.0},
        "options": {"normalised": "none"},
    }
    assert Plan.from_dict(json.loads(json.dumps(stored))) == plan


def test_an_unknown_component_lists_those_there_are():
    with pytest.raises(registry.UnknownComponentError, match="total_variation"):
        registry.definition("variation")
    with pytest.raises(TypeError, match="jitter takes pixels"):
        presets.transforms.jitter(degrees=3)
