"""Multiply-accumulates, counted a second time: all-ones layers add up one for each."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from cnnkit.anatomy import layer_table

layers = keras.layers


def counted(layer, *shape):
    """MACs of one layer as the table has them."""
    image = keras.Input(shape)
    (row,) = layer_table(keras.Model(image, layer(image))).rows[1:]
    return row.macs


def summed(layer, *shape):
    """The sum of the outputs where all inputs and weights are 1: one for each product."""
    ones = np.ones((1, *shape), np.float32)
    layer(ones)
    layer.set_weights([np.ones(w.shape) for w in layer.weights])
    return int(np.asarray(layer(ones), np.float64).sum())


ones = {"use_bias": False}
SUMMABLE = [
    (layers.Conv1D(4, 3, **ones), (9, 2)),
    (layers.Conv2D(4, 3, **ones), (8, 9, 3)),
    (layers.Conv2D(4, (3, 5), strides=(2, 1), **ones), (8, 9, 3)),
    (layers.Conv2D(4, 3, dilation_rate=2, **ones), (9, 9, 3)),
    (layers.Conv3D(2, 2, **ones), (4, 4, 5, 2)),
    (layers.DepthwiseConv2D(3, depth_multiplier=2, **ones), (8, 8, 3)),
    (layers.DepthwiseConv1D(3, strides=2, **ones), (9, 3)),
    (layers.Conv1DTranspose(3, 3, strides=2, **ones), (5, 2)),
    (layers.Conv2DTranspose(4, 3, strides=2, **ones), (5, 6, 3)),
    (layers.Conv3DTranspose(2, 2, strides=2, **ones), (3, 3, 3, 2)),
    (layers.Dense(5, **ones), (7,)),
    (layers.Dense(5, **ones), (6, 7)),
    (layers.Dense(5, **ones), (3, 4, 7)),
    (layers.EinsumDense("abc,cd->abd", output_shape=(6, 5)), (6, 7)),
    (layers.EinsumDense("...c,cd->...d", output_shape=(6, 5)), (6, 7)),
]


@pytest.mark.parametrize(("layer", "shape"), SUMMABLE, ids=lambda x: getattr(x, "name", str(x)))
def test_macs_are_the_sum_of_a_layer_of_ones(layer, shape):
    assert counted(layer, *shape) == summed(layer, *shape) > 0


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("strides", [1, 2])
def test_a_padded_grouped_convolution_counts_what_the_loops_do(groups, strides):
    height, width, channels, filters, kernel = 5, 6, 4, 8, 3
    layer = layers.Conv2D(filters, kernel, strides=strides, padding="same", groups=groups)
    rows, columns = -(-height // strides), -(-width // strides)
    products = 0
    for _ in itertools.product(
        range(rows), range(columns), range(kernel), range(kernel), range(filters)
    ):
        products += channels // groups  # the kernel meets padding like any other place
    assert counted(layer, height, width, channels) == products


def test_a_separable_convolution_is_a_depthwise_one_and_a_1x1():
    separable = layers.SeparableConv2D(8, 3, padding="same", depth_multiplier=2)
    depthwise = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)
    assert counted(separable, 7, 7, 3) == counted(depthwise, 7, 7, 3) + counted(
        layers.Conv2D(8, 1), 7, 7, 6
    )
    assert counted(layers.SeparableConv1D(4, 3), 9, 2) == 7 * (3 * 2 + 2 * 4)


def test_a_transposed_convolution_with_padding_counts_its_inputs():
    layer = layers.Conv2DTranspose(4, 3, strides=2, padding="same")
    assert counted(layer, 5, 5, 3) == 25 * 9 * 3 * 4


def test_attention_counts_projections_scores_and_the_weighted_sum():
    tokens, width, heads, size = 6, 10, 2, 4
    image = keras.Input((tokens, width))
    attention = layers.MultiHeadAttention(heads, size, name="attention")
    model = keras.Model(image, attention(image, image))
    projections = 4 * tokens * width * heads * size
    scores = 2 * tokens * tokens * heads * size
    assert layer_table(model).macs == projections + scores
    # The projections are all its weights but the biases, once a token.
    kernels = sum(int(np.prod(w.shape)) for w in attention.weights if "kernel" in w.path)
    assert projections == tokens * kernels


def test_grouped_attention_with_as_many_groups_as_heads_costs_the_same():
    image = keras.Input((6, 10))
    grouped = layers.GroupQueryAttention(4, 2, 2)(image, image)
    full = layers.MultiHeadAttention(2, 4)(image, image)
    assert (
        layer_table(keras.Model(image, grouped)).macs == layer_table(keras.Model(image, full)).macs
    )


def test_products_of_two_tensors_count():
    left, right = keras.Input((4, 5)), keras.Input((5, 6))
    product = keras.Model([left, right], keras.ops.matmul(left, right))
    assert layer_table(product).macs == 4 * 6 * 5
    other = keras.Input((7, 5))
    assert layer_table(keras.Model([left, other], layers.Dot(2)([left, other]))).macs == 4 * 7 * 5
    attended = layers.Attention()([left, other])
    assert layer_table(keras.Model([left, other], attended)).macs == 4 * 7 * (5 + 5)


def test_pooling_is_counted_apart():
    image = keras.Input((8, 8, 3))
    row = layer_table(keras.Model(image, layers.AveragePooling2D(3, strides=2)(image))).rows[1]
    assert row.macs == 0 and row.pool_operations == 3 * 3 * (3 * 3 * 3)
    row = layer_table(keras.Model(image, layers.GlobalMaxPooling2D()(image))).rows[1]
    assert row.macs == 0 and row.pool_operations == 8 * 8 * 3


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.GroupNormalization(3),
        layers.Rescaling(1 / 255),
        layers.ReLU(),
        layers.PReLU(),
        layers.Resizing(4, 4),
        layers.ZeroPadding2D(1),
        layers.Flatten(),
    ],
    ids=lambda layer: layer.name,
)
def test_what_works_value_by_value_counts_nothing_by_convention(layer):
    assert counted(layer, 8, 8, 3) == 0


class Mystery(layers.Layer):
    """A stranger's layer with weights."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], shape[-1]))

    def call(self, x):
        return keras.ops.matmul(x, self.kernel)


