"""Receptive fields, measured a second time by the gradient of networks of ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.anatomy import layer_table
from cnnkit.anatomy.receptive_field import Border

layers = keras.layers
SIZE = 61  # of the image: no field in the middle touches its edge


def conv(kernel=3, **options):
    return layers.Conv2D(1, kernel, use_bias=False, kernel_initializer="ones", **options)


def transposed(kernel=3, **options):
    return layers.Conv2DTranspose(1, kernel, use_bias=False, kernel_initializer="ones", **options)


def measured(model):
    """Largest box of pixels with a gradient, over the values in the middle of the output."""
    image = tf.Variable(tf.ones((1, *model.input_shape[1:])))
    with tf.GradientTape(persistent=True) as tape:
        output = model(image)
        height, width = output.shape[1:3]
        middle = [tf.reduce_sum(output[0, height // 2 + i, width // 2 + i]) for i in range(-2, 3)]
    boxes = []
    for value in middle:
        seen = np.abs(tape.gradient(value, image).numpy()[0]).sum(-1) > 0
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        if len(rows):
            boxes.append((rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1))
    return max(box[0] for box in boxes), max(box[1] for box in boxes)


def chain(*steps):
    def build(x):
        for step in steps:
            x = step(x)
        return x

    return build


def residual(x):
    inner = conv(3, padding="same")(conv(5, padding="same")(x))
    return layers.Add()([inner, x])


def inception(x):
    wide = conv(5, padding="same")(x)
    pooled = conv(1)(layers.AveragePooling2D(3, strides=1, padding="same")(x))
    return conv(3, strides=2)(layers.Concatenate()([wide, pooled, x]))


def shifted_branches(x):
    left = layers.Cropping2D(((0, 4), (0, 4)))(x)
    right = layers.Cropping2D(((4, 0), (4, 0)))(x)
    return layers.Add()([left, right])


def odd_padding(layer):
    """What a layer pads on the right and another on the left, together."""

    def build(x):
        right = layer(2, padding="same")(x)
        left = conv(2)(layers.ZeroPadding2D(((1, 0), (1, 0)))(x))
        return layers.Add()([left, right])

    return build


def gate(x):
    weights = conv(1)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return layers.Multiply()([conv(3)(x), weights])


NETWORKS = {
    "one convolution": chain(conv(3)),
    "a wide kernel": chain(conv((3, 7))),
    "three padded convolutions": chain(*(conv(3, padding="same") for _ in range(3))),
    "strides": chain(conv(3, strides=2), conv(3, strides=2), conv(3)),
    "padded strides": chain(conv(3, strides=2, padding="same"), conv(5, padding="same")),
    "dilation": chain(conv(3, dilation_rate=2), conv(3, dilation_rate=3)),
    "pooling": chain(conv(5), layers.AveragePooling2D(2), conv(5), layers.AveragePooling2D(3)),
    "padding and cropping": chain(
        layers.ZeroPadding2D(3), conv(7, strides=2), layers.Cropping2D(1)
    ),
    "one transposed": chain(transposed(3, strides=2)),
    "transposed, then convolution": chain(conv(3, strides=2), transposed(4, strides=2), conv(2)),
    "transposed with gaps": chain(conv(3), transposed(2, strides=3), conv(3)),
    "transposed padded": chain(conv(3), transposed(3, strides=2, padding="same"), conv(3)),
    "enlarged": chain(conv(3, strides=2), layers.UpSampling2D(2), conv(3)),
    "enlarged smoothly": chain(layers.UpSampling2D(2, interpolation="bilinear"), conv(3)),
    "resized": chain(layers.Resizing(43, 43, interpolation="nearest"), conv(3)),
    "residual": residual,
    "inception": inception,
    "shifted branches": shifted_branches,
    "odd padding": odd_padding(conv),
    "odd padding of a transposed one": odd_padding(transposed),
    "separable": chain(
        layers.SeparableConv2D(1, 5, depthwise_initializer="ones", pointwise_initializer="ones")
    ),
    "arithmetic": lambda x: conv(3)(x * 2 + 1) / 3 - 1,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_receptive_field_is_where_the_gradient_is(name):
    image = keras.Input((SIZE, SIZE, 1))
    model = keras.Model(image, NETWORKS[name](image))
    assert layer_table(model).receptive_field == measured(model)


@pytest.mark.parametrize("end", ["global", "flatten", "gate", "mean", "group normalization"])
def test_what_sees_everything_has_the_image_as_its_field(end):
    image = keras.Input((12, 15, 1))
    ends = {
        "global": layers.GlobalAveragePooling2D(keepdims=True),
        "flatten": chain(conv(3), layers.Flatten(), layers.Reshape((10, 13, 1))),
        "gate": gate,
        "mean": lambda x: keras.ops.mean(x, axis=(1, 2), keepdims=True),
        "group normalization": layers.GroupNormalization(1),
    }
    found = layer_table(keras.Model(image, ends[end](image)))
    assert found.rows[-1].whole_image and found.receptive_field == (12, 15)


def test_a_gate_leaves_the_stride_as_it_is():
    image = keras.Input((12, 12, 1))
    gated = gate(conv(3, strides=2)(image))
    row = layer_table(keras.Model(image, conv(3, strides=2)(gated))).rows[-1]
    assert row.whole_image and row.stride == (4, 4)


def test_strides_multiply_and_enlarging_divides():
    image = keras.Input((SIZE, SIZE, 1))
    x = conv(3, strides=(2, 3))(image)
    x = layers.MaxPooling2D(2)(x)
    x = layers.UpSampling2D(8)(x)
    assert [row.stride for row in layer_table(keras.Model(image, x)).rows] == [
        (1, 1),
        (2, 3),
        (4, 6),
        (0.5, 0.75),
    ]


def test_one_and_three_dimensions_are_followed_too():
    sound = keras.Input((50, 2))
    x = layers.Conv1D(4, 3, strides=2, padding="causal")(sound)
    assert layer_table(keras.Model(sound, layers.Conv1D(4, 5)(x))).receptive_field == (11,)
    film = keras.Input((9, 16, 16, 1))
    x = layers.MaxPooling3D((1, 2, 2))(layers.Conv3D(2, (3, 5, 5))(film))
    assert layer_table(keras.Model(film, x)).receptive_field == (3, 6, 6)


def test_what_cannot_be_followed_is_unknown_and_not_guessed():
    image = keras.Input((12, 12, 1))
    tokens = layers.Reshape((36, 4))(conv(3, padding="same")(image))
    assert layer_table(keras.Model(image, layers.Dense(2)(tokens))).receptive_field is None
    mixed = layers.Concatenate(axis=1)([image, image])
    assert layer_table(keras.Model(image, mixed)).receptive_field is None
    attended = layers.MultiHeadAttention(1, 2)(tokens, tokens)
    assert layer_table(keras.Model(image, layers.Flatten()(attended))).receptive_field == (12, 12)
    row = keras.Input((7,))
    assert layer_table(keras.Model(row, layers.Dense(3)(row))).receptive_field is None


def test_borders_compose_like_functions():
    outer, inner = Border((0, 0, 1), 1), Border((-1, 2), 5)
    both = outer.after(inner)
    assert [both(i) for i in range(-20, 20)] == [outer(inner(i)) for i in range(-20, 20)]
