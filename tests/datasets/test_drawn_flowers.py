import numpy as np
import pytest

from cnnkit.datasets import load_dataset
from cnnkit.datasets.drawn import FLOWERS, draw_flower
from cnnkit.errors import IncompatibleError

TOY = {"images_per_class": 6, "side": 32}


@pytest.fixture(scope="module")
def images():
    """Twelve of each kind, small: (17, 12, 24, 24, 3)."""
    drawn = [[draw_flower(name, number, side=24) for number in range(12)] for name in FLOWERS]
    return np.array(drawn)


def test_there_are_seventeen_kinds_with_the_names_of_the_photographed_ones():
    assert len(FLOWERS) == 17
    assert set(FLOWERS) == set(load_dataset("drawn_flowers", **TOY).class_names)


def test_a_flower_is_drawn_the_same_way_every_time_and_no_two_alike(images):
    np.testing.assert_array_equal(images[3, 5], draw_flower("Bluebell", 5, side=24))
    flat = images.reshape(len(FLOWERS) * 12, -1)
    assert len(np.unique(flat, axis=0)) == len(flat)
    other = draw_flower("Bluebell", 5, side=24, seed=1)
    assert not np.array_equal(other, images[3, 5])


def test_a_larger_image_shows_the_same_flower(images):
    large = draw_flower("Sunflower", 2, side=96)
    small = large.reshape(24, 4, 24, 4, 3).mean((1, 3))
    difference = small - images[FLOWERS.index("Sunflower"), 2]
    assert np.abs(difference).mean() < 12  # of 255; both have grain of their own
    assert np.corrcoef(small.ravel(), images[FLOWERS.index("Sunflower"), 2].ravel())[0, 1] > 0.95


def test_kinds_can_be_told_apart_by_their_colors_but_not_all_of_them(images):
    """A nearest neighbor over color histograms is well above chance, and far from perfect."""
    bins = (images // 64).astype(int)
    codes = bins[..., 0] * 16 + bins[..., 1] * 4 + bins[..., 2]
    histograms = np.stack([(codes == k).mean((2, 3)) for k in range(64)], -1)
    train, test = histograms[:, :8].reshape(-1, 64), histograms[:, 8:].reshape(-1, 64)
    nearest = np.abs(test[:, None] - train[None]).sum(-1).argmin(1)
    accuracy = np.mean(nearest // 8 == np.arange(len(test)) // 4)
    assert 2 / 17 < accuracy < 0.8


def test_any_number_and_size_can_be_had_and_fewer_are_among_more():
    few = load_dataset("drawn_flowers", images_per_class=3, side=32)
    more = load_dataset("drawn_flowers", **TOY)
    assert few.images.shape == (51, 32, 32, 3) and few.spec.input_shape == (32, 32, 3)
    np.testing.assert_array_equal(few.images[3:6], more.images[6:9])
    assert more.size("train") + more.size("validation") + more.size("test") == len(more.images)
    assert sum(more.spec.images) == len(more.images) == len(more.names) == 102
    for part in more.splits:
        assert set(more.part(part)[1]) == set(range(17))


@pytest.mark.parametrize("wrong", [{"side": 8}, {"images_per_class": 2}])
def test_what_cannot_be_drawn_says_what_can(wrong):
    with pytest.raises(IncompatibleError, match=f"`{next(iter(wrong))}` of drawn flowers is"):
        load_dataset("drawn_flowers", **wrong)


def test_they_are_mapped_from_disk_and_drawn_once(own_home):
    said = []
    first = load_dataset("drawn_flowers", **TOY, progress=lambda *now: said.append(now))
    assert isinstance(first.images, np.memmap) and not first.images.flags.writeable
    assert said[0] == (1, 102) and said[-1] == (102, 102)
    again = load_dataset("drawn_flowers", **TOY, progress=lambda *now: said.append(now))
    assert len(said) == 102 and again.fingerprint == first.fingerprint
    (entry,) = (own_home / "images").glob("drawn-*")
    assert {file.name for file in entry.iterdir()} == {"card.json", "pictures.json", "images.npy"}
