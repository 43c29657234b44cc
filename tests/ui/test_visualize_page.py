"""Visualize and Ladder: first visit, start, steering, links, and what cannot be."""

from __future__ import annotations

import time
from functools import partial

import keras
import numpy as np
import pytest

from cnnkit.assets import ASSETS
from cnnkit.models import ModelCache
from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.visualize import Plan, class_logit, presets, registry
from cnnkit.visualize.presets import completed
from cnnkit.visualize.results import OptimizationResult
from tests.pages import opened, words_of
from tests.shipped import write_weights
from tests.workers import StillWorker

open_page = partial(opened, "pages/visualize.py")
open_ladder = partial(opened, "pages/ladder.py")
PLAN = presets.get("quick").plan(class_logit(7), size=(28, 28))


@pytest.fixture
def still(monkeypatch) -> StillWorker:
    """The pages' worker, without a process."""
    worker = StillWorker(get_settings())
    monkeypatch.setattr("cnnkit.ui.common.cache.VisualizationWorker", lambda settings: worker)
    return worker


def pressed(at, label):
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def test_the_first_visit_says_what_to_do(still):
    at = open_page(network="run.starter")
    assert "Press **Start**" in at.info[0].value
    layers = at.selectbox(key="choice_layer")
    assert layers.options[0] == "Logits (10)"
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
    plan = Plan.from_dict(still.started("optimize")[0]["plan"])
    assert str(plan.objective).startswith("+1·channel(conv1, unit=5)")
    assert plan.steps == 48 and plan.seed == 3
    assert plan.numbers()["objective.total_variation.weight"] == -2


def test_every_registered_number_has_its_slider(still):
    at = open_page(network="run.starter", preset="quick")
    sliders = {slider.key: slider.label for slider in (*at.slider, *at.select_slider)}
    for role in (registry.REGULARIZER, registry.TRANSFORM, registry.IMAGE_REGULARIZER):
        for one in registry.definitions(role):
            for number, slider in one.sliders.items():
                assert sliders[f"number_{one.kind}.{number}"] == (slider.title or one.title)


def test_an_older_address_sets_the_same_sliders(still):
    at = open_page(**{"network": "run.starter", "preset": "lucid", "jitter2.pixels": "3"})
    assert at.slider(key="number_jitter_2.pixels").value == 3
    at = open_page(**{"network": "run.starter", "preset": "yosinski_1", "blur.width": "1.5"})
    assert at.slider(key="number_blur.sigma").value == 1.5
    assert at.query_params["blur.sigma"] == "1.5"


def test_moving_a_slider_steers_what_runs_and_starts_nothing(still):
    at = pressed(open_page(network="run.starter", unit="7", preset="quick"), "Start")
    (progress,) = at.get("progress")
    assert progress.text.startswith("Step 10 of 64, 10 steps a second, about")
    assert progress.text.endswith("left")
    at.select_slider(key="number_total_variation.weight").set_value(5.0).run()
    assert not at.exception
    command, values = still.sent[-1]
    assert command == "steer" and values["numbers"] == {"objective.total_variation.weight": -5.0}
    assert len(still.started("optimize")) == 1
    assert at.query_params["total_variation.weight"] == "5"
    session = still.newest()
    details = dict(still.state(session).details)
    details["plan"]["objective"][1]["weight"] = -5.0
    still.put(session, details=details)  # it has obeyed
    at.selectbox(key="choice_unit").set_value("3").run()
    assert still.sent[-1][1]["numbers"] == {"objective.class_logit.unit": (3.0,)}
    assert still.sent[-1][1]["target"]["units"] == [3]


