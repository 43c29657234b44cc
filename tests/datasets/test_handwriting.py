import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets import load_dataset
from cnnkit.datasets.handwriting import from_drawing, from_photo
from cnnkit.errors import InvalidImageError


@pytest.fixture(scope="module")
def digits():
    """Embedded digits, each already in the form of MNIST, so that nothing should change."""
    images, labels = load_dataset("digits").part("test")
    return [from_drawing(image).image for image in images[:30]], labels[:30]


@pytest.fixture(scope="module")
def mnist():
    images, labels = load_dataset("mnist").part("test")
    return images[:60], labels[:60]


def on_paper(image, *, size=(640, 480), side=300, place=(60, 90), ink=40, paper=215, slope=0.0):
    """A photo of a digit: scaled, shifted, dark on light, with light falling off to one side."""
    digit = Image.fromarray(image[..., 0]).resize((side, side), Image.Resampling.BICUBIC)
    amount = np.zeros(size[::-1])
    top, left = place
    amount[top : top + side, left : left + side] = np.asarray(digit) / 255
    light = 1 - slope * np.linspace(0, 1, size[0])[None, :]
    noise = np.random.default_rng(0).normal(0, 2, amount.shape)
    return np.uint8(np.clip((paper + amount * (ink - paper)) * light + noise, 0, 255))


def apart(first, second) -> float:
    """Mean difference of two images, 0 to 1."""
    return float(np.abs(first.astype(float) - second.astype(float)).mean() / 255)


def center_of_mass(image) -> np.ndarray:
    weights = image[..., 0].astype(float)
    grid = np.indices(weights.shape)
    return (grid * weights).sum(axis=(1, 2)) / weights.sum()


@pytest.mark.mnist
def test_a_photographed_digit_of_mnist_comes_back_nearly_the_same(mnist):
    images, _ = mnist
    differences = [
        apart(from_photo(on_paper(image, side=260 + 8 * (i % 5))).image, image)
        for i, image in enumerate(images)
    ]
    # Two different sevens are about .1 apart.
    assert np.mean(differences) < 0.04
    assert np.max(differences) < 0.1


@pytest.mark.mnist
def test_a_drawn_digit_of_mnist_comes_back_nearly_the_same(mnist):
    images, _ = mnist
    differences = []
    for image in images:
        big = Image.fromarray(image[..., 0]).resize((280, 280), Image.Resampling.BICUBIC)
        shifted = np.roll(np.asarray(big), (18, -14), axis=(0, 1))
        differences.append(apart(from_drawing(shifted).image, image))
    assert np.mean(differences) < 0.04


def test_a_scaled_shifted_inverted_digit_comes_back_nearly_the_same(digits):
    found = [from_photo(on_paper(image)) for image in digits[0]]
    differences = [apart(one.image, image) for one, image in zip(found, digits[0], strict=True)]
    assert all(one.inverted for one in found)
    assert np.mean(differences) < 0.05
    assert np.max(differences) < 0.1  # the blurred edge may move the middle by a pixel


def test_light_ink_on_a_dark_board_is_found_too(digits):
    found = [from_photo(255 - on_paper(image)) for image in digits[0][:8]]
    assert not any(one.inverted for one in found)
    assert np.mean(list(map(apart, [one.image for one in found], digits[0]))) < 0.05


def test_a_shadow_across_the_paper_changes_little(digits):
    evenly = [from_photo(on_paper(image)).image for image in digits[0][:8]]
    shaded = [from_photo(on_paper(image, slope=0.5)).image for image in digits[0][:8]]
    assert np.mean(list(map(apart, shaded, evenly))) < 0.05


def test_the_digit_stands_in_a_box_of_20_with_its_mass_in_the_middle(digits):
    for image in digits[0]:
        found = from_photo(on_paper(image)).image
        rows, columns = np.nonzero(found[..., 0])
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        assert np.abs(center_of_mass(found) - 14).max() <= 0.51
        assert found.shape == (28, 28, 1) and found.dtype == np.uint8 and found.max() == 255


def test_the_box_says_where_the_digit_is_even_in_a_large_photo(digits):
    photo = on_paper(digits[0][0], size=(2400, 1800), side=1200, place=(300, 700))
    left, top, right, bottom = from_photo(photo).box
    assert 700 < left < right < 1900
    assert 300 < top < bottom < 1500
    assert max(right - left, bottom - top) == pytest.approx(1200 * 20 / 28, rel=0.08)


def test_a_thin_pen_becomes_as_wide_as_mnist():
    photo = np.full((400, 400), 230, np.uint8)
    photo[60:340, 199:202] = 30  # a one, three pixels wide and 280 high
    widths = (from_photo(photo).image[14, :, 0] > 127).sum()
    assert 2 <= widths <= 4


def test_specks_and_an_edge_of_the_table_are_left_out(digits):
    clean = on_paper(digits[0][3])
    dirty = clean.copy()
    dirty[5:9, 600:604] = 20
    dirty[:, 632:] = 60  # the table beside the paper
    assert apart(from_photo(dirty).image, from_photo(clean).image) < 0.03


def test_an_empty_canvas_gives_none():
    assert from_drawing(np.zeros((280, 280), np.uint8)) is None


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_an_empty_photo_says_what_to_do(shade):
    noise = np.random.default_rng(0).integers(-3, 4, (300, 400))
    with pytest.raises(InvalidImageError, match="No writing was found"):
        from_photo(np.uint8(np.clip(shade + noise, 0, 255)))


def test_a_single_dot_is_laid_out_without_complaint():
    canvas = np.zeros((280, 280), np.uint8)
    canvas[100:122, 60:82] = 255
    image = from_drawing(canvas).image
    assert np.abs(center_of_mass(image) - 14).max() <= 0.51


def test_color_is_refused_by_its_shape():
    with pytest.raises(InvalidImageError, match=r"\(10, 10, 3\)"):
        from_photo(np.zeros((10, 10, 3), np.uint8))
