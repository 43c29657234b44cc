"""Backpropagation: every layer opens in both directions, keys and links move, steps are taken."""

from __future__ import annotations

from functools import partial

import pytest

from cnnkit.backprop.toy import AWAKE, toy_network
from tests.pages import opened, words_of

open_page = partial(opened, "pages/backpropagation.py")
LAYERS = [layer.name for layer in toy_network(AWAKE)]


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
    print(words_of(at))
    assert "row 2, column 3 of map 1" in words_of(at)
