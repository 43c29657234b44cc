"""Visualize and Ladder: first visit, start, steering, links, and what cannot be."""

from __future__ import annotations

import dataclasses
import time
from functools import partial

import keras
import numpy as np
import pytest

from cnnkit.assets import ASSETS
from cnnkit.models import ModelCache
from cnnkit.settings import get_settings
from cnnkit.studio import Source
from cnnkit.studio.status import Look
from cnnkit.visualize import class_logit, presets
from cnnkit.visualize.presets import completed
from cnnkit.visualize.results import OptimizationResult
from tests.pages import opened, words_of

open_page = partial(opened, "pages/visualize.py")
open_ladder = partial(opened, "pages/ladder.py")
PLAN = presets.get("quick").plan(class_logit(7), size=(28, 28))


@pytest.fixture
def still(monkeypatch):
    """A studio without a child: orders are noted, and what was told is made up by the test."""
    from cnnkit.studio import Studio

    orders: list[dict] = []
    looks: dict[str, Look] = {}

    class Still(Studio):
        def wake(self):
            pass

        def _order(self, **order):
            orders.append(order)

        def look(self, session):
            return looks.get(session)

        def start(self, source, plan, **how):
            looks["one"] = Look(
                status="running",
                number=10,
                steps=plan.steps,
                seconds_per_step=0.1,
                plan=plan.to_dict(),
                kept=[0, 8],
                curves={"step": [1.0, 2.0], "gradient_norm": [1.0, 1.0]}
                | {f"terms/{n}": [1.0, 2.0] for n in range(len(plan.objective.terms))},
            )
            orders.append({"do": "start", "source": source, "plan": plan})
            return "one"

        def frame(self, session, number=None):
            return np.full((1, 28, 28, 1), 9, np.uint8)

        def answer(self, question):
            return {
                "title": "LeNet",
                "input_shape": [28, 28, 1],
                "class_names": list("0123456789"),
                "verdicts": [[verdict("8 bit", True), verdict("8 bit", False)]],
                "layers": [["conv1", "Conv2D", [24, 24, 20]], ["logits", "Dense", [10]]],
            }

    monkeypatch.setattr("cnnkit.ui.common.cache.Studio", Still)
    return orders, looks


def verdict(form, own):
    answers = [{"index": n, "name": str(n), "probability": 0.1} for n in (7, 1, 2, 3)]
    return {"network": "LeNet", "form": form, "own": own, "answers": answers, "target": 0.9}


def pressed(at, label):
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def test_the_first_visit_says_what_to_do(still):
    at = open_page(network="run.starter")
    assert "Press **Start**" in at.info[0].value
    layers = at.selectbox(key="choice_layer")
    assert layers.options[0] == "The answer: 10 classes"
    assert "conv1 · Conv2D 24×24×20" in layers.options


def test_a_link_restores_network_layer_unit_recipe_and_sliders(still):
    at = open_page(
        **{
            "network": "run.starter",
            "layer": "conv1",
            "unit": "5",
            "preset": "post_total_variation",
            "steps": "48",
            "seed": "3",
            "total_variation.weight": "2",
        }
    )
    pressed(at, "Start")
    plan = still[0][-1]["plan"]
    assert str(plan.objective).startswith("+1·channel(conv1, unit=5)")
    assert plan.steps == 48 and plan.seed == 3
    assert plan.numbers()["terms/2/weight"] == -2


def test_moving_a_slider_steers_what_runs_and_begins_nothing(still):
    orders, _ = still
    at = pressed(open_page(network="run.starter", unit="7", preset="quick"), "Start")
    assert any("Step 10 of 64" in progress.text for progress in at.get("progress"))
    at.select_slider(key="number_total_variation.weight").set_value(5.0).run()
    assert not at.exception
    assert orders[-1] == {"do": "steer", "session": "one", "numbers": {"terms/1/weight": -5.0}}
    assert [order["do"] for order in orders].count("start") == 1
    assert at.query_params["total_variation.weight"] == "5"
    at.selectbox(key="choice_unit").set_value("3").run()
    assert orders[-1]["numbers"] == {"terms/0/unit": (3.0,)}


def test_another_recipe_asks_for_a_new_start(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    at.selectbox(key="choice_preset").set_value("lucid").run()
    assert "need a new start" in at.info[0].value
    assert [order["do"] for order in still[0]].count("start") == 1


def test_buttons_give_orders(still):
    orders, looks = still
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    pressed(at, "Pause")
    assert orders[-1]["do"] == "pause"
    pressed(at, "Go back to it")
    assert orders[-1] == {"do": "back", "session": "one", "number": 8}
    pressed(at, "Other noise")
    assert orders[-1]["do"] == "restart"
    pressed(at, "Ask the networks")
    assert orders[-1]["do"] == "check" and orders[-1]["targets"] == ["7"]
    assert "2 of 2 put 7 first; of the 1 networks" in words_of(at)


def test_what_went_wrong_is_said(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    still[1]["one"] = Look(status="failed", steps=64, reason="Layer 'x' has 4 units.")
    at.run()
    assert any("has 4 units" in error.value for error in at.error)


def test_a_finished_image_opens_without_computing(still, own_home, root):
    from cnnkit.settings import get_settings
    from cnnkit.visualize.results import ResultCache

    settings = get_settings()
    cache = ResultCache(settings.results, settings.results_memory)
    plan = completed(PLAN)
    source = Source("folder", str(root / "cnnkit" / "starter"))
    card = {"curves": {"step": [1.0, 2.0]} | {f"terms/{n}": [1.0, 2.0] for n in range(4)}}
    key = cache.key(source.digest(), plan)
    cache.put(key, OptimizationResult(plan, np.zeros((1, 28, 28, 1), np.float32), card))
    at = open_page(network="run.starter", unit="7", preset="quick")
    assert "Made before with exactly these settings" in words_of(at)
    assert not [order for order in still[0] if order["do"] == "start"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"layer": "conv9"}, "layer “conv9”"),
        ({"unit": "99"}, "class “99”"),
        ({"preset": "best"}, "recipe “best”"),
        ({"total_variation.weight": "many"}, "Total variation must be 0 to 10000"),
        ({"network": "imagenet.nothing"}, "network “imagenet.nothing”"),
    ],
)
def test_a_bad_link_is_said_and_something_else_shown(still, query, words):
    at = open_page(**({"network": "run.starter"} | query))
    assert any(words in warning.value for warning in at.warning)


