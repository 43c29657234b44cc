"""The concepts of the Architectures page: each opens, and its controls change the results."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from cnnkit.figures.architecture import short_number
from cnnkit.ui.architectures.concepts import CONCEPTS


def _page():
    import streamlit as st

    from cnnkit.ui.architectures.concepts import CONCEPTS

    CONCEPTS[st.query_params["concept"]][1]()


def open_concept(concept, **query):
    at = AppTest.from_function(_page, default_timeout=120)
    for name, value in {"concept": concept, **query}.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def counted(at):
    """Wait for the second count, as the page's fragment does."""
    until = time.monotonic() + 100
    while not any("Counted in a Keras model" in e.value for e in (*at.success, *at.error)):
        assert time.monotonic() < until
        time.sleep(0.3)
        at.run()
    return next(e.value for e in (*at.success, *at.error) if "Counted in a Keras model" in e.value)


def words_of(at):
    kinds = (at.markdown, at.caption, at.success, at.warning, at.info, at.error)
    return "\n".join(e.value for kind in kinds for e in kind)


@pytest.mark.parametrize("concept", CONCEPTS)
def test_every_concept_opens_with_a_question_and_an_answer(concept):
    at = open_concept(concept)
    assert at.subheader[0].value.endswith("?")
    assert "Convolutional Neural Networks, week 2" in words_of(at)
    assert not at.warning and not at.error


def test_the_cost_of_the_bottleneck_of_3a_is_counted_a_second_time():
    at = open_concept("bottleneck")
    assert at.selectbox(key="b_published").value == "3a 5×5"
    assert r"120\,422\,400" in at.latex[0].value and r"12\,443\,648" in at.latex[0].value
    assert [m.value for m in at.metric] == ["10.3%", "8.3%", "2.0 points"]
    said = counted(at)
    assert "120,422,400" in said and "12,443,648" in said and "The formula agrees" in said


def test_a_published_branch_moves_the_sliders_and_a_slider_leaves_it():
    at = open_concept("bottleneck")
    at.selectbox(key="b_published").set_value("4d 3×3").run()
    assert [at.slider(key=f"b_{name}").value for name in ("side", "channels", "filters")] == [
        14,
        512,
        288,
    ]
    assert at.slider(key="b_width").value == 144
    at.slider(key="b_width").set_value(100).run()
    assert at.selectbox(key="b_published").value == "own"


def test_a_bottleneck_that_is_too_wide_saves_nothing():
    at = open_concept("bottleneck", b_width="160")
    assert "saves nothing" in at.warning[0].value and "155" in at.warning[0].value
    at.slider(key="b_width").set_value(152).run()
    assert not at.warning
    assert "saves MACs as long as B is below **155**" in words_of(at)


def test_projections_of_the_published_width_are_compared_with_nothing():
    at = open_concept("projection", projection="published")
    assert [m.value for m in at.metric] == ["1,024", "1.1 G", "5.85 M"]
    assert not any(m.delta for m in at.metric)


def test_without_projections_the_depth_grows_and_real_layers_agree():
    at = open_concept("projection")
    assert at.metric[0].value == "4,944"
    assert at.metric[1].delta == "1.48 × published"
    assert "64 + 128 + 32 + 192 = **416**" in words_of(at)
    said = counted(at)
    assert "1,638,585,088" in said and "The formula agrees" in said


def test_the_largest_l2_leaves_the_identity_and_a_dead_plain_block():
    at = open_concept("residual")
    assert not at.error
    at.select_slider(key="residual_decay").set_value(2.0).run()
    assert "dead" in at.error[0].value
    assert "output = the input, exactly" in at.success[0].value
    assert [m.value for m in at.metric] == ["0.0%", "100.0%"]


def test_without_l2_the_block_changes_its_input():
    at = open_concept("residual", residual_decay="0.0")
    assert "the input changed by up to" in at.success[0].value


def test_an_identity_cannot_be_added_to_more_maps_and_a_matrix_can():
    at = open_concept("residual", residual_maps="6")
    assert "cannot be added" in at.warning[0].value
    at.selectbox(key="choice_shortcut").set_value("fixed").run()
    assert not at.warning and not at.exception
    at.select_slider(key="residual_decay").set_value(2.0).run()
    assert "output = that of the 1×1, exactly" in at.success[0].value


def test_a_trained_matrix_dies_where_l2_pulls_on_it_too():
    at = open_concept("residual", shortcut="trained", residual_decay="2.0")
    assert "output = that of the 1×1" in at.success[0].value
    at.toggle(key="residual_decay_shortcut").set_value(True).run()
    assert any("dying too" in e.value for e in at.error)


def test_a_pixel_is_followed_with_its_own_numbers():
    at = open_concept("residual", residual_decay="2.0")
    assert r"a + F(a) = 0.79 + 0.00 = 0.79" in at.latex[0].value
    at.slider(key="residual_row").set_value(1).run()
    assert "0.79" not in at.latex[0].value


def test_with_zero_weights_only_the_residual_chain_has_a_gradient():
    at = open_concept("residual")
    at.select_slider(key="chain_scale").set_value(0.0).run()
    assert "is **0** for plain and **1** for residual blocks" in words_of(at)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (812, "812"),
        (15920, "15.9 k"),
        (999_600, "1 M"),
        (120_422_400, "120 M"),
        (1.1e9, "1.1 G"),
    ],
)
def test_large_numbers_are_short(number, words):
    assert short_number(number) == words


def test_networks_that_learn_are_shown_while_an_epoch_is_half_written(store):
    from cnnkit.runs import Point, Status
    from cnnkit.ui.architectures.concepts.pairs import depth_pair

    recipe = depth_pair(8, images=500, epochs=4)["plain"]
    run = store.create("train", recipe.to_dict(), "plain")
    whole = [Point(metric="loss", value=2.0, step=epoch, when=1.7e9 + epoch) for epoch in (1, 2)]
    store.log(run.id, [*whole, Point(metric="val_error", value=0.5, step=1, when=1.7e9)])
    store.update(run.id, status=Status.RUNNING)
    at = open_concept("depth", twin_depth="8", twin_depth_images="500", twin_depth_epochs="4")
    descriptions = [chart.proto.alt for chart in at.get("plotly_chart")]
    assert "training loss: plain 2" in descriptions
    assert "validation error: plain 0.5" in descriptions
