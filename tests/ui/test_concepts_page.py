"""The Concepts page: every experiment opens, and its controls change the results."""

from __future__ import annotations

from functools import partial

import pytest

from cnnkit.ui.concepts import CONCEPTS
from tests.pages import opened

open_page = partial(opened, "pages/concepts.py")


def words_of(at):
    return "\n".join(e.value for e in (*at.markdown, *at.caption, *at.success, *at.warning))


@pytest.mark.parametrize("concept", CONCEPTS)
def test_every_concept_opens_by_its_link_with_a_question_and_an_answer(concept):
    at = open_page(concept=concept)
    assert at.subheader[0].value.endswith("?")
    assert "asked in" in words_of(at)
    assert not at.warning and not at.error


def test_an_unknown_concept_says_so_and_opens_the_first():
    at = open_page(concept="telepathy")
    assert "telepathy" in at.warning[0].value
    assert "noise" in at.subheader[0].value


def test_only_noise_makes_the_units_different():
    at = open_page(concept="noise")
    assert words_of(at).count("12 identical units") == 2
    assert words_of(at).count("12 different units") == 1
    zeros, constant, noise = (float(m.value.removesuffix(" %")) for m in at.metric)
    assert zeros < 20 and constant < 50 and noise > 85


def test_looking_at_the_first_step_shows_them_before_learning():
    at = open_page(concept="noise")
    at.slider(key="noise_step").set_value(0).run()
    assert all(float(m.value.removesuffix(" %")) < 40 for m in at.metric)


def test_dragging_a_logit_changes_the_loss():
    at = open_page(concept="softmax")
    before = at.latex[0].value
    at.slider(key="logit_cat").set_value(6.0).run()
    assert at.latex[0].value != before
    assert r"\text{loss} = -\ln 0.9" in at.latex[0].value


def test_the_true_class_can_be_given_in_the_link():
    assert r"p_{\text{fish}}" in open_page(concept="softmax", softmax_true="fish").latex[0].value


def test_a_learning_rate_that_is_too_large_diverges():
    at = open_page(concept="descent")
    assert "diverged" not in words_of(at)
    at.select_slider(key="descent_rate").set_value(1.0)
    at.slider(key="descent_steps").set_value(200).run()
    assert "gradient descent" in words_of(at) and "diverged" in words_of(at)


def test_max_pooling_gives_equal_and_average_pooling_does_not():
    at = open_page(concept="pooling")
    assert "Exactly equal" in at.success[0].value
    at.selectbox(key="pooling_pooling").set_value("average").run()
    assert "They differ" in at.warning[0].value


def test_dropout_shows_the_generalization_gap_of_both():
    at = open_page(concept="dropout")
    assert "Generalization gap" in words_of(at)
    assert "points against no dropout" in at.metric[0].delta


def test_the_old_address_leads_to_the_concept_with_its_parameters():
    at = opened("pages/ideas.py", idea="softmax", softmax_true="fish")
    assert at.title[0].value == "Concepts"
    assert r"p_{\text{fish}}" in at.latex[0].value


def test_stride_and_transposition_change_the_size_of_the_output():
    at = open_page(concept="convolution")
    assert "⌊(6 - 3) / 1⌋ + 1 = **4**" in words_of(at)
    assert "zeros]" not in words_of(at) and "mirrored" not in words_of(at)
    at.slider(key="convolution_stride").set_value(2).run()
    assert "⌊(6 - 3) / 2⌋ + 1 = **2**" in words_of(at)
    at = open_page(concept="convolution", kind="transposed", convolution_stride="2")
    assert "6·2 + max(3 - 2, 0) = **13**" in words_of(at)
    assert "around it and between its pixels zeros" in words_of(at)
    assert "**Kernel** :gray[· mirrored]" in words_of(at)


def test_a_kernel_that_spans_more_than_the_image_is_said():
    at = open_page(concept="convolution", convolution_size="4", convolution_dilation="3")
    assert "spans 10 pixels, and the image has 6" in at.error[0].value


def test_a_place_that_a_smaller_output_lacks_becomes_its_last():
    at = open_page(concept="convolution", row="3", column="2")
    at.slider(key="convolution_stride").set_value(3).run()
    assert not at.warning
    assert "Row 1, column 1" in words_of(at)
