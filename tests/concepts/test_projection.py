from __future__ import annotations

import math

import pytest

from cnnkit.anatomy import layer_table
from cnnkit.concepts.inception_costs import FIRST_CHANNELS, count_stack, module_stack, total_cost
from cnnkit.models import create_model, without_weights


@pytest.fixture(scope="module")
def googlenet():
    return layer_table(without_weights(lambda: create_model("googlenet")))


def test_as_published_every_module_is_that_of_the_real_network(googlenet):
    shapes = {row.name: row.output_shape for row in googlenet.rows}
    for module in module_stack():
        expected = (module.side, module.side, module.depth)
        assert shapes[f"inception_{module.name}"] == expected


def test_as_published_the_cost_is_that_of_the_real_network(googlenet):
    rows = [row for row in googlenet.rows if row.name.startswith("inception_")]
    found = total_cost(module_stack())
    assert found.macs == sum(row.macs for row in rows)
    assert found.parameters == sum(row.parameters for row in rows)


@pytest.mark.parametrize("share", [None, 0.25, 1.0, 4.0])
def test_a_stack_really_built_costs_and_is_as_deep_as_the_formula_says(share):
    modules = module_stack(share)
    assert count_stack(modules) == (total_cost(modules), tuple(module.depth for module in modules))


def test_without_projections_each_module_gives_all_it_got_and_more():
    before = FIRST_CHANNELS
    for module in module_stack(None):
        assert module.channels == before
        assert module.parts[-1] == before
        before = module.depth
        assert before > module.channels
    assert before == FIRST_CHANNELS + sum(sum(m.parts[:3]) for m in module_stack())


def test_a_wider_projection_makes_later_modules_deeper_and_dearer():
    costs = [total_cost(module_stack(share)).macs for share in (0.25, 0.5, 1.0, 2.0, 4.0)]
    assert costs == sorted(costs)
    assert module_stack(2.0)[0].parts[-1] == 2 * module_stack()[0].parts[-1]


def test_the_smallest_projection_is_one_map():
    assert all(module.parts[-1] == 1 for module in module_stack(1e-9))
    assert math.isclose(module_stack(1e-9)[0].depth, 64 + 128 + 32 + 1)
