import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from cnnkit.datasets import load_dataset


def test_the_digits_are_scikit_learns_enlarged():
    dataset = load_dataset("digits")
    small, labels = load_digits(return_X_y=True)
    np.testing.assert_array_equal(dataset.labels, labels)
    # Reduced to 8×8 again, nearly every image is nearest to the one it came from.
    box = dataset.images[:200, 4:24, 4:24, 0]
    reduced = np.stack([Image.fromarray(p).resize((8, 8), Image.Resampling.BOX) for p in box])
    reduced = reduced.reshape(200, 64).astype(float)
    distances = ((reduced[:, None] - small[None, :200] * 255 / 16) ** 2).sum(-1)
    assert (distances.argmin(axis=1) == np.arange(200)).mean() > 0.95


def test_a_border_is_left_as_in_mnist():
    images = load_dataset("digits").images
    inside = np.zeros((28, 28), bool)
    inside[4:24, 4:24] = True
    assert images[:, ~inside].max() == 0
