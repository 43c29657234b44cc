"""Images and a network that the tests of explanations share."""

import numpy as np
import pytest

from tests.network_forms import SIZE, build


@pytest.fixture(scope="session")
def images():
    """Two images of noise: float32 (2, 16, 16, 3), 0 to 255."""
    return np.float32(np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 3)))


@pytest.fixture(scope="session")
def functional():
    """Two convolutions, the mean of each map, three logits."""
    return build("functional")
