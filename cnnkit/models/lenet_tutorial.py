"""The LeNet of the Deep Learning Tutorials, in Theano in 2015."""

import math

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model


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
