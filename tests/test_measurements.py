"""Figures of our own, read from what trainings wrote."""

from __future__ import annotations

import json

import pytest

from cnnkit.errors import CorruptAssetError
from cnnkit.published import measurements as measured
from cnnkit.published.flowers import flower_results, read_results
from cnnkit.published.reproductions import get_reproduction
from cnnkit.training import get_recipe

RECIPE = get_reproduction("toy_all").recipe


def line(seed=0, **changes):
    return {
        "kind": "training",
        "recipe": "toy_cnn/published",
        "values": RECIPE.to_dict(),
        "seed": seed,
        "reason": "finished",
        "test_error": 0.0,
        "test_accuracy": 1.0,
        "test_true_probability": 0.97,
        "epochs": 200,
        "seconds": 30.0,
        "machine": ["2 cores (some), 24 GiB of memory, no GPU", "Linux"],
        "when": "2026-11-21T09:39:56+00:00",
    } | changes


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / "accuracy.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
        return [path]

    return write


def test_the_newest_line_of_each_seed_counts(file):
    found = measured.read_measurements(file(line(1), line(0), line(1, test_accuracy=0.5)))
    assert [one.recipe.seed for one in found] == [0, 1]
    assert [one.metrics["test_accuracy"] for one in found] == [1.0, 0.5]
    assert measured.mean(found, "test_accuracy") == 0.75


def test_what_has_not_ended_or_is_no_training_is_left_out(file):
    other = line()
    del other["values"]
    unknown = line(values=RECIPE.to_dict() | {"of_the_future": 1})
    assert (
        measured.read_measurements(file(line(reason="paused"), line(kind="ratio"), other, unknown))
        == []
    )


def test_a_damaged_line_names_its_file(file, tmp_path):
    paths = file(line())
    paths[0].write_text(paths[0].read_text() + "{half a li")
    with pytest.raises(CorruptAssetError, match="line 2"):
        measured.read_measurements(paths)


def test_a_mean_of_nothing_is_unknown():
    assert measured.mean([], "test_error") is None


def test_the_shipped_lines_can_be_read_and_are_found_by_their_recipe():
    found = measured.measurements()
    assert found
    for one in found:
        assert one in measured.measurements(one.recipe.replace(seed=99, name="any"))
        assert 0 <= one.metrics["test_error"] <= 1 and one.seconds > 0 and one.machine


def test_divisions_of_a_data_set_are_measurements_of_one_recipe(file):
    recipe = get_reproduction("flowers_mobilenet_v2").recipe
    divided = [
        line(seed, values=recipe.replace(seed=seed, split_seed=seed).to_dict()) for seed in (0, 1)
    ]
    found = measured.read_measurements(file(*divided, line()))
    assert [one.identity == measured.identity(recipe) for one in found] == [True, True, False]


def test_a_time_that_rests_on_features_of_others_is_told_apart(file):
    values = get_reproduction("flowers_mobilenet_v2").recipe.to_dict()
    lines = [
        line(0, values=values, features=5),
        line(1, values=values, features=9, cold=True),
        line(2),
    ]
    found = {one.recipe.seed: one.shared for one in measured.read_measurements(file(*lines))}
    assert found == {0: True, 1: False, 2: False}


def flower(recipe="vgg16/published", seed=0, depth="block5", **changes):
    values = get_recipe("vgg16", "published").replace(seed=seed).to_dict()
    return {
        "kind": "training", "reason": "finished", "network": "vgg16", "recipe": recipe,
        "values": values, "seed": seed, "depth": depth, "test_accuracy": 0.8, "val_accuracy": 0.9,
        "seconds": 40.0, "parameters": 7, "features": 9,
    } | changes  # fmt: skip


def test_flower_results_are_of_the_depth_that_validation_chose_on_each_split():
    lines = [
        flower(depth="block5", test_accuracy=0.7),
        flower(depth="block4", test_accuracy=0.6),  # as good on the validation set, and deeper
        flower(depth="head", test_accuracy=0.9, val_accuracy=0.8),
        flower(seed=1, test_accuracy=0.8),
        flower(seed=1, test_accuracy=0.9),  # measured again
        flower(seed=2, reason="paused"),
        flower("vgg16/fast", test_accuracy=0.5),
    ]
    first, second = read_results(lines)
    assert (first.name, first.accuracies, first.parameters) == ("published", (0.7, 0.9), 7)
    assert first.accuracy == pytest.approx(0.8) and first.seconds is None
    assert first.is_of(get_recipe("vgg16", "published"))
    assert (second.name, second.accuracies) == ("fast", (0.5,))


def test_only_trainings_from_an_empty_cache_tell_the_time_of_a_flower_result():
    timed = flower(cold=True, seconds=100.0, test_accuracy=0.6)
    (result,) = read_results([flower(), timed, timed | {"seconds": 200.0}])
    assert (result.seconds, result.accuracies) == (150, (0.8,))
    (result,) = read_results([timed])
    assert result.accuracies == (0.6,)
    (result,) = read_results(
        [flower(values=get_recipe("compact_photo_cnn", "fast").to_dict(), recipe="x/fast")]
    )
    assert result.seconds == 40  # it caches nothing


def test_flower_results_that_ship_are_those_of_the_document(root):
    document = (root / "docs" / "flowers.md").read_text("utf-8")
    results = {(one.recipe.model, one.name): one for one in flower_results()}
    for network in ("mobilenet_v2", "googlenet"):
        assert f"{100 * results[network, 'fast'].accuracy:.2f} %" in document
