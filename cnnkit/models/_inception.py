"""The module of GoogLeNet, and the small classifiers that help its depth to train.

Reference:
    Szegedy et al. 2015: Going Deeper with Convolutions, sections 4 and 5.
"""

from __future__ import annotations

from cnnkit._lazy import keras

# Table 1 of the paper: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def caffe_start(seeds, bias=0.2):
    """U(±√(3 / fan_in)), and biases that keep ReLU awake, as in Caffe's GoogLeNet."""
    return {
        "kernel_initializer": keras.initializers.LecunUniform(next(seeds)),
        "bias_initializer": keras.initializers.Constant(bias),
    }


def he_start(seeds, bias=0.0):
    """Twice that variance, so that ReLU lets the signal through undiminished."""
    return {
        "kernel_initializer": keras.initializers.HeUniform(next(seeds)),
        "bias_initializer": keras.initializers.Constant(bias),
    }


def convolution(x, filters, kernel_size, name, seeds, start=caffe_start):
    """A padded convolution with ReLU."""
    return keras.layers.Conv2D(
        filters, kernel_size, padding="same", activation="relu", name=name, **start(seeds)
    )(x)


def inception(x, widths, name, seeds, start=caffe_start):
    """Four branches side by side, 1×1 before whatever is dear (figure 2b).

    Args:
        x: (batch, height, width, channels).
        widths: filters, in the order of `MODULES`. Without a projection (0) the pooling
            branch keeps as many maps as came in.
        name: of the module.
        seeds: of the weights.
        start: makes the initializers of a layer.

    Returns:
        (batch, height, width, channels): as many as the four branches have together.
    """
    one, three_reduce, three, five_reduce, five, projection = widths
    branch1 = convolution(x, one, 1, f"{name}_1x1", seeds, start)
    branch2 = convolution(x, three_reduce, 1, f"{name}_3x3_reduce", seeds, start)
    branch2 = convolution(branch2, three, 3, f"{name}_3x3", seeds, start)
    branch3 = convolution(x, five_reduce, 1, f"{name}_5x5_reduce", seeds, start)
    branch3 = convolution(branch3, five, 5, f"{name}_5x5", seeds, start)
    branch4 = keras.layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
    if projection:
        branch4 = convolution(branch4, projection, 1, f"{name}_pool_proj", seeds, start)
    return keras.layers.Concatenate(name=name)([branch1, branch2, branch3, branch4])


def auxiliary_classifier(
    x, classes, name, seeds, start=caffe_start, *, filters=128, units=1024, dropout=0.7
):
    """Logits from the middle of the network, so that its first half feels the loss.

    Maps that are smaller than the 5×5 of the average pooling are averaged whole.
    """
    size = min(5, *x.shape[1:3])
    x = keras.layers.AveragePooling2D(size, 3, name=f"{name}_pool")(x)
    x = convolution(x, filters, 1, f"{name}_conv", seeds, start)
    x = keras.layers.Flatten(name=f"{name}_flatten")(x)
    x = keras.layers.Dense(units, "relu", name=f"{name}_fc", **start(seeds))(x)
    x = keras.layers.Dropout(dropout, seed=next(seeds), name=f"{name}_dropout")(x)
    return keras.layers.Dense(classes, name=f"{name}_logits", **start(seeds, bias=0))(x)
