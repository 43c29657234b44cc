"""Backpropagation: every layer opens in both directions, keys and links move, steps are taken."""

from __future__ import annotations

import time
from functools import partial

import pytest

from cnnkit.backprop import DENSE
from cnnkit.backprop.experiment import ExperimentPlan, curve, train_network
from cnnkit.backprop.toy import RANDOM_LAST_LAYER, toy_network
from cnnkit.jobs.kinds.experiment import curve_file
from cnnkit.runs import Status
from tests.pages import opened, words_of

open_page = partial(opened, "pages/backpropagation.py")

pytestmark = pytest.mark.usefixtures("store")  # one that nobody has to wait for
LAYERS = [layer.name for layer in toy_network(RANDOM_LAST_LAYER)]


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_every_layer_opens(way):
    at = open_page(way=way, learnt="25", layer=LAYERS[0])
    assert not at.error
    for name in [*LAYERS[1:], "loss"]:
        at.button(key="layer_right").click().run()
        assert not at.exception and not at.warning and not at.error
        assert at.select_slider(key="layer_slider").value == name
    assert at.button(key="layer_right").disabled


def test_a_link_opens_one_number():
    at = open_page(way="forward", layer="block1_conv1", at="2.3.1", learnt="25")
    assert "row 2, column 3 of map 1" in words_of(at)


def test_the_numbers_of_a_sum_are_written_out():
    at = open_page(way="backward", layer="block2_conv1", at="1.2.7", learnt="25")
    said = words_of(at)
    assert "δ at row 1, column 2 of map 7" in said and "the other 19 maps" in said
    assert "Gradient with respect to the weights" in at.subheader[-1].value
    before = said
    at.button(key="cell_down").click().run()
    assert "δ at row 2, column 2 of map 7" in words_of(at) != before


def test_max_pooling_says_which_pixel_gets_its_delta():
    at = open_page(way="backward", layer="block1_pool", learnt="25")
    assert "the pixel that was the largest" in words_of(at)
    assert not [s for s in at.subheader if "the weights" in s.value]


def test_links_that_fit_nothing_say_so_or_fall_back():
    at = open_page(layer="block9", learnt="0", at="99.0.0")
    assert "block9" in at.warning[0].value and not at.exception
    at = open_page(layer="fc1", learnt="0", at="1.2.3", way="sideways")
    assert "sideways" in at.warning[0].value and "y at number" in words_of(at)


def test_a_step_lowers_the_loss_and_one_that_is_too_long_raises_it():
    at = open_page(view="step", learnt="100", rate="0.1")
    assert at.metric[1].delta.startswith("-") and not at.warning
    at.button(key="keep_step").click().run()
    assert at.metric[-1].value == "1"
    at.select_slider(key="number_rate").set_value(10.0).run()
    assert at.metric[1].delta.startswith("+") and "rose" in at.warning[0].value
    at.button(key="begin_again").click().run()
    assert at.metric[-1].value == "0"


def test_the_check_compares_every_layer():
    at = open_page(view="check", learnt="25")
    assert not at.dataframe
    at.button(key="check").click().run()
    for _ in range(60):
        if at.success:
            break
        time.sleep(0.5)
        at.run()
    assert "gradients compared with TensorFlow" in at.success[0].value
    assert list(at.dataframe[0].value["Layer"]) == LAYERS


def test_the_experiment_shows_what_was_measured_and_can_be_run(store, submitted):
    at = open_page(view="convolutions")
    table = at.dataframe[0].value
    assert list(table["Published"]) == ["97.5 %", "–", "74.2 %", "95.1 %"]
    assert "Measured by the project" in words_of(at)
    at.button(key="run_experiment").click().run()
    (run_id,) = submitted
    assert store.get(run_id).kind == "experiment"
    assert store.get(run_id).spec == {"recipe": "post", "epochs": 500, "seeds": 10}
    at = open_page(view="convolutions", recipe="awake", measure="accuracy", over="seconds")
    assert not at.error and set(at.dataframe[0].value["Published"]) == {"–"}


def test_what_was_trained_here_is_shown_instead(store, own_home, tmp_path):
    run = store.create("experiment", ExperimentPlan().to_dict(), "here")
    made = curve(DENSE, 0, list(train_network(ExperimentPlan(epochs=3), DENSE, 0)))
    (tmp_path / curve_file(DENSE, 0)).write_bytes(made.to_bytes())
    store.add_artifact(run.id, tmp_path / curve_file(DENSE, 0))
    store.update(run.id, status=Status.CANCELLED)
    said = words_of(open_page(view="convolutions"))
    assert "Trained on this machine; 19 networks are missing" in said


def test_a_trained_network_of_digits_is_converted(store):
    at = open_page(network="starter", way="backward", layer="block2_conv1")
    assert not at.error and "the other 49 maps" in words_of(at)
    at.selectbox(key="choice_network").select("toy").run()
    assert not at.exception and not at.warning
