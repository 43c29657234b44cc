import json
from types import SimpleNamespace

import pytest

from cnnkit.errors import InvalidRecipeError
from cnnkit.figures.seed_spread import data_and_depth
from cnnkit.training import get_recipe
from cnnkit.training.data_and_depth import METHODS, collect, missing, plan

RECIPE = get_recipe("mobilenet_v2", "fast")


def planned(**changes):
    return plan(RECIPE, "block_16", **{"counts": (5, 60), "seeds": (0, 1)} | changes)


def test_every_method_meets_every_number_and_split():
    runs = planned()
    assert len({(one.method, one.per_class, one.seed) for one in runs}) == len(runs) == 4 * 2 * 2
    assert len({one.recipe.fingerprint() for one in runs}) == len(runs)
    for one in runs:
        assert (one.recipe.per_class, one.recipe.split_seed) == (one.per_class, one.seed)


def test_the_methods_are_depths():
    depths = {
        one.method: [phase.train_from for phase in one.recipe.phases]
        for one in planned()
        if one.recipe.head
    }
    assert depths == {
        "head": ["head"], "last block": ["head", "block_16"], "all": ["head", "all"]
    }  # fmt: skip


def test_fewer_images_are_seen_oftener():
    few, many = planned(seeds=(0,), methods=("head",))
    assert many.recipe.phases[0].epochs == RECIPE.phases[0].epochs
    assert few.recipe.phases[0].epochs == 12 * RECIPE.phases[0].epochs


def test_finished_runs_are_found_again_whatever_their_names():
    runs = planned()
    done = [
        SimpleNamespace(
            spec=json.loads(one.recipe.replace(name="mine").to_json()),
            metrics={"test_accuracy": 0.5 + one.per_class / 200} if one.seed == 0 else {},
        )
        for one in runs
    ]
    found = collect(runs, done)
    assert len(found) == 8 and {one.seed for one in found} == {0}
    assert {one.accuracy for one in found if one.per_class == 60} == {0.8}
    assert missing(runs, done[1:]) == runs[:1]


def test_the_chart_has_a_line_for_each_method_and_a_band_where_there_are_several():
    runs = planned()
    done = [
        SimpleNamespace(spec=r.recipe.to_dict(), metrics={"test_accuracy": 0.4 + 0.1 * r.seed})
        for r in runs
    ]
    figure = data_and_depth(collect(runs, done), METHODS)
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [line.name for line in lines] == list(METHODS)
    assert list(lines[0].x) == [5, 60] and list(lines[0].y) == pytest.approx([45, 45])
    bands = [trace for trace in figure.data if trace.fill]
    assert len(bands) == 4 and sorted(bands[0].y) == pytest.approx([40, 40, 50, 50])
    assert data_and_depth([], METHODS).data == ()


def test_an_unknown_method_is_named():
    with pytest.raises(InvalidRecipeError, match="from scratch"):
        planned(methods=("halfway",))
