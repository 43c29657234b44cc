"""The building blocks of residual networks and of their plain twins.

Layer names are those of `keras.applications`: `conv2_block1_1_conv`, `conv2_block1_add`.

Reference:
    He, Zhang, Ren, Sun 2015: Deep Residual Learning for Image Recognition, section 3.
"""

from __future__ import annotations

from cnnkit._lazy import keras


def convolution(x, filters, kernel_size, name, seed, strides=1):
    """A convolution without bias, and batch normalisation, which has one.

    Padding is the same on both sides, also where the convolution goes in steps of two:
    its windows then stand where a shortcut takes its pixels. Keras's "same" would move
    them by one.
    """
    padding = "same"
    if strides > 1 and kernel_size > 1:
        x = keras.layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
        padding = "valid"
    x = keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding=padding,
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed),
        name=f"{name}_conv",
    )(x)
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def relu(x, name):
    """ReLU as a layer of its own, so that what stands before it can be looked at."""
    return keras.layers.Activation("relu", name=name)(x)


def basic_block(x, filters, strides, name, seeds):
    """Two convolutions of 3×3 (figure 5, left), without the last ReLU."""
    x = convolution(x, filters, 3, f"{name}_1", next(seeds), strides)
    x = relu(x, f"{name}_1_relu")
    return convolution(x, filters, 3, f"{name}_2", next(seeds))


def bottleneck_block(x, filters, strides, name, seeds):
    """1×1 to fewer maps, 3×3, 1×1 to four times as many (figure 5, right)."""
    x = convolution(x, filters, 1, f"{name}_1", next(seeds), strides)
    x = relu(x, f"{name}_1_relu")
    x = convolution(x, filters, 3, f"{name}_2", next(seeds))
    x = relu(x, f"{name}_2_relu")
    return convolution(x, 4 * filters, 1, f"{name}_3", next(seeds))


def join(x, branch, strides, name, seeds, *, shortcut, skips):
    """Add what went in to what came out, and apply ReLU; the plain twin only does the latter.

    Args:
        x: what went into the block.
        branch: what its convolutions made of it.
        strides: of the block.
        name: of the block.
        seeds: one is taken whatever the options are, so that a network and its plain twin
            start from the same weights.
        shortcut: "projection" (option B of the paper: learnt where the shape changes) or
            "identity" (option A: nothing to learn anywhere).
        skips: False for the plain twin.
    """
    seed, filters = next(seeds), branch.shape[-1]
    if skips:
        if strides > 1 or x.shape[-1] != filters:
            if shortcut == "projection":
                x = convolution(x, filters, 1, f"{name}_0", seed, strides)
            else:
                x = _identity(x, filters, strides, name)
        branch = keras.layers.Add(name=f"{name}_add")([x, branch])
    return relu(branch, f"{name}_out")


def _identity(x, filters, strides, name):
    """Every second pixel, and maps of zeros behind those there are."""
    if strides > 1:
        # The largest of one pixel is that pixel.
        x = keras.layers.MaxPooling2D(1, strides, name=f"{name}_0_pool")(x)
    # The layer pads the last two axes of "channels_first". Here these are width and
    # channels, and width is left alone.
    channels = ((0, 0), (0, filters - x.shape[-1]))
    return keras.layers.ZeroPadding2D(
        channels, data_format="channels_first", name=f"{name}_0_zeros"
    )(x)
