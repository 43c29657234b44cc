import pytest

from cnnkit.errors import CorruptAssetError
from cnnkit.training.results import BaselinePredictions, predict_baseline
from tests.training.fine_tuning_parts import base, dataset, recipe


def test_the_network_as_it_was_gives_its_five_best_answers(tmp_path):
    names = [f"thing {number}" for number in range(10)]
    images, _ = dataset().part("test")
    before = predict_baseline(recipe(), images, lambda: (base(), names))
    assert len(before.names) == len(images) and {len(row) for row in before.names} == {5}
    for row in before.probabilities:
        assert list(row) == sorted(row, reverse=True) and 0 < sum(row) <= 1.001
    (tmp_path / "before.json").write_text(before.to_json())
    assert BaselinePredictions.read(tmp_path / "before.json") == before


def test_without_its_weights_nothing_is_said():
    wanted = recipe(run="", model="vgg16", weights="random")
    assert predict_baseline(wanted, dataset().images) is None


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "before.json").write_text("{}")
    with pytest.raises(CorruptAssetError, match="before.json"):
        BaselinePredictions.read(tmp_path / "before.json")
