"""Many filters of a layer: the right ones, in one size, with one compiled step."""

import numpy as np
import pytest

from cnnkit.errors import UnknownLayerError, UnknownNameError
from cnnkit.visualize import Maximization, channel, presets
from cnnkit.visualize.fooling import to_8bit
from cnnkit.visualize.mosaics import (
    MosaicSettings,
    default_settings,
    image_size,
    mosaic,
    receptive_fields,
    unit_count,
)
from cnnkit.visualize.step import CompiledStep

SHAPE = (16, 16, 3)


def made(steps):
    """What a generator yields, and what it returns."""
    told = []
    try:
        while True:
            told.append(next(steps))
    except StopIteration as end:
        return told, end.value


def test_a_mosaic_has_an_image_for_each_filter_and_tells_each_step(small):
    told, images = made(mosaic(small, "conv2", MosaicSettings(units=4, steps=3, seed=1), SHAPE))
    assert told == [1, 2, 3]
    assert images.shape == (4, 16, 16, 3) and images.dtype == np.uint8
    assert len({image.tobytes() for image in images}) == 4


def test_each_image_is_the_one_that_its_filter_ascends_alone(small):
    way = MosaicSettings(units="all", preset="quick", steps=3)
    _, images = made(mosaic(small, "conv1", way, SHAPE))
    plan = presets.get("quick").plan(channel("conv1", range(4)), images=4, size=(16, 16), steps=3)
    running = Maximization(small, plan)
    for _ in range(3):
        step = running.step()
    np.testing.assert_array_equal(images, to_8bit(step.images))


def test_the_last_batch_is_filled_up_and_compiles_nothing_anew(small, monkeypatch):
    monkeypatch.setattr("cnnkit.visualize.mosaics.BATCH", 4)
    traces = []
    one = CompiledStep._one

    def counted(self, *given, **how):
        traces.append(1)
        return one(self, *given, **how)

    monkeypatch.setattr(CompiledStep, "_one", counted)
    told, images = made(mosaic(small, "conv2", MosaicSettings(units="all", steps=2), SHAPE))
    assert told == [1, 2, 3, 4] and len(images) == 6
    assert len(traces) == 1


def test_filters_are_drawn_with_the_seed_and_all_are_all():
    assert MosaicSettings(units=3, seed=5).channels(100) == MosaicSettings(
        units=3, seed=5
    ).channels(100)
    assert MosaicSettings(units=3, seed=5).channels(100) != MosaicSettings(
        units=3, seed=6
    ).channels(100)
    assert (
        MosaicSettings().channels(10)
        == tuple(range(10))
        == MosaicSettings(units="all").channels(10)
    )
    assert MosaicSettings(units="all").batches(18)[1] == (16, 17) + (16,) * 14


def test_a_size_is_small_for_a_small_field_and_never_less_than_a_layer_takes(small):
    import keras

    image = keras.Input((200, 200, 3))
    x = keras.layers.Conv2D(2, 3, name="near")(image)
    far = keras.layers.Conv2D(2, 30, 5, name="far")(x)
    far = keras.layers.MaxPooling2D(9, name="pool")(far)
    far = keras.layers.Conv2D(2, 1, name="deep")(far)
    model = keras.Model(image, keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(far)))
    shape = (200, 200, 3)
    fields = receptive_fields(model, shape)
    assert image_size(model, "near", shape, fields["near"]) == (64, 64)
    assert image_size(model, "far", shape, (60, 60)) == (112, 112)
    assert image_size(model, "deep", shape, (59, 59)) == (112, 112)
    assert image_size(model, "logits", shape) == (200, 200)
    assert image_size(small, "conv1", SHAPE, (3, 3)) == (16, 16)


def test_a_way_survives_json_and_each_part_of_it_has_its_own_key():
    way = MosaicSettings(units="all", preset="lucid", steps=9, seed=2)
    assert MosaicSettings.from_dict({**way.to_dict(), "source": {}}) == way
    keys = {
        way.key("weights", "conv1"),
        way.key("weights", "conv2"),
        way.key("other", "conv1"),
        MosaicSettings(preset="lucid", steps=9, seed=2).key("weights", "conv1"),
        MosaicSettings(units="all", steps=9, seed=2).key("weights", "conv1"),
        MosaicSettings(units="all", preset="lucid", steps=8, seed=2).key("weights", "conv1"),
        MosaicSettings(units="all", preset="lucid", steps=9).key("weights", "conv1"),
    }
    assert len(keys) == 7


def test_what_cannot_be_is_refused(small):
    assert unit_count(small, "conv2", SHAPE) == 6
    with pytest.raises(UnknownLayerError, match="Known layers: conv1"):
        next(mosaic(small, "conv9", MosaicSettings(), SHAPE))
    with pytest.raises(UnknownNameError, match="preset"):
        MosaicSettings(preset="best")
    with pytest.raises(ValueError, match="Received: 0"):
        MosaicSettings(units=0)
    with pytest.raises(ValueError, match="Received: 0"):
        MosaicSettings(steps=0)


def test_a_filter_that_sees_little_is_not_smoothed(small):
    preset = presets.get("vgg_filters")
    assert preset.for_field((40, 40)).penalties is None
    assert preset.for_field((60, 60)) == preset.for_field(None) == preset
    assert presets.get("quick").for_field((3, 3)) == presets.get("quick")
    way = MosaicSettings(units=2, preset="vgg_filters", steps=3)
    _, near = made(mosaic(small, "conv1", way, SHAPE, (3, 3)))
    _, far = made(mosaic(small, "conv1", way, SHAPE, (200, 200)))
    assert (near != far).any()


def test_each_network_has_usual_settings():
    assert default_settings("vgg16").preset == default_settings("vgg19").preset == "vgg_filters"
    assert default_settings("vgg16").steps == presets.get("vgg_filters").steps
    assert default_settings("googlenet") == default_settings("any run") == MosaicSettings()
