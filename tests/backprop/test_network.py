"""NumPy models of whole Keras networks, there and back, and what has none."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.backprop import (
    ALL,
    DENSE,
    Convolution,
    Dense,
    Flatten,
    NumpyModel,
    ReLU,
    gradcheck,
    randomize_zero_kernels,
    relative_error,
    set_trainable,
    train,
)
from cnnkit.errors import DivergedError, IncompatibleError
from cnnkit.models import create_model
from tests.backprop.networks import DTYPES, network_of, random_images

WHOLE = ("toy_cnn", "lenet_tutorial", "deep_mnist", "lenet5")


def converted(name, dtype="float32", **options):
    """A Keras model without zero kernels, its NumPy model, two noisy images and their labels."""
    model = create_model(name, seed=1, **options)
    awake = NumpyModel.from_keras(model)
    randomize_zero_kernels(awake)
    for layer in awake:
        if layer.parameters:
            model.get_layer(layer.name).set_weights(list(layer.parameters.values()))
    shape = model.inputs[0].shape[1:]
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (2, *shape)).astype("uint8")
    return model, NumpyModel.from_keras(model, dtype), images, np.array([0, 2])


@pytest.mark.parametrize("name", WHOLE)
def test_the_numpy_model_has_the_outputs_and_gradients_of_its_keras_model(name):
    model, network, images, labels = converted(name)
    with tf.GradientTape() as tape:
        logits = model(images, training=False)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.reduce_mean(losses)
    theirs = tape.gradient(loss, model.trainable_weights)
    assert network.forward(images, labels) == pytest.approx(float(loss), rel=1e-5)
    assert relative_error(network.logits(images), logits.numpy()) < 1e-5
    network.forward(images, labels)
    network.backward()
    ours = [gradient for layer in network for gradient in layer.gradients.values()]
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert relative_error(mine, other.numpy()) < 1e-4
    assert network.parameter_count == model.count_params()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WHOLE)
def test_every_gradient_and_delta_of_a_whole_network_is_tensorflows(name, dtype):
    _, network, images, labels = converted(name, dtype)
    report = gradcheck(network, images, labels, probes=0)
    assert report.equal and report.worst > 0
    assert {check.layer for check in report.checks} == {layer.name for layer in network}


def test_central_differences_agree_in_every_layer_with_weights():
    _, network, images, labels = converted("toy_cnn", initialization="sugomori")
    report = gradcheck(network, images, labels, probes=4)
    probed = {check.layer for check in report.checks if check.probed}
    assert probed == {"block1_conv1", "block2_conv1", "fc1", "logits"}
    assert report.worst_difference < 1e-5


def test_a_wrong_gradient_is_found():
    _, network, images, labels = converted("toy_cnn")

    class Wrong(Convolution):
        def parameter_gradients(self, delta):
            found = super().parameter_gradients(delta)
            return found | {"kernel": 1.001 * found["kernel"]}

    network["block2_conv1"].__class__ = Wrong
    report = gradcheck(network, images, labels, probes=2)
    wrong = {(c.layer, c.array) for c in report.checks if c.tensorflow > report.tolerance}
    assert not report.equal and wrong == {("block2_conv1", "kernel")}
    assert report.worst_difference > 1e-4


def test_there_and_back_is_the_same_network():
    model, network, images, _ = converted("deep_mnist")
    back = network.to_keras()
    assert [w.shape for w in back.get_weights()] == [w.shape for w in model.get_weights()]
    for ours, theirs in zip(back.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    ours, theirs = (m(images, training=False).numpy() for m in (back, model))
    assert relative_error(ours, theirs) < 1e-6
    names = [layer.name for layer in NumpyModel.from_keras(back)]
    assert names == [layer.name for layer in network]


def test_a_step_is_keras_sgd_and_only_the_dense_layers_move_where_only_they_learn():
    model, network, images, labels = converted("toy_cnn", initialization="sugomori", learn=DENSE)
    before = [w.copy() for w in model.get_weights()]
    model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(True))
    model.train_on_batch(images, labels)
    list(train(network, (images, labels), (images, labels), epochs=1))
    ours = [values for layer in network for values in layer.parameters.values()]
    moved = []
    for mine, theirs, old in zip(ours, model.get_weights(), before, strict=True):
        assert np.allclose(mine, theirs, atol=1e-6)
        moved.append(not np.array_equal(mine, old))
    assert moved == [False] * 4 + [True] * 4


def test_backward_stops_at_the_lowest_layer_that_learns():
    _, network, images, labels = converted("toy_cnn")
    set_trainable(network, DENSE)
    network.forward(images, labels)
    network.backward(whole=False)
    assert network["fc1"].gradients and not network["fc1"].input_delta.size
    assert not network["flatten"].delta.size
    set_trainable(network, ALL)
    network.backward(whole=False)
    assert network["block1_conv1"].gradients and not network["block1_conv1"].input_delta.size


def test_training_tells_both_measures_and_learns():
    network = network_of(Flatten("flatten"), shape=(4, 4, 1), dtype="float32")
    images, labels = random_images((4, 4, 1), count=30)
    told = list(train(network, (images, labels), (images, labels), epochs=40, learning_rate=0.5))
    assert [epoch.number for epoch in told] == list(range(1, 41))
    assert told[-1].loss < told[0].loss and told[-1].probability > told[0].probability
    assert 0 <= told[-1].accuracy <= 1 and told[-1].seconds > told[0].seconds


# What cannot work: each error names the layer, what it expects and what came.


def refused(match):
    return pytest.raises(IncompatibleError, match=match)


def test_images_and_batches_that_do_not_fit():
    network = network_of(shape=(4, 4, 1))
    with refused(r"expects a batch of images of 4×4×1\. Received: 1×5×4×1"):
        network.logits(np.zeros((1, 5, 4, 1)))
    with refused(r"Layer 'flatten' .* at least one image\. Received: an empty batch, 0×4×4×1"):
        network.logits(np.zeros((0, 4, 4, 1)))
    with refused("at least one image"):
        list(train(network, (np.zeros((0, 4, 4, 1)), np.zeros(0)), (None, None), epochs=1))
    images, labels = random_images((4, 4, 1))
    with refused("labels of 0 to 2. Received: 3 to 3"):
        network.forward(images, np.array([3, 3]))
    with refused("one label for each of 2 images. Received: 1"):
        network.forward(images, labels[:1])


def test_layers_that_do_not_fit_each_other():
    kernel = np.zeros((3, 3, 2, 4))
    with refused(r"'conv' \(convolution\) expects images of height×width×2. Received: 4×4×1"):
        network_of(Convolution("conv", kernel), shape=(4, 4, 1))
    with refused(r"'conv' .* at least 3×3 pixels. Received: 2×5"):
        network_of(Convolution("conv", kernel), shape=(2, 5, 2))
    with refused(r"'fc1' \(dense\) expects a vector of 9 numbers. Received: 16"):
        NumpyModel([Flatten("flatten"), Dense("fc1", np.zeros((9, 3)))], (4, 4, 1))
    with refused("different names. 'a' twice"):
        NumpyModel([ReLU("a"), ReLU("a")], (4, 4, 1))
    with refused("float16"):
        NumpyModel([ReLU("a")], (4, 4, 1), "float16")
    layer = ReLU("relu")
    with refused("'relu' .* a forward pass first"):
        layer.backward(np.zeros((1, 2)))
    layer.forward(np.zeros((1, 2)))
    with refused("a delta of 1×2. Received: 2×2"):
        layer.backward(np.zeros((2, 2)))


def test_weights_that_are_no_numbers():
    model = create_model("toy_cnn")
    kernel, bias = model.get_layer("fc1").get_weights()
    kernel[3, 4] = np.nan
    model.get_layer("fc1").set_weights([kernel, bias])
    with refused(r"'fc1' \(dense\) expects finite numbers in its kernel. Received: 1 of 1,600"):
        NumpyModel.from_keras(model)


@pytest.mark.parametrize(
    "layer, words",
    [
        (keras.layers.BatchNormalization(name="odd"), "'odd' must be of a kind .*BatchNorm"),
        (keras.layers.Conv2D(2, 3, dilation_rate=2, name="odd"), "'odd' .* no dilation.*dilation"),
        (keras.layers.Conv2D(2, 3, groups=2, name="odd"), "'odd' .*one group.*2 groups"),
        (keras.layers.Conv2D(2, 3, activation="gelu", name="odd"), "'odd' .*relu, tanh.*'gelu'"),
        (keras.layers.ReLU(max_value=6, name="odd"), "'odd' .* plain ReLU"),
    ],
)  # fmt: skip
def test_a_layer_of_another_kind_is_named(layer, words):
    image = keras.Input((8, 8, 2))
    with refused(words):
        NumpyModel.from_keras(keras.Model(image, layer(image)))


def test_a_branch_is_named():
    image = keras.Input((8, 8, 2))
    both = keras.layers.Add(name="join")([image, keras.layers.ReLU()(image)])
    with refused("'join' must have one layer before it.*2 branches"):
        NumpyModel.from_keras(keras.Model(image, both))


def test_a_rate_that_is_too_large_is_said_to_be():
    network = network_of(shape=(4, 4, 1), dtype="float32")
    images, labels = random_images((4, 4, 1), count=9)
    with np.errstate(all="ignore"), pytest.raises(DivergedError, match="rate 1e\\+39"):
        list(train(network, (images, labels), (images, labels), epochs=9, learning_rate=1e39))