def test_the_ladder_offers_its_rungs_and_makes_them(still):
    at = open_ladder(network="run.starter", unit="7")
    assert len([m for m in at.markdown if m.value.startswith("**")]) == 9
    pressed(at, "Climb the ladder: 9 of 9 rungs are to be made")
    plans = [order["plan"] for order in still[0] if order["do"] == "start"]
    assert len(plans) == 9 and len({plan.steps for plan in plans}) == 1
    assert "class_probability" in str(plans[0].objective)


def test_a_rung_that_failed_is_said_and_may_be_tried_again(still):
    at = pressed(
        open_ladder(network="run.starter"), "Climb the ladder: 9 of 9 rungs are to be made"
    )
    still[1]["one"] = Look(status="failed", steps=96, reason="Layer 'x' has 4 units.")
    at.run()
    assert not at.exception
    assert [error.value for error in at.error] == ["Layer 'x' has 4 units."]
    pressed(at, "Climb the ladder: 9 of 9 rungs are to be made")


def test_what_was_steered_says_that_its_parameters_make_another_image(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    assert "another image grows" in words_of(at)  # the made-up look has no key
    still[1]["one"] = dataclasses.replace(still[1]["one"], key="abc")
    at.run()
    assert "another image grows" not in words_of(at)


def test_it_all_works_with_the_real_child():
    at = open_page(network="run.starter", unit="7", preset="quick", steps="20")
    pressed(at, "Start")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        at.run()
        if any("Step 20 of 20" in progress.text for progress in at.get("progress")):
            break
        time.sleep(0.5)
    assert any("Step 20 of 20" in progress.text for progress in at.get("progress"))
    assert not at.error


@pytest.mark.parametrize(
    ("link", "objective"),
    [
        ({"of": "neuron"}, "+1·neuron(conv1, unit=5, row=-1, column=-1)"),
        ({"of": "layer"}, "+1·layer_energy(conv1)"),
        ({"images": "4"}, "+1·channel(conv1, unit=5, 5, 5, 5) +100·diversity(conv1)"),
    ],
)
def test_of_a_hidden_layer_a_neuron_all_or_unlike_images_can_be_climbed(still, link, objective):
    at = open_page(network="run.starter", layer="conv1", unit="5", preset="post_linear", **link)
    pressed(at, "Start")
    assert str(still[0][-1]["plan"].objective).startswith(objective)


def test_a_brought_network_is_offered_and_found_by_the_child(still, own_home):
    brought = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)], name="mine"
    )
    brought.save(own_home / "mine.keras")
    at = open_page(network="run.starter")
    at.file_uploader(key="network_upload").set_value(
        ("mine.keras", (own_home / "mine.keras").read_bytes(), "application/octet-stream")
    ).run()
    assert not at.exception
    assert at.selectbox(key="choice_network").value == "file"
    pressed(at, "Start")
    source = still[0][-1]["source"]
    assert source.kind == "file" and source.digest()
    assert source.open(ModelCache(10**9)).card.input_shape == (8, 8, 1)


@pytest.fixture
def only_without_top(monkeypatch, tmp_path):
    """A data folder that holds of VGG16 the file without top alone."""
    path = tmp_path / "weights" / ASSETS["vgg16.imagenet.notop"].filename
    path.parent.mkdir()
    path.touch()
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()


def test_vgg16_without_top_is_asked_for_its_filters_and_has_no_classes(still, only_without_top):
    at = open_page(network="without_top.vgg16")
    assert at.selectbox(key="choice_network").value == "without_top.vgg16"
    assert not at.warning
    assert at.selectbox(key="choice_layer").options[0].startswith("conv1")
    pressed(at, "Start")
    order = still[0][-1]
    assert order["source"] == Source("without_top", "vgg16")
    assert str(order["plan"].objective).startswith("+1·channel(conv1")


@pytest.mark.parametrize("page", ["ladder", "layers", "deepdream"])
def test_every_page_of_images_offers_vgg16_without_top(still, only_without_top, page):
    at = opened(f"pages/{page}.py", network="without_top.vgg16")
    assert not at.error and not at.warning
    assert "VGG16 without top · ImageNet" in at.selectbox(key="choice_network").options
