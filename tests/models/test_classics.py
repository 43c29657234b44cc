"""The classics: parameters and shapes of their papers, and what each option changes."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter

import keras
import numpy as np
import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.models import ModelCard, create_model, list_models, load_model, model_info, save_model
from cnnkit.models.lenet import C3_INPUTS
from cnnkit.models.resnet import DEPTHS, bottleneck_block, join

# Small enough to run, large enough for what has no padding.
SIDES = {"lenet5": 32, "alexnet": 67, "vgg16": 32, "resnet": 28, "googlenet": 28, "squeezenet": 28}
LIGHT = ("lenet5", "resnet", "googlenet", "squeezenet")  # without dense layers of 4096 units


@pytest.fixture(scope="module")
def published():
    """Name → the network as published; those with large dense layers are built where needed."""
    return {name: create_model(name) for name in LIGHT}


def small(name, classes=5, channels=3, **options):
    side = SIDES[name]
    if name == "resnet":
        options = {"depth": 18, **options}
    return create_model(name, input_shape=(side, side, channels), classes=classes, **options)


@functools.cache
def shared(name):
    """A small one that many tests look at and none changes."""
    return small(name)


def trainable(model):
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def shapes(model, *layers):
    return [tuple(model.get_layer(name).output.shape[1:]) for name in layers]


def images(model, number=2, seed=0):
    shape = (number, *model.input_shape[1:])
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_these_are_the_classics():
    assert set(list_models("classic")) == set(SIDES)


# --- parameters


@pytest.mark.parametrize("name", LIGHT)
def test_a_classic_learns_as_many_parameters_as_it_says(name, published):
    assert trainable(published[name]) == model_info(name).parameters


@pytest.mark.parametrize(("depth", "parameters"), [(18, 11_689_512), (34, 21_797_672)])
def test_residual_networks_have_the_parameters_of_torchvision(depth, parameters):
    # torchvision.models.resnet18, resnet34, which count no moving statistics.
    assert trainable(create_model("resnet", depth=depth)) == parameters


@pytest.mark.parametrize(
    ("depth", "parameters"), [(50, 25_557_032), (101, 44_549_160), (152, 60_192_808)]
)
def test_bottleneck_networks_have_the_parameters_of_torchvision(depth, parameters, published):
    """Counted on ResNet-50: the deeper ones only repeat the second block of a stage."""
    counts = Counter()
    for variable in published["resnet"].trainable_variables:
        stage_and_block = re.match(r"(conv._block.|)", variable.path)
        counts[stage_and_block[0]] += math.prod(variable.shape)
    block, numbers = DEPTHS[depth]
    assert block is bottleneck_block
    stages = [
        counts[f"conv{stage}_block1"] + (blocks - 1) * counts[f"conv{stage}_block2"]
        for stage, blocks in enumerate(numbers, start=2)
    ]
    assert counts[""] + sum(stages) == parameters


def test_alexnet_has_the_parameters_of_caffe_and_of_a_single_tower():
    # BVLC reference: 60,965,224 with two groups; 62,378,344 without (Torch, one GPU).
    two_groups = create_model("alexnet")
    assert trainable(two_groups) == model_info("alexnet").parameters == 60_965_224
    kernels = [
        math.prod(two_groups.get_layer(f"block{block}_conv1").kernel.shape) for block in (2, 4, 5)
    ]
    # Without groups each of these kernels sees twice as many maps.
    assert trainable(two_groups) + sum(kernels) == 62_378_344
    one_group = create_model("alexnet", groups=1, input_shape=(67, 67, 3), classes=2)
    assert one_group.get_layer("block2_conv1").kernel.shape == (5, 5, 96, 256)
    expected = [(13, 13, 384), (13, 13, 256), (6, 6, 256), (4096,), (1000,)]
    assert shapes(two_groups, "block4_conv1", "block5_conv1", "block5_pool", "fc2", "logits") == (
        expected
    )
    assert shapes(two_groups, "block1_conv1", "block2_conv1") == [(55, 55, 96), (27, 27, 256)]


def test_vgg_has_the_parameters_and_layer_names_of_keras_applications():
    with_values = create_model("vgg16")  # Keras's VGG16: 138,357,544
    assert with_values.count_params() == model_info("vgg16").parameters == 138_357_544
    assert shapes(with_values, "block1_pool", "block5_pool") == [(112, 112, 64), (7, 7, 512)]
    theirs = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    names = [layer.name for layer in with_values.layers]
    assert set(layer.name for layer in theirs.layers[1:]) < set(names)
    assert names[-6:] == ["flatten", "fc1", "fc1_dropout", "fc2", "fc2_dropout", "logits"]


def test_vgg19_has_three_convolutions_more():
    # Keras's VGG19: 143,667,240, which is 5,309,696 more than VGG16.
    sixteen, nineteen = (small("vgg16", depth=depth) for depth in (16, 19))
    assert trainable(nineteen) - trainable(sixteen) == 143_667_240 - 138_357_544


def test_the_auxiliary_classifiers_of_googlenet_have_the_parameters_of_caffe():
    # bvlc_googlenet/train_val.prototxt: 13,378,280 with both.
    model = create_model("googlenet", auxiliary=True)
    assert model.output_names == ["logits", "auxiliary1_logits", "auxiliary2_logits"]
    assert trainable(model) == 13_378_280
    assert shapes(model, "auxiliary1_pool", "auxiliary2_pool") == [(4, 4, 512), (4, 4, 528)]


# --- shapes


def test_lenet5_has_the_shapes_of_figure_2(published):
    layers = ("block1_conv1", "block1_pool", "block2_conv1", "block2_pool", "block3_conv1", "fc1")
    expected = [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (1, 1, 120), (84,)]
    assert shapes(published["lenet5"], *layers) == expected


def test_resnet_has_the_shapes_of_table_1(published):
    layers = ("conv1_relu", "pool1_pool", "conv2_block3_out", "conv3_block4_out", "avg_pool")
    expected = [(112, 112, 64), (56, 56, 64), (56, 56, 256), (28, 28, 512), (2048,)]
    assert shapes(published["resnet"], *layers) == expected


def test_googlenet_has_the_shapes_of_table_1(published):
    layers = ("pool1", "pool2", "inception_3a", "inception_3b", "inception_4a", "inception_4e")
    expected = [(56, 56, 64), (28, 28, 192), (28, 28, 256), (28, 28, 480), (14, 14, 512)]
    assert shapes(published["googlenet"], *layers) == [*expected, (14, 14, 832)]
    assert shapes(published["googlenet"], "inception_5b", "pool5") == [(7, 7, 1024), (1024,)]


def test_squeezenet_has_the_shapes_of_its_authors(published):
    layers = ("conv1", "pool1", "fire2", "pool3", "fire4", "pool5", "fire9", "conv10")
    expected = [(113, 113, 64), (56, 56, 64), (56, 56, 128), (28, 28, 128), (28, 28, 256)]
    expected += [(14, 14, 256), (14, 14, 512), (14, 14, 1000)]
    assert shapes(published["squeezenet"], *layers) == expected


# --- what every classic keeps


@pytest.mark.parametrize("name", SIDES)
def test_a_classic_is_flat_and_takes_other_images_and_classes(name):
    model = shared(name)
    names = [layer.name for layer in model.layers]
    assert names[:2] == ["image", "rescaling"] and names[-1] == "logits"
    assert not any(hasattr(layer, "layers") for layer in model.layers), "the graph must be flat"
    logits = model(images(model))
    assert logits.shape == (2, 5) and logits.dtype == "float32" and np.isfinite(logits).all()


@pytest.mark.parametrize("name", LIGHT)
def test_a_saved_classic_gives_the_same_logits(name, tmp_path):
    model = shared(name)
    card = ModelCard(
        model=name,
        title=name,
        class_names=tuple("abcde"),
        input_shape=model.input_shape[1:],
        dataset="none",
    )
    save_model(model, card, tmp_path)
    again, _ = load_model(tmp_path)
    np.testing.assert_array_equal(model(images(model)), again(images(model)))


@pytest.mark.parametrize("name", LIGHT)
def test_equal_seeds_give_equal_classics(name):
    models = (shared(name), small(name, seed=0), small(name, seed=1))
    kernels = [[np.array(v) for v in model.trainable_variables] for model in models]
    assert all((a == b).all() for a, b in zip(kernels[0], kernels[1], strict=True))
    assert any((a != b).any() for a, b in zip(kernels[0], kernels[2], strict=True))


def test_gray_images_have_one_mean_subtracted():
    model = create_model("squeezenet", input_shape=(28, 28, 1), classes=3)
    shifted = model.get_layer("rescaling")(np.full((1, 28, 28, 1), 200, np.uint8))
    np.testing.assert_allclose(shifted, 200 - (123 + 117 + 104) / 3, rtol=1e-5)


@pytest.mark.parametrize(("name", "side"), [("alexnet", 66), ("vgg16", 31), ("lenet5", 27)])
def test_images_that_are_too_small_for_a_paper_without_padding_say_so(name, side):
    with pytest.raises(IncompatibleError, match=rf"\({side}, {side}, 1\)"):
        create_model(name, input_shape=(side, side, 1))


@pytest.mark.parametrize("size", [(28, 28), (33, 46)])
@pytest.mark.parametrize("name", ("resnet", "googlenet", "squeezenet"))
def test_networks_that_end_in_a_mean_take_small_images(name, size):
    depth = {"depth": 18} if name == "resnet" else {}
    model = create_model(name, input_shape=(*size, 1), classes=3, **depth)
    assert model.output_shape == (None, 3)


def test_small_images_may_have_auxiliary_classifiers():
    model = small("googlenet", auxiliary=True)
    assert [output.shape[-1] for output in model(images(model))] == [5, 5, 5]


# --- LeNet-5


def test_lenet5_centers_28_pixels_on_a_field_of_32():
    model = create_model("lenet5", input_shape=(28, 28, 1))
    assert shapes(model, "field") == [(32, 32, 1)]
    wide = create_model("lenet5")
    wide.set_weights(model.get_weights())
    image = images(model)
    padded = np.pad(image, ((0, 0), (2, 2), (2, 2), (0, 0)))
    np.testing.assert_allclose(model(image), wide(padded), atol=1e-6)


def test_the_partial_connections_are_those_of_table_1():
    assert [len(seen) for seen in C3_INPUTS] == [3] * 6 + [4] * 9 + [6]
    # Every map of S2 is seen by ten maps of C3.
    assert [sum(s in seen for seen in C3_INPUTS) for s in range(6)] == [10] * 6
    assert len(set(map(frozenset, C3_INPUTS))) == 16


def test_partial_connections_are_a_full_convolution_with_zeros():
    partial, full = (create_model("lenet5", connections=c) for c in ("partial", "full"))
    maps = [partial.get_layer(f"block2_conv1_map{number}") for number in range(16)]
    # The paper: 1,516 trainable parameters in C3; all to all they would be 2,416.
    assert sum(layer.count_params() for layer in maps) == 1_516
    assert full.get_layer("block2_conv1").count_params() == 2_416
    kernel = np.zeros((5, 5, 6, 16), np.float32)
    for number, (layer, seen) in enumerate(zip(maps, C3_INPUTS, strict=True)):
        kernel[:, :, list(seen), number] = layer.kernel[..., 0]
    assert (kernel == 0).mean() == 36 / 96
    bias = np.array([layer.bias[0] for layer in maps])
    full.get_layer("block2_conv1").set_weights([kernel, bias])
    for name in ("block1_conv1", "block3_conv1", "fc1", "logits"):
        full.get_layer(name).set_weights(partial.get_layer(name).get_weights())
    image = images(full)
    np.testing.assert_allclose(partial(image), full(image), atol=1e-5)


def test_partial_connections_survive_saving(tmp_path):
    model = create_model("lenet5", connections="partial", activation="sigmoid")
    model.save(tmp_path / "lenet5.keras")
    again = keras.saving.load_model(tmp_path / "lenet5.keras", compile=False, safe_mode=True)
    np.testing.assert_array_equal(model(images(model)), again(images(model)))


# --- AlexNet, GoogLeNet


def test_local_response_normalization_is_the_formula_of_the_paper():
    from cnnkit.models._local_response import LocalResponseNormalization

    layer = LocalResponseNormalization(5, alpha=1e-2, beta=0.75, bias=2.0)
    x = np.random.default_rng(0).normal(0, 10, (2, 3, 3, 8)).astype(np.float32)
    expected = np.empty_like(x)
    for filter in range(8):
        around = x[..., max(0, filter - 2) : filter + 3]
        expected[..., filter] = x[..., filter] / (2 + 1e-2 * (around**2).sum(axis=-1)) ** 0.75
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-6)
    again = LocalResponseNormalization.from_config(layer.get_config())
    np.testing.assert_array_equal(layer(x), again(x))


def test_local_response_normalization_can_be_left_out():
    with_layers, without = shared("googlenet"), small("googlenet", local_response=False)
    names = {layer.name for layer in with_layers.layers} - {layer.name for layer in without.layers}
    assert names == {"norm1", "norm2"}
    names = [layer.name for layer in small("alexnet", local_response=False).layers]
    assert "block1_norm" not in names


@pytest.mark.parametrize("size", [(6, 6), (7, 7), (6, 7), (9, 8), (3, 3), (4, 5)])
def test_pooling_rounds_up_as_caffe_does(size):
    from cnnkit.models.layers import overlapping_pool

    image = keras.Input((*size, 2))
    model = keras.Model(image, overlapping_pool(image, "pool"))
    x = np.random.default_rng(0).random((1, *size, 2), np.float32)
    rows, columns = (math.ceil((side - 3) / 2) + 1 for side in size)
    expected = np.array(
        [
            [x[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((0, 1)) for j in range(columns)]
            for i in range(rows)
        ]
    )
    np.testing.assert_array_equal(np.array(model(x))[0], expected)


# --- residual networks and plain ones


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet_digits", {"depth": 14}),
        ("resnet", {"depth": 18, "shortcut": "projection", "input_shape": (28, 28, 3)}),
    ],
)
def test_a_plain_twin_starts_from_the_same_weights(name, options):
    residual, plain = (
        create_model(name, skips=skips, classes=4, seed=7, **options) for skips in (True, False)
    )
    layers = [layer for layer in plain.layers if layer.weights]
    assert all(
        (one == other).all()
        for layer in layers
        for one, other in zip(
            layer.get_weights(), residual.get_layer(layer.name).get_weights(), strict=True
        )
    )
    extra = {layer.name.split("_", 2)[-1] for layer in residual.layers} - {
        layer.name.split("_", 2)[-1] for layer in plain.layers
    }
    assert extra == {
        "add",
        *(("0_pool", "0_zeros") if name == "resnet_digits" else ("0_conv", "0_bn")),
    }
    assert not any(isinstance(layer, keras.layers.Add) for layer in plain.layers)


def test_shortcuts_without_parameters_leave_the_count_of_the_plain_twin():
    identity, plain = (
        create_model("resnet_digits", depth=8, skips=skips) for skips in (True, False)
    )
    assert identity.count_params() == plain.count_params()


def test_the_identity_shortcut_is_every_second_pixel_and_maps_of_zeros():
    image, branch = keras.Input((5, 7, 2)), keras.Input((3, 4, 5))
    joined = join(image, branch, 2, "block", iter(range(9)), shortcut="identity", skips=True)
    model = keras.Model([image, branch], joined)
    x = np.random.default_rng(0).random((1, 5, 7, 2), np.float32)
    expected = np.zeros((1, 3, 4, 5), np.float32)
    expected[..., :2] = x[:, ::2, ::2]
    np.testing.assert_array_equal(model([x, np.zeros_like(expected)]), expected)


def test_a_residual_block_without_weights_is_the_identity_and_a_plain_one_nothing():
    for skips in (True, False):
        model = create_model("resnet_digits", depth=8, skips=skips)
        model.get_layer("conv2_block1_2_conv").kernel.assign(np.zeros((3, 3, 16, 16)))
        probe = keras.Model(
            model.input,
            [model.get_layer(name).output for name in ("conv1_relu", "conv2_block1_out")],
        )
        before, after = map(np.array, probe(images(model)))
        np.testing.assert_array_equal(after, before if skips else np.zeros_like(before))


@pytest.mark.parametrize("depth", (8, 20))
def test_the_depth_of_a_digits_network_is_6n_plus_2(depth):
    model = create_model("resnet_digits", depth=depth)
    assert sum(hasattr(layer, "kernel") for layer in model.layers) == depth


def test_auxiliary_classifiers_change_no_other_weight():
    with_them, without = (create_model("googlenet_digits", auxiliary=on) for on in (True, False))
    for layer in (layer for layer in without.layers if layer.weights):
        pairs = zip(layer.get_weights(), with_them.get_layer(layer.name).get_weights(), strict=True)
        assert all((one == other).all() for one, other in pairs), layer.name
