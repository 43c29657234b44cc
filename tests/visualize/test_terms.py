"""Objectives are data: summed, listed, printed, stored."""

import inspect
import json

import pytest

from cnnkit.visualize import (
    Objective,
    channel,
    class_logit,
    class_probability,
    direction,
    diversity,
    guide,
    l2,
    layer_energy,
    lp_norm,
    neuron,
    total_variation,
)
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.presets import PRESETS, get

EVERY = [
    class_logit(3),
    class_probability([1, 2, 3]),
    channel("conv1", 2),
    neuron("conv2", 1, 0, 2),
    direction("conv1", [1, 0, -1, 2]),
    layer_energy("conv1", border=2),
    guide("conv2", "sky"),
    diversity("conv1"),
    lp_norm(float("inf")),
    total_variation(1.5),
    l2([104, 117, 123]),
]


def test_an_objective_prints_as_the_sum_it_is():
    objective = channel("conv1", 2) - 10 * total_variation(beta=2) + 0.5 * lp_norm(p=6)
    assert str(objective) == (
        "+1·channel(conv1, unit=2) -10·total_variation(beta=2) +0.5·lp_norm(p=6)"
    )


def test_factors_reach_every_term():
    doubled = 2 * (channel("a", 1) - 3 * channel("b", 2))
    assert [weight for weight, _ in doubled.terms] == [2, -6]
    assert [weight for weight, _ in (-doubled).terms] == [-2, 6]


def test_only_the_layers_that_are_read_are_named_and_each_once():
    objective = channel("a", 1) + channel("b", 2) + channel("a", 3) - total_variation()
    assert objective.layers == ("a", "b")
    assert class_logit(1).layers == ("",)


@pytest.mark.parametrize("objective", EVERY, ids=str)
def test_an_objective_survives_json_and_can_be_a_key(objective):
    again = Objective.from_list(json.loads(json.dumps(objective.to_list())))
    assert again == objective
    assert hash(again.terms[0][1]) == hash(objective.terms[0][1])


@pytest.mark.parametrize("name", PRESETS)
def test_a_plan_of_every_preset_survives_json(name):
    plan = get(name).plan(class_logit([4, 5]), images=2, seed=7, size=(32, 24))
    assert Plan.from_dict(json.loads(plan.to_json())) == plan
    assert str(plan).startswith("maximize ")


def test_turning_a_number_keeps_the_shape_and_changing_a_part_does_not():
    plan = get("post_total_variation").plan(class_logit(4))
    turned = plan.turned(
        {
            "objective.total_variation.weight": -3,
            "objective.lp_norm.p": 4,
            "optimizer.learning_rate": 2,
        }
    )
    assert turned.shape() == plan.shape()
    assert str(turned.objective) == (
        "+1·class_logit(unit=4) -10·lp_norm(p=4) -3·total_variation(beta=2)"
    )
    assert get("lucid").plan(class_logit(4)).shape() != plan.shape()


def test_turning_a_number_that_is_not_there_lists_those_that_are():
    plan = Plan(objective=class_logit(4))
    with pytest.raises(
        ValueError, match=r"No number 'objective.l2.weight'.*objective.class_logit.unit"
    ):
        plan.turned({"objective.l2.weight": 1})


@pytest.mark.parametrize("unit", [7, [7], (7.0,)])
def test_a_turned_unit_keeps_its_form(unit):
    plan = Plan(objective=class_logit(4)).turned({"objective.class_logit.unit": unit})
    assert plan == Plan(objective=class_logit(7))


@pytest.mark.parametrize("value", ["7", None, float("nan"), [], ["7"], True])
def test_what_is_no_number_is_not_turned_to(value):
    with pytest.raises(ValueError, match="must be a number, or several. Received: "):
        Plan(objective=class_logit(4)).turned({"optimizer.learning_rate": value})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": 0}, "1 to 64. Received: 0"),
        ({"images": 3, "objective": class_logit([1, 2])}, "2 units for 3 images"),
        ({"steps": 0}, "at least 1. Received: 0"),
        ({"size": (2, 32)}, "4 to 2048 pixels"),
        ({"objective": Objective(())}, "no term"),
    ],
)
def test_what_cannot_work_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Plan(**({"objective": class_logit(1)} | changes))


def test_help_says_what_a_call_takes():
    assert list(inspect.signature(channel).parameters) == ["layer", "unit"]
    assert list(inspect.signature(class_logit).parameters) == ["unit"]
    assert list(inspect.signature(total_variation).parameters) == ["beta"]
    for make in (channel, neuron, direction, layer_energy, guide, diversity, lp_norm, l2):
        text = inspect.getdoc(make) or ""
        names = list(inspect.signature(make).parameters)
        assert [name for name in names if f"    {name}: " not in text] == []
        assert "    activations:" not in text and "    image:" not in text


@pytest.mark.parametrize(
    "make",
    [
        lambda: class_logit("12"),
        lambda: class_logit(None),
        lambda: channel("conv1", "12"),
        lambda: channel(30),
        lambda: channel(),
        lambda: Plan(objective=65),
    ],
)
def test_units_layers_and_objectives_of_another_kind_are_refused(make):
    with pytest.raises(TypeError, match="Received: "):
        make()


def test_an_unknown_preset_lists_those_there_are():
    with pytest.raises(LookupError, match="Unknown preset 'seed'.*lucid.*post_naive"):
        get("seed")