class Twice(layers.Dense):
    """A stranger's layer that computes more than its parent."""

    def call(self, x):
        return super().call(x) + super().call(x)


class Renamed(layers.Dense):
    """A stranger's layer that computes what its parent does."""


def test_what_is_unknown_is_said_to_be_not_counted():
    image = keras.Input((8, 8, 3), name="image")
    x = Mystery(name="mystery")(image)
    x = Twice(4, name="twice")(x)
    x = layers.ConvLSTM1D(2, 3, name="recurrent")(x)
    found = layer_table(keras.Model(image, x))
    assert found.not_counted == ("mystery", "twice", "recurrent")
    assert [row.macs for row in found.rows] == [0, None, None, None]
    assert found.rows[1].note == "MACs not counted" and found.rows[1].parameters == 9
    assert counted(Renamed(4), 8, 3) == 8 * 3 * 4


def test_tensorflow_counts_two_operations_for_each_mac():
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )
    from tensorflow.python.profiler import model_analyzer, option_builder

    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(image)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = layers.Conv2D(4, 3, strides=2, dilation_rate=1, padding="same", use_bias=False)(x)
    x = layers.Flatten()(x)
    model = keras.Model(image, layers.Dense(10, use_bias=False)(x))
    traced = tf.function(model).get_concrete_function(tf.TensorSpec((1, 16, 16, 3)))
    graph = convert_variables_to_constants_v2(traced).graph
    options = option_builder.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    operations = model_analyzer.profile(graph, options=options).total_float_ops
    assert operations == 2 * layer_table(model).macs
