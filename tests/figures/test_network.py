"""The figure of a whole network."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from cnnkit.anatomy import Stage
from cnnkit.figures.network import STACKED, draw_network, folded, strongest

STAGES = [
    Stage(name="image", kind="InputLayer", shape=(8, 8, 1), parameters=0, detail="the image"),
    Stage(name="conv", kind="Conv2D", shape=(6, 6, 7), parameters=70, detail="7 filters of 3×3"),
    Stage(name="flatten", kind="Flatten", shape=(252,), parameters=0, detail="all in one row"),
    Stage(name="logits", kind="Dense", shape=(3,), parameters=759, detail="dense, 252 inputs"),
]


def drawn(class_names=("a", "b", "c"), maps=None):
    maps = np.random.default_rng(0).normal(size=(6, 6, 7)) if maps is None else maps
    answers = {"image": np.ones((8, 8, 1)), "conv": maps, "flatten": np.ones(252)}
    return draw_network(STAGES, answers, np.array([0.1, 0.7, 0.2]), class_names)


def test_every_stage_stands_with_its_shape_its_doing_and_its_weights():
    text = drawn()
    for stage in STAGES:
        assert f"<b>{stage.label}</b><span>{stage.detail}</span>" in text
    assert "70 weights" in text and "759 weights" in text
    assert "8×8, then 6×6×7, then 252, then 3" in text  # read to those who cannot see it


def test_the_answer_is_drawn_as_bars_with_the_best_one_marked():
    text = drawn()
    assert '<i class="best">b</i><s><u style="width:70.0%">' in text
    assert text.count('class="best"') == 1


def test_a_stage_shows_as_many_sheets_as_fit_and_they_are_its_own_maps():
    images = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        for data in re.findall(r"data:image/png;base64,([^\"]+)", drawn())
    ]
    assert sum(image.shape[:2] == (6, 6) for image in images) == STACKED
    assert sum(image.shape[:2] == (8, 8) for image in images) == 1


def test_names_of_classes_cannot_break_the_page():
    assert "<script>" not in drawn(class_names=("<script>", "b", "c"))


def test_dead_maps_do_not_break_the_figure():
    assert "nan" not in drawn(maps=np.zeros((6, 6, 7))).lower().split("base64")[0]


def test_the_strongest_maps_come_first():
    maps = np.random.default_rng(0).normal(size=(9, 9, 4)) * np.array([1.0, 5.0, 0.0, 3.0])
    assert strongest(maps, 3).tolist() == [1, 3, 0]


def test_a_row_is_folded_without_losing_a_number():
    values = np.arange(1, 501)
    block = folded(values)
    assert block.ravel()[:500].tolist() == values.tolist()
    assert 2 <= block.shape[0] / block.shape[1] <= 6
