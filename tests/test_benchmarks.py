"""The arithmetic of the benchmarks: a wrong ratio would look as convincing as a right one."""

import json

import numpy as np
import pytest

from benchmarks import (
    __main__,
    _accuracy_table,
    _explanations_table,
    _flowers_table,
    _regions,
    accuracy,
    anatomy,
    features,
    flower_choices,
    flowers,
    transfer,
)
from benchmarks.__main__ import DOCUMENT, HEAD, PARTS, RESULTS, document
from benchmarks._measure import Row, ratio_of_pairs, take_turns
from benchmarks._torch_env import torch_python
from cnnkit.published.reproductions import get_reproduction
from cnnkit.training import list_recipes


def test_contenders_take_turns_and_each_begins_a_round():
    order = []

    def contender(name):
        return lambda: order.append(name) or 1.0

    results = take_turns({name: contender(name) for name in "abc"}, rounds=3)
    assert results == {name: [1.0, 1.0, 1.0] for name in "abc"}
    assert order == list("abc" + "bca" + "cab")


def test_ratio_is_the_median_of_the_rounds_and_not_of_all_against_all():
    # A slow second round doubles both: the ratio of the round stays what it is.
    assert ratio_of_pairs([1.0, 2.0, 1.5], [2.0, 4.0, 1.0]) == (0.5, 0.5, 1.5)


def test_rounds_of_different_number_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        ratio_of_pairs([1.0, 2.0], [1.0])


def test_the_document_has_a_line_for_each_row_and_note():
    row = Row(what="Waiting", ours="1 s", peer="2 s", ratio="0.50", target="at most 1")
    result = {"rows": [vars(row)], "notes": ["Taken at night."], "where": ["On a hill."]}
    text = document({"memory": result})
    assert "| Waiting | 1 s | 2 s | 0.50 | at most 1 |" in text
    assert "- Taken at night.\n- On a hill." in text
    assert "## Memory of a long training" in text and "## Training" not in text


def test_the_document_is_what_was_measured(root):
    assert DOCUMENT.read_text("utf-8") == document(json.loads(RESULTS.read_text("utf-8")))


def test_without_pytorch_its_part_is_skipped_with_a_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CNNKIT_TORCH_PYTHON", str(tmp_path / "python"))
    monkeypatch.setattr("sys.argv", ["benchmarks", "bare_pytorch"])
    before = RESULTS.read_text("utf-8")
    __main__.main()
    assert "Skipped: There is no environment with PyTorch: `make torch`" in capsys.readouterr().err
    assert RESULTS.read_text("utf-8") == before
    assert "`make torch`" in " ".join(HEAD.split()) and not __main__.lacking("memory")


@pytest.mark.skipif(not torch_python(), reason="no environment with PyTorch: `make torch`")
def test_pytorch_trains_the_same_network_and_a_foreign_one_is_refused():
    from benchmarks._torch_peer import TorchLoop
    from cnnkit.models import create_model

    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (64, 28, 28, 1)), rng.integers(0, 10, 64)
    arrays = {"images": images.astype("uint8"), "labels": labels}
    arrays |= {f"validation_{name}": values for name, values in arrays.items()}
    settings = {"lr": 1e-3, "weight_decay": 0.0}
    task = {"loop": "training", "network": "deep_mnist", "batch_size": 32, "optimizer": "adamw"}
    task |= {"settings": settings, "steps": 1, "compile": False}
    model = create_model("deep_mnist", seed=0)
    with TorchLoop(task, model, arrays) as loop:
        assert set(loop.found["tried"]) == {"contiguous, eager", "channels_last, eager"}
        assert 0 < loop.seconds(1) < 60
    with pytest.raises(RuntimeError, match="not the same"):
        TorchLoop(task, create_model("deep_mnist", seed=0, activation="tanh"), arrays)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_exists(part, root):
    assert (root / "benchmarks" / f"{part}.py").is_file()


def test_every_published_cost_names_its_source():
    for name, figures in anatomy.PUBLISHED.items():
        assert figures.macs and len(figures.source) > 20, name


@pytest.mark.parametrize("name", ["lenet_tutorial", "compact_cnn"])
def test_the_table_of_costs_is_what_is_counted_now(name, root):
    text = (root / "docs" / "anatomy.md").read_text("utf-8")
    assert anatomy.table({name: anatomy.count(name)}).splitlines()[-1] in text


