"""The commands that draw filters and dreams: small ones of theirs, on a small network."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from benchmarks import dreams, filter_regularizers, filter_settings
from cnnkit.visualize import presets


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(4)
    image = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(x)
    x = keras.layers.Conv2D(30, 3, padding="same", activation="relu", name="conv2")(x)
    return keras.Model(image, x)


def test_total_variation_smooths_and_the_lp_norm_hardly_changes_anything(small):
    found = {
        name: filter_regularizers.treated(small, "conv2", 3, preset, side=16, steps=40)
        for name, preset in filter_regularizers.TREATMENTS.items()
    }
    variation = {name: one[2] for name, one in found.items()}
    assert variation["TV"] < 0.5 * variation["linear"]
    assert variation["both"] < 0.5 * variation["Lp norm"]
    assert all(
        image.shape == (16, 16, 3) and image.dtype == np.uint8 for image, *_ in found.values()
    )
    assert found["linear"][1] > found["both"][1]


def test_a_candidate_is_measured_on_its_finished_images(small):
    preset = replace(presets.get("quick"), steps=3)
    figures, images = filter_settings.measured(
        small, filter_settings.Candidate("quick", preset, side=16), "conv2"
    )
    assert figures["steps"] == 3 and figures["side"] == 16 and len(set(figures["units"])) == 3
    assert images.shape == (3, 16, 16, 3)
    maps = small(images.astype(np.float32)).numpy().mean((1, 2))
    own = np.mean([maps[n, unit] for n, unit in enumerate(figures["units"])])
    assert figures["activation"] == pytest.approx(own, abs=0.06)
    steps = [np.abs(np.diff(images.astype(float), axis=axis)).mean() for axis in (1, 2)]
    assert figures["variation"] == pytest.approx(np.mean(steps), abs=0.006)


def test_every_candidate_differs_from_ours_in_what_its_title_says():
    ours = filter_settings.plan_of(filter_settings.CANDIDATES["vgg_filters"], "conv", (1, 2))
    differing = {
        "no_variation": "objective",
        "more_variation": "objective",
        "decay": "parametrization",
        "transforms": "transforms",
        "rate": "optimizer",
        "neuron": "objective",
        "larger": "size",
    }
    for name, field in differing.items():
        plan = filter_settings.plan_of(filter_settings.CANDIDATES[name], "conv", (1, 2))
        assert replace(plan, **{field: getattr(ours, field)}) == ours, name
        assert plan != ours, name


def test_the_landscape_is_the_same_each_time_and_has_many_colors():
    image = dreams.drawn_landscape(72, 96)
    assert image.shape == (72, 96, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image, dreams.drawn_landscape(72, 96))
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 500


def test_a_document_of_dreams_has_an_image_for_each():
    row = {"seconds": 61.2, "value": 3.0, "terms": {"layer_energy": 1234.0}}
    rows = {f"{name}-{start}": row for name in dreams.NAMES for start in dreams.STARTS}
    text = dreams.document({"machine": "On a hill", "rows": rows})
    assert (
        "| dreamy | block5_conv1 0.05, block5_conv2 0.02 | lbfgs | 1 | 5 | 0.1 | 0.02 | 0.0 |"
        in text
    )
    for key in rows:
        assert f"images/dream-{key}.jpg" in text
    assert "**bad trip**, 61 s: layer_energy 1,234" in text and "On a hill." in text
