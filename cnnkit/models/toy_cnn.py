"""The network that eijian built from nothing in Haskell, after Yusuke Sugomori's."""

import math

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model


@register_model(
    title="Toy CNN",
    description="Eleven small layers over 12×12 patterns: every number can be looked at.",
    paper="eijian: DeepLearning(4), CNN backpropagation; Yusuke Sugomori: DeepLearning",
    parameters=2_603,
    input_shape=(12, 12, 1),
    classes=3,
    options=(
        Option("initialization", "Dense layers start", "post", ("post", "sugomori")),
        Option("learn", "What learns", "all layers", ("all layers", "dense layers")),
    ),
)
def toy_cnn(input_shape, classes, seeds, initialization, learn):
    """Convolutions 3×3×10 and 2×2×20 with pooling, then 20 and 3 units.

    "post" is what stood behind the post of 2017: pixels 0 or ½, the first dense layer
    U(±1 / inputs), the last one zero. "sugomori" is the original's: pixels 0 or 1 and
    U(±√(6 / (fan_in + fan_out))) everywhere.
    """
    post = initialization == "post"
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling((0.5 if post else 1) / 255, name="rescaling")(image)
    for block, (filters, kernel_size) in enumerate(((10, 3), (20, 2)), start=1):
        x = keras.layers.Conv2D(
            filters,
            kernel_size,
            kernel_initializer=_pooled_uniform(x.shape[-1], filters, kernel_size, next(seeds)),
            trainable=learn == "all layers",
            name=f"block{block}_conv1",
        )(x)
        x = keras.layers.Activation("relu", name=f"block{block}_activation")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    bound = 1 / x.shape[-1] if post else math.sqrt(6 / (x.shape[-1] + 20))
    x = keras.layers.Dense(20, kernel_initializer=_uniform(bound, next(seeds)), name="fc1")(x)
    x = keras.layers.Activation("relu", name="fc1_activation")(x)
    last = "zeros" if post else _uniform(math.sqrt(6 / (20 + classes)), next(seeds))
    x = keras.layers.Dense(classes, kernel_initializer=last, name="logits")(x)
    return keras.Model(image, x, name="toy_cnn")


def _pooled_uniform(channels, filters, kernel_size, seed, pool_size=2):
    fan_in = channels * kernel_size**2
    fan_out = filters * kernel_size**2 / pool_size**2
    return _uniform(math.sqrt(6 / (fan_in + fan_out)), seed)


def _uniform(bound, seed):
    return keras.initializers.RandomUniform(-bound, bound, seed=seed)
