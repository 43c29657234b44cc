import json
from types import SimpleNamespace

import pytest

from cnnkit.errors import InvalidRecipeError
from cnnkit.figures.seed_spread import data_and_depth
from cnnkit.training import Recipe
from cnnkit.training.transfer import TransferRecipe, get_transfer
from cnnkit.training.transfer.experiment import WAYS, collect, plan

RECIPE = get_transfer("mobilenet_v2")


def planned(**changes):
    return plan(RECIPE, "block_16", **{"counts": (5, 60), "seeds": (0, 1)} | changes)


def test_every_way_meets_every_number_and_division():
    runs = planned()
    assert len({(one.way, one.per_class, one.seed) for one in runs}) == len(runs) == 4 * 2 * 2
    assert len({json.dumps(one.spec, sort_keys=True) for one in runs}) == len(runs)
    for one in runs:
        kind = Recipe if one.kind == "train" else TransferRecipe
        recipe = kind.from_dict(one.spec)
        assert (recipe.per_class, recipe.split_seed) == (one.per_class, one.seed)


def test_the_ways_are_depths():
    depths = {
        one.way: [phase["train_from"] for phase in one.spec["phases"]]
        for one in planned()
        if one.kind == "fine_tune"
    }
    assert depths == {
        "frozen": ["head"], "last block": ["head", "block_16"], "all": ["head", "all"]
    }  # fmt: skip


def test_fewer_images_are_seen_oftener():
    few, many = planned(seeds=(0,), ways=("frozen",))
    assert many.spec["phases"][0]["epochs"] == RECIPE.phases[0].epochs
    assert few.spec["phases"][0]["epochs"] == 12 * RECIPE.phases[0].epochs


def test_finished_runs_are_found_again_whatever_their_names():
    runs = planned()
    done = [
        SimpleNamespace(
            kind=one.kind,
            spec=json.loads(json.dumps(dict(one.spec) | {"name": "mine"})),
            metrics={"test_accuracy": 0.5 + one.per_class / 200} if one.seed == 0 else {},
        )
        for one in runs
    ]
    found = collect(runs, done)
    assert len(found) == 8 and {one.seed for one in found} == {0}
    assert {one.accuracy for one in found if one.per_class == 60} == {0.8}


def test_the_chart_has_a_line_for_each_way_and_a_band_where_there_are_several():
    runs = planned()
    done = [
        SimpleNamespace(kind=r.kind, spec=r.spec, metrics={"test_accuracy": 0.4 + 0.1 * r.seed})
        for r in runs
    ]
    figure = data_and_depth(collect(runs, done), WAYS)
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [line.name for line in lines] == list(WAYS)
    assert list(lines[0].x) == [5, 60] and list(lines[0].y) == pytest.approx([45, 45])
    bands = [trace for trace in figure.data if trace.fill]
    assert len(bands) == 4 and sorted(bands[0].y) == pytest.approx([40, 40, 50, 50])
    assert data_and_depth([], WAYS).data == ()


def test_an_unknown_way_is_named():
    with pytest.raises(InvalidRecipeError, match="from nothing"):
        planned(ways=("halfway",))
