"""AlexNet: the network that won ImageNet in 2012."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model
from cnnkit.models.layers import subtract_mean


@register_model(
    title="AlexNet",
    description="Five convolutions from 11×11 down to 3×3 with ReLU, then 4096, 4096, 1000 units.",
    paper="Krizhevsky, Sutskever, Hinton 2012: ImageNet Classification with Deep Convolutional "
    "Neural Networks",
    parameters=60_965_224,
    input_shape=(227, 227, 3),
    classes=1000,
    group="classic",
    options=(
        Option("groups", "Groups of filters", 2, (1, 2)),
        Option("local_response", "Local response normalization", True, (True, False)),
        Option("dropout", "Dropout of the dense layers", 0.5, range=(0, 0.9)),
    ),
)
def alexnet(input_shape, classes, seeds, groups, local_response, dropout):
    """Weights N(0, .01); biases 1 where that gives ReLU something to do from the start.

    Two groups: half of the filters lived on each of two GPUs, and saw only the maps of
    their own. The paper's images of 224×224 lead to its own sizes (55, 27, 13) only if
    they are 227×227.
    """
    image = keras.Input(input_shape, name="image")
    x = subtract_mean(image)
    x = _convolution(x, "block1_conv1", 96, 11, seeds, strides=4, padding="valid")
    x = _normalized(x, "block1_norm") if local_response else x
    x = keras.layers.MaxPooling2D(3, 2, name="block1_pool")(x)
    x = _convolution(x, "block2_conv1", 256, 5, seeds, groups=groups, bias=1)
    x = _normalized(x, "block2_norm") if local_response else x
    x = keras.layers.MaxPooling2D(3, 2, name="block2_pool")(x)
    x = _convolution(x, "block3_conv1", 384, 3, seeds)
    x = _convolution(x, "block4_conv1", 384, 3, seeds, groups=groups, bias=1)
    x = _convolution(x, "block5_conv1", 256, 3, seeds, groups=groups, bias=1)
    x = keras.layers.MaxPooling2D(3, 2, name="block5_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = keras.layers.Dense(4096, "relu", name=name, **_start(seeds, bias=1))(x)
        x = keras.layers.Dropout(dropout, seed=next(seeds), name=f"{name}_dropout")(x)
    x = keras.layers.Dense(classes, name="logits", **_start(seeds))(x)
    return keras.Model(image, x, name="alexnet")


def _convolution(x, name, filters, kernel_size, seeds, *, bias=0, padding="same", **kwargs):
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding=padding,
        activation="relu",
        name=name,
        **_start(seeds, bias),
        **kwargs,
    )(x)


def _normalized(x, name):
    from cnnkit.models._local_response import LocalResponseNormalization

    return LocalResponseNormalization(5, alpha=1e-4, beta=0.75, bias=2.0, name=name)(x)


def _start(seeds, bias=0):
    return {
        "kernel_initializer": keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds)),
        "bias_initializer": keras.initializers.Constant(bias),
    }