def test_the_tables_of_accuracy_are_what_was_measured(monkeypatch, tmp_path):
    page = tmp_path / "reproduction.md"
    page.write_text(_accuracy_table.PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(_accuracy_table, "PAGE", page)
    _accuracy_table.write_tables(list(accuracy.lines()))
    assert page.read_text("utf-8") == (accuracy.ROOT / "docs/reproduction.md").read_text("utf-8")


def test_a_published_figure_stands_beside_ours_and_says_whether_it_was_reached():
    mlp = get_reproduction("mlp")
    values = {"seconds": 60.0, "values": mlp.recipe.to_dict()}
    measured = [
        values | {"seed": seed, "test_error": error} for seed, error in enumerate((0.016, 0.018))
    ]
    assert _accuracy_table._beside(mlp, measured)[1:] == (
        "test error 1.65 %",
        "validation error 1.69 %",
        "1.70 %, not reached",
        "2 seeds",
        "60",
    )
    assert _accuracy_table._beside(mlp, []) is None


def test_the_page_of_flowers_is_what_was_measured():
    text = flowers.DOCUMENT.read_text("utf-8")
    assert text == _flowers_table.document(flowers.lines(), flower_choices.table())


def test_a_training_that_was_only_timed_chooses_no_block():
    measured = [line for line in flowers.lines() if line["network"] == "mobilenet_v2"]
    timed = [line | {"val_accuracy": 1.0} for line in measured if line.get("cold")]
    for line in timed:
        before = _flowers_table.chosen("mobilenet_v2", line["seed"], measured)
        assert _flowers_table.chosen("mobilenet_v2", line["seed"], [*measured, line]) == before


def test_each_choice_is_another_training_and_none_looks_at_test_images():
    recipes = [recipe for _, recipe in flower_choices.choices()]
    assert len({recipe.fingerprint() for recipe in recipes}) == len(recipes)
    assert not any(key.startswith("test") for line in flower_choices.lines() for key in line)


def test_every_recipe_of_vgg16_is_measured_on_the_flowers():
    own = {f"vgg16/{recipe.name}" for recipe in list_recipes("vgg16", fine_tuning=True)}
    assert own == set(_flowers_table.RECIPES)
    for name in own:
        (recipe,) = flowers.recipes(name, 3)
        assert recipe.seed == recipe.split_seed == 3


def test_the_rate_of_features_counts_the_frozen_layers_only():
    images = np.zeros((9, 48, 48, 3), np.uint8)
    measured = features.Features("photo_cnn", 48, "block3", transfer.noise(images, 6, 2))
    deeper = features.Features("photo_cnn", 48, "block2", transfer.noise(images, 6, 2))
    assert 0 < deeper.macs < measured.macs


def test_the_page_on_explanations_is_what_was_measured(root):
    text = (root / "docs" / "explain.md").read_text("utf-8")
    assert text == _explanations_table.document(_explanations_table.lines())


def test_the_page_on_explanations_says_which_methods_fail():
    def line(network, method, depends):
        return {
            "kind": "randomization", "network": network, "what": method, "machine": ["a machine"],
            "upper": [0.9, 0.8], "correlations": [[0.9, 0.8], [0.1, 0.3]], "depends": depends,
        }  # fmt: skip

    guided = line("googlenet", "guided_backpropagation", [False, True])
    text = _explanations_table.document([guided, line("googlenet", "gradient", [True, True])])
    assert "| Guided backpropagation | 0.85, 0.20 **fails** |" in text
    assert "| Gradient | 0.85, 0.20 |" in text and "the one method that fails" in text
    text = _explanations_table.document([guided, line("mobilenet_v2", "rise", [True, False])])
    assert "Guided backpropagation (GoogLeNet), RISE (MobileNetV2)" in text
    text = _explanations_table.document([line("googlenet", "rise", [True, True])])
    assert "Methods that fail for an image: none." in text


def test_a_command_writes_its_part_of_a_document_and_leaves_the_others(tmp_path):
    document = tmp_path / "a.md"
    document.write_text(
        "# A\n<!-- part: b -->\nold\n<!-- end -->\n<!-- part: c -->\n<!-- end -->\n"
    )
    _regions.write_part(document, "c", "new")
    _regions.write_part(document, "b", "| x |\n")
    assert document.read_text() == (
        "# A\n<!-- part: b -->\n| x |\n<!-- end -->\n<!-- part: c -->\nnew\n<!-- end -->\n"
    )
    with pytest.raises(ValueError, match="it has b, c"):
        _regions.write_part(document, "d", "")
