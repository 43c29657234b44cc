"""LeNet-5 of 1998, and the LeNet of the Deep Learning Tutorials, in Theano in 2015."""

import math

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model

# Table I of the paper: the maps of S2 that each map of C3 sees. No two see the same, so
# that each must find something else.
C3_INPUTS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip


@register_model(
    title="LeNet-5",
    description="Three convolutions of 5×5 without padding, two average poolings, 84 units.",
    paper="LeCun, Bottou, Bengio, Haffner 1998: Gradient-Based Learning Applied to Document "
    "Recognition",
    parameters=61_706,
    input_shape=(32, 32, 1),
    group="classic",
    options=(
        Option("activation", "Activation", "tanh", ("tanh", "sigmoid")),
        Option("connections", "Connections of C3", "full", ("full", "partial")),
    ),
)
def lenet5(input_shape, classes, seeds, activation, connections):
    """C1, S2, C3, S4, C5, F6 and the output; weights U(±2.4 / fan_in).

    What differs from the paper: its poolings S2 and S4 learn a factor and a bias for each
    map, and are squashed again, ours only take the mean; its tanh is stretched to
    1.7159 tanh(2a/3); its output units measure the distance to drawn images of the
    digits (RBF), ours are a dense layer of logits.
    """
    image = keras.Input(input_shape, name="image")
    x = _on_a_field_of_32(image)
    # Background -.1, ink 1.175: mean about 0, deviation about 1 over the digits.
    x = keras.layers.Rescaling(1.275 / 255, offset=-0.1, name="rescaling")(x)
    x = _convolution(x, 6, "block1_conv1", activation, seeds)  # C1, 28×28
    x = keras.layers.AveragePooling2D(2, name="block1_pool")(x)  # S2, 14×14
    third = _partial_convolution if connections == "partial" else _full_convolution
    x = third(x, activation, seeds)  # C3, 10×10
    x = keras.layers.AveragePooling2D(2, name="block2_pool")(x)  # S4, 5×5
    x = _convolution(x, 120, "block3_conv1", activation, seeds)  # C5, 1×1
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(84, activation, name="fc1", **_start(x.shape[-1], seeds))(x)  # F6
    x = keras.layers.Dense(classes, name="logits", **_start(84, seeds))(x)
    return keras.Model(image, x, name="lenet5")


def _on_a_field_of_32(image):
    """Center a smaller image on background, as the paper does with its 28×28 digits."""
    height, width = (min(max(0, 32 - side), 4) for side in image.shape[1:3])
    if not (height or width):
        return image
    margins = ((height // 2, height - height // 2), (width // 2, width - width // 2))
    return keras.layers.ZeroPadding2D(margins, name="field")(image)


def _full_convolution(x, activation, seeds):
    return _convolution(x, 16, "block2_conv1", activation, seeds)


def _partial_convolution(x, activation, seeds):
    """Sixteen convolutions of one filter, each over the maps that Table I gives it."""
    maps = [
        _convolution(
            keras.ops.take(x, seen, axis=-1), 1, f"block2_conv1_map{number}", activation, seeds
        )
        for number, seen in enumerate(C3_INPUTS)
    ]
    return keras.layers.Concatenate(name="block2_maps")(maps)


def _convolution(x, filters, name, activation, seeds):
    start = _start(25 * x.shape[-1], seeds)
    return keras.layers.Conv2D(filters, 5, activation=activation, name=name, **start)(x)


def _start(fan_in, seeds):
    bound = 2.4 / fan_in
    uniform = keras.initializers.RandomUniform(-bound, bound, seed=next(seeds))
    return {"kernel_initializer": uniform}


@register_model(
    title="LeNet (Deep Learning Tutorials)",
    description="Two convolutions of 5×5, each with pooling, then 500 hidden units.",
    paper="LISA lab: Deep Learning Tutorials, Convolutional Neural Networks (LeNet)",
    parameters=431_080,
    options=(
        Option("activation", "Activation", "tanh", ("tanh", "relu")),
        Option(
            "activation_position",
            "Bias and activation",
            "after pooling",
            ("after pooling", "before pooling"),
        ),
        Option("dropout", "Dropout before the output", 0.0, range=(0, 0.9)),
    ),
)
def lenet_tutorial(input_shape, classes, seeds, activation, activation_position, dropout):
    """20 and 50 filters, U(±√(6 / (fan_in + fan_out))), fan_out divided by the pool.

    The tutorial adds the bias after pooling. Ours stands in the convolution: one bias
    per filter moves every pixel alike, so the largest stays the largest, and both give
    the same numbers and the same gradients.
    """
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    for block, filters in enumerate((20, 50), start=1):
        x = keras.layers.Conv2D(
            filters,
            5,
            kernel_initializer=_tutorial_uniform(x.shape[-1], filters, next(seeds)),
            name=f"block{block}_conv1",
        )(x)
        pool = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")
        activate = keras.layers.Activation(activation, name=f"block{block}_activation")
        x = activate(pool(x)) if activation_position == "after pooling" else pool(activate(x))
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(
        500, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)), name="fc1"
    )(x)
    x = keras.layers.Activation(activation, name="fc1_activation")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=next(seeds), name="fc1_dropout")(x)
    x = keras.layers.Dense(classes, kernel_initializer="zeros", name="logits")(x)
    return keras.Model(image, x, name="lenet_tutorial")


def _tutorial_uniform(channels, filters, seed, kernel_size=5, pool_size=2):
    fan_in = channels * kernel_size**2
    fan_out = filters * kernel_size**2 / pool_size**2
    bound = math.sqrt(6 / (fan_in + fan_out))
    return keras.initializers.RandomUniform(-bound, bound, seed=seed)
