import io

import numpy as np
import pytest
from PIL import Image

from cnnkit.figures.rasters import NEGATIVE, POSITIVE, boxed, colored, enlarged, montage, png


def test_a_montage_puts_images_in_rows_with_transparent_gaps():
    canvas = montage(np.full((3, 2, 2), 255, np.uint8), columns=2, scale=1, gap=1)
    assert canvas.shape == (5, 5, 4)
    assert canvas[0, 0].tolist() == [255, 255, 255, 255]
    assert canvas[0, 2, 3] == 0  # a gap
    assert canvas[4, 4, 3] == 0  # there is no fourth image


def test_bytes_keep_their_shades_and_other_numbers_are_stretched():
    byte = montage(np.array([[[10, 20]]], np.uint8), columns=1, scale=1)
    assert byte[0, :, 0].tolist() == [10, 20]
    number = montage(np.array([[[-3.0, 5.0]]]), columns=1, scale=1)
    assert number[0, :, 0].tolist() == [0, 255]


def test_images_are_stretched_together_or_each_by_its_own():
    images = np.array([[[0.0, 1.0]], [[0.0, 4.0]]])
    together = montage(images, columns=2, scale=1, gap=0)
    alone = montage(images, columns=2, scale=1, gap=0, together=False)
    assert together[0, 1, 0] == 64
    assert alone[0, 1, 0] == 255


def test_signs_have_colors_and_zero_lets_the_page_through():
    tile = colored(np.array([[-1.0, 0.0, 1.0]]), "diverging")
    assert tuple(tile[0, 0]) == NEGATIVE
    assert tuple(tile[0, 2]) == POSITIVE
    assert tile[0, 1, 3] < 50


def test_nothing_at_all_is_drawn_without_dividing_by_zero():
    for colors in ("gray", "diverging"):
        assert np.isfinite(montage(np.zeros((2, 3, 3)), columns=2, colors=colors)).all()


def test_enlarging_repeats_pixels():
    assert enlarged(np.array([[1, 2]]), 2).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_a_frame_stands_around_the_box_and_not_in_it():
    framed = boxed(np.zeros((20, 30), np.uint8), (10, 5, 15, 12), width=2)
    assert not framed[5:12, 10:15].any()
    assert (framed[4, 9] == POSITIVE[:3]).all()
    assert not framed[0, 0].any()


def test_a_frame_at_the_edge_stays_inside():
    assert boxed(np.zeros((8, 8), np.uint8), (0, 0, 8, 8)).shape == (8, 8, 3)


def test_a_png_holds_the_same_pixels():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(image)))), image)


def test_a_wrong_shape_or_color_is_refused():
    with pytest.raises(ValueError, match="images"):
        montage(np.zeros((3, 3)), columns=1)
    with pytest.raises(ValueError, match="rainbow"):
        colored(np.zeros((2, 2)), "rainbow")


def test_equal_images_are_compressed_once_and_others_differ():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    first = png(image)
    assert png(image.copy()) is first
    assert png(image.reshape(4, 4, 3)[::-1]) != first, "a view in another order"
    assert png(image.reshape(2, 8, 3)) != first, "the same bytes in another shape"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(first))), image)