def test_another_recipe_asks_for_a_restart(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    at.selectbox(key="choice_preset").set_value("lucid").run()
    assert "after a restart" in at.info[0].value
    assert len(still.started("optimize")) == 1
    pressed(at, "Restart")
    assert len(still.started("optimize")) == 2 and ("stop", {}) in still.sent


def test_buttons_send_commands(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    pressed(at, "Pause")
    assert still.sent[-1] == ("pause", {})
    pressed(at, "Go back")
    assert still.sent[-1] == ("go_back", {"step": 8})
    pressed(at, "New seed")
    seed = int(at.query_params["seed"])
    assert still.sent[-1] == ("restart", {"seed": seed})
    pressed(at, "Restart")
    assert still.sent[-1] == ("restart", {"seed": seed})
    pressed(at, "Classify again")
    assert still.started("recheck")[0]["targets"] == ["7"]
    assert "2 of 2 checks classify it as 7, 1 of 1 by other networks" in words_of(at)


def buttons(at):
    return {button.label for button in at.button}


@pytest.mark.parametrize(
    ("status", "offered", "not_offered"),
    [
        (Status.RUNNING, {"Pause", "Stop"}, {"Resume"}),
        (Status.QUEUED, {"Pause", "Stop"}, {"Resume"}),
        (Status.PAUSED, {"Resume"}, {"Pause", "Stop"}),
        (Status.CANCELLED, {"Resume"}, {"Pause", "Stop"}),
        (Status.INTERRUPTED, {"Resume"}, {"Pause", "Stop"}),
        (Status.FINISHED, set(), {"Pause", "Stop", "Resume"}),
        (Status.FAILED, set(), {"Pause", "Stop", "Resume"}),
    ],
)
def test_the_buttons_fit_the_status(still, status, offered, not_offered):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    still.put(still.newest(), status=status)
    at.run()
    assert buttons(at) >= offered | {"Restart", "New seed"}
    assert not buttons(at) & not_offered


def test_a_stopped_session_that_is_restarted_is_not_shown_as_stopped(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    still.put(still.newest(), status=Status.CANCELLED)
    assert "stop: stopped" in words_of(at.run())
    pressed(at, "New seed")
    still.put(still.newest(), status=Status.RUNNING)
    at.run()
    assert "stop: stopped" not in words_of(at) and {"Pause", "Stop"} <= buttons(at)


def test_a_queued_session_says_how_many_are_ahead(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    still.put(still.newest(), status=Status.QUEUED, ahead=2, starts_in=41.0)
    assert "Queued (2 ahead of you), starts in about 41 s" in words_of(at.run())


def test_a_session_that_is_no_longer_kept_can_be_started_again(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    still._sessions.clear()
    at.run()
    assert not at.exception
    pressed(at, "Start")
    assert len(still.started("optimize")) == 2


def test_what_went_wrong_is_said(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    still.put(still.newest(), status=Status.FAILED, reason="Layer 'x' has 4 units.")
    at.run()
    assert any("has 4 units" in error.value for error in at.error)


@pytest.mark.parametrize("columns", ["as now", "as in older versions"])
def test_a_finished_image_opens_without_computing(still, own_home, root, columns):
    from cnnkit.visualize.results import ResultCache

    settings = get_settings()
    cache = ResultCache(settings.results, settings.results_memory)
    plan = completed(PLAN)
    source = NetworkRef("run", "starter")
    names = plan.names("objective")
    if columns == "as in older versions":
        names = [f"terms/{n}" for n in range(len(names))]
    card = {"curves": {"step": [1.0, 2.0]} | {name: [1.0, 2.0] for name in names}}
    key = cache.key(source.digest(), plan)
    cache.put(key, OptimizationResult(plan, np.zeros((1, 28, 28, 1), np.float32), card))
    at = open_page(network="run.starter", unit="7", preset="quick")
    assert "this image was computed before with exactly these settings" in words_of(at)
    assert not at.exception and len(at.get("plotly_chart")) >= 2
    assert "regularization: Total variation 2" in at.get("plotly_chart")[1].proto.alt
    assert not still.started("optimize")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"layer": "conv9"}, "layer “conv9”"),
        ({"unit": "99"}, "class “99”"),
        ({"preset": "best"}, "preset “best”"),
        ({"total_variation.weight": "many"}, "Total variation must be 0 to 10000"),
        ({"network": "imagenet.nothing"}, "network “pretrained.nothing”"),
    ],
)
def test_a_bad_link_is_said_and_something_else_shown(still, query, words):
    at = open_page(**({"network": "run.starter"} | query))
    assert any(words in warning.value for warning in at.warning)


def test_the_ladder_offers_its_configurations_and_optimizes_them(still):
    at = open_ladder(network="run.starter", unit="7")
    assert "Example: the digit network that ships" in words_of(at)
    pressed(at, "Optimize 9 of 9 configurations")
    assert len([m for m in at.markdown if m.value.startswith("**")]) == 9
    assert "Example" not in words_of(at)
    plans = [Plan.from_dict(spec["plan"]) for spec in still.started("optimize")]
    assert len(plans) == 9 and len({plan.steps for plan in plans}) == 1
    assert "class_probability" in str(plans[0].objective)
    assert not buttons(at) & {"Optimize 9 of 9 configurations"}


def test_a_configuration_that_failed_is_said_and_may_be_tried_again(still):
    at = pressed(open_ladder(network="run.starter"), "Optimize 9 of 9 configurations")
    for session, order in still.orders.items():
        if order["kind"] == "optimize":
            still.put(session, status=Status.FAILED, reason="Layer 'x' has 4 units.")
    at.run()
    assert not at.exception
    assert [error.value for error in at.error] == ["Layer 'x' has 4 units."]
    pressed(at, "Optimize 9 of 9 configurations")


def test_what_was_steered_says_that_its_plan_makes_another_image(still):
    at = pressed(open_page(network="run.starter", preset="quick"), "Start")
    assert "gives another image" not in words_of(at)
    session = still.newest()
    still.put(session, details={**still.state(session).details, "steered": True})
    assert "gives another image" in words_of(at.run())


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
def test_of_a_hidden_layer_a_neuron_all_or_unlike_images_can_be_maximized(still, link, objective):
    at = open_page(network="run.starter", layer="conv1", unit="5", preset="post_linear", **link)
    pressed(at, "Start")
    plan = Plan.from_dict(still.started("optimize")[0]["plan"])
    assert str(plan.objective).startswith(objective)


def test_an_uploaded_network_is_offered_and_found_by_the_worker(still, own_home):
    uploaded = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)], name="mine"
    )
    uploaded.save(own_home / "mine.keras")
    at = open_page(network="run.starter")
    at.file_uploader(key="network_upload").set_value(
        ("mine.keras", (own_home / "mine.keras").read_bytes(), "application/octet-stream")
    ).run()
    assert not at.exception
    assert at.selectbox(key="choice_network").value.startswith("uploaded.")
    pressed(at, "Start")
    source = NetworkRef.parse(still.started("optimize")[0]["network"])
    assert source.kind == "uploaded" and source.digest()
    assert source.open(ModelCache(10**9)).card.input_shape == (8, 8, 1)


@pytest.fixture
def only_without_top(monkeypatch, tmp_path):
    """A data folder that holds of VGG16 the file without top alone."""
    path = tmp_path / "weights" / ASSETS["vgg16.imagenet.notop"].filename
    path.parent.mkdir()
    write_weights(path)
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()


def test_vgg16_without_top_is_asked_for_its_filters_and_has_no_classes(still, only_without_top):
    at = open_page(network="without_top.vgg16")
    assert at.selectbox(key="choice_network").value == "without_top.vgg16"
    assert not at.warning
    assert at.selectbox(key="choice_layer").options[0].startswith("conv1")
    pressed(at, "Start")
    (spec,) = still.started("optimize")
    assert NetworkRef.parse(spec["network"]) == NetworkRef("without_top", "vgg16")
    assert str(Plan.from_dict(spec["plan"]).objective).startswith("+1·channel(conv1")


@pytest.mark.parametrize("page", ["ladder", "layers", "deepdream"])
def test_every_page_of_images_offers_vgg16_without_top(still, only_without_top, page):
    at = opened(f"pages/{page}.py", network="without_top.vgg16")
    assert not at.error and not at.warning
    assert "VGG16 without top · ImageNet" in at.selectbox(key="choice_network").options
