import numpy as np

from cnnkit.datasets import load_dataset


def test_counts_are_the_authors():
    dataset = load_dataset("toy_patterns", validation_size=30)
    assert np.bincount(dataset.part("train")[1]).tolist() == [50, 50, 50]
    assert np.bincount(dataset.part("test")[1]).tolist() == [10, 10, 10]
    assert set(np.unique(dataset.images)) == {0, 255}


def test_pixels_are_what_they_should_be_with_the_authors_probabilities():
    flipped = {"train": [], "test": []}
    for seed in range(20):
        dataset = load_dataset("toy_patterns", validation_size=30, seed=seed)
        for part, rates in flipped.items():
            images, labels = dataset.part(part)
            ideal = np.arange(12)[np.newaxis, :, np.newaxis] // 4 == labels[:, None, None]
            rates.append(((images[..., 0] > 0) != ideal).mean())
    assert abs(np.mean(flipped["train"]) - 0.05) < 0.002
    assert abs(np.mean(flipped["test"]) - 0.10) < 0.005


def test_the_seed_decides():
    first, again, other = (load_dataset("toy_patterns", seed=s).images for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
