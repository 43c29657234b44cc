"""Thumbnails of feature maps, the montage that takes clicks, and a map over its image."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cnnkit.figures.bars import histogram
from cnnkit.figures.feature_maps import (
    Frame,
    draw_blocks,
    draw_filmstrip,
    montage_figure,
    overlaid,
    shrunk,
)

MAPS = np.random.default_rng(0).normal(size=(6, 8, 5)).astype(np.float32)


def frame(title, values):
    return Frame(title=title, detail=str(values.shape), values=values)


def images_in(html):
    files = re.findall(r"base64,([^\"]+)\"", html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(f))).convert("RGBA")) for f in files]


def test_every_map_of_every_layer_is_in_the_filmstrip():
    html = draw_filmstrip([frame("conv<1>", MAPS), frame("dense", np.arange(40.0))])
    assert "conv&lt;1&gt;" in html and "(6, 8, 5)" in html
    maps, units = images_in(html)
    assert maps.shape == (6, 5 * 9 - 1, 4), "five maps side by side, a pixel between them"
    for number in range(5):
        tile = maps[:, 9 * number : 9 * number + 8].astype(int)
        blue = tile[..., 2] > tile[..., 0]
        strong = np.abs(MAPS[..., number]) > 0.1
        np.testing.assert_array_equal(blue[strong], (MAPS[..., number] > 0)[strong])
        assert (maps[:, 9 * number + 8 : 9 * number + 9, 3] == 0).all()
    assert units.shape[0] * units.shape[1] >= 40


def test_on_a_scale_of_its_own_each_map_reaches_full_color():
    maps = MAPS * np.array([1, 0.01, 1, 1, 0], np.float32)
    (shared,) = images_in(draw_filmstrip([frame("a", maps)]))
    (own,) = images_in(draw_filmstrip([frame("a", maps)], together=False))
    assert shared[:, 9:17, 3].max() < 50 and own[:, 9:17, 3].max() == 255
    assert own[:, 36:44, 3].max() < 50, "a map of zeros stays empty"


def test_the_block_that_is_open_is_marked():
    blocks = [frame("image", np.full((9, 9, 3), 200, np.uint8)), frame("block1", MAPS)]
    html = draw_blocks(blocks, 1)
    assert html.count('class="block current"') == 1
    assert 'class="block current" title="block1"' in html
    assert (images_in(html)[0][..., :3] == 200).all(), "the image itself keeps its colors"


@pytest.mark.parametrize("count", [1, 7, 512])
def test_a_click_gives_the_number_of_the_map_below_it(count):
    figure = montage_figure(np.ones((7, 7, count), np.float32), count - 1)
    targets = figure.data[0]
    assert [place[0] for place in targets.customdata] == list(range(count))
    assert len({(x, y) for x, y in zip(targets.x, targets.y, strict=True)}) == count
    frame = figure.layout.shapes[0]
    assert ((frame.x0 + frame.x1) / 2, (frame.y0 + frame.y1) / 2) == (targets.x[-1], targets.y[-1])


def test_maps_are_averaged_and_keep_their_mean():
    maps = np.arange(64.0).reshape(8, 8, 1)
    small = shrunk(maps, 4)
    assert small.shape == (4, 4, 1) and small.mean() == maps.mean()
    assert small[0, 0, 0] == maps[:2, :2, 0].mean()
    assert shrunk(maps, 8) is maps


def test_a_map_lies_where_its_extent_says():
    image = np.full((10, 10, 3), 255, np.uint8)
    result = overlaid(image, np.ones((2, 2)), (5, 0, 10, 5), width=100, opacity=1.0)
    assert result.shape == (100, 100, 3)
    assert (result[60:90, 10:40, 2] > result[60:90, 10:40, 0]).all()
    assert (result[:45] == 255).all() and (result[:, 55:] == 255).all()
    framed = overlaid(
        image, np.zeros((2, 2)), (0, 0, 10, 10), width=100, opacity=0, box=(2, 2, 4, 4)
    )
    assert not (framed == framed[0, 0]).all()


def test_zero_is_an_edge_of_the_histogram():
    bars = histogram(np.array([-1.0, -0.5, 0.2, 0.7, 3.0]), "x", bins=8).data[0]
    assert sum(bars.y) == 5
    edges = np.asarray(bars.x) - bars.width / 2
    assert np.isclose(edges, 0).any()
    assert histogram(np.zeros(4), "x").data[0].y.sum() == 4
