"""ResNet, for photographs and for digits: blocks that learn what to add to their input.

Layer names are those of `keras.applications`: `conv2_block1_1_conv`, `conv2_block1_add`.

Reference:
    He, Zhang, Ren, Sun 2015: Deep Residual Learning for Image Recognition, section 3.
"""

from __future__ import annotations

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model
from cnnkit.models.layers import subtract_mean


def convolution(x, filters, kernel_size, name, seed, strides=1):
    """A convolution without bias, and batch normalization, which has one.

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
    """Add what went in to what came out, and apply ReLU; a plain network only does the latter.

    Args:
        x: what went into the block.
        branch: what its convolutions made of it.
        strides: of the block.
        name: of the block.
        seeds: one is taken whatever the options are, so that a residual and a plain network
            start from the same weights.
        shortcut: "projection" (option B of the paper: trainable where the shape changes) or
            "identity" (option A: no parameters anywhere).
        skips: False for a plain network.
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


# Table 1 of the paper: the block, and how often it stands in conv2 to conv5.
DEPTHS = {
    18: (basic_block, (2, 2, 2, 2)),
    34: (basic_block, (3, 4, 6, 3)),
    50: (bottleneck_block, (3, 4, 6, 3)),
    101: (bottleneck_block, (3, 4, 23, 3)),
    152: (bottleneck_block, (3, 8, 36, 3)),
}


@register_model(
    title="ResNet",
    description="18 to 152 layers with shortcuts around every two or three; or without them.",
    paper="He, Zhang, Ren, Sun 2015: Deep Residual Learning for Image Recognition",
    parameters=25_557_032,
    input_shape=(224, 224, 3),
    classes=1000,
    group="classic",
    options=(
        Option("depth", "Layers with weights", 50, tuple(DEPTHS)),
        Option("shortcut", "Shortcuts", "projection", ("projection", "identity")),
        Option("skips", "With shortcuts", True, (True, False)),
    ),
)
def resnet(input_shape, classes, seeds, depth, shortcut, skips):
    """He normal weights, zero biases; the first 1×1 of a bottleneck goes in steps of two."""
    block, numbers = DEPTHS[depth]
    image = keras.Input(input_shape, name="image")
    x = subtract_mean(image)
    x = relu(convolution(x, 64, 7, "conv1", next(seeds), strides=2), "conv1_relu")
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="pool1_pool")(x)
    for stage, blocks in enumerate(numbers, start=2):
        filters = 64 * 2 ** (stage - 2)
        for number in range(1, blocks + 1):
            name = f"conv{stage}_block{number}"
            strides = 2 if number == 1 and stage > 2 else 1
            branch = block(x, filters, strides, name, seeds)
            x = join(x, branch, strides, name, seeds, shortcut=shortcut, skips=skips)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    start = keras.initializers.HeNormal(next(seeds))
    x = keras.layers.Dense(classes, kernel_initializer=start, name="logits")(x)
    return keras.Model(image, x, name="resnet")


@register_model(
    title="ResNet for small images",
    description="6n + 2 layers in three stages, with parameter-free shortcuts or without.",
    paper="He, Zhang, Ren, Sun 2015: Deep Residual Learning for Image Recognition, section 4.2",
    parameters=270_810,
    not_trainable=1_376,
    options=(
        Option("depth", "Layers with weights", 20, (8, 14, 20, 32, 44, 56)),
        Option("skips", "With shortcuts", True, (True, False)),
        Option("width", "Filters of the first stage", 16, range=(4, 64)),
    ),
)
def resnet_digits(input_shape, classes, seeds, depth, skips, width):
    """Stages of width, 2 width and 4 width filters; residual and plain start alike."""
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    x = relu(convolution(x, int(width), 3, "conv1", next(seeds)), "conv1_relu")
    for stage in (2, 3, 4):
        filters = int(width) * 2 ** (stage - 2)
        for number in range(1, (depth - 2) // 6 + 1):
            name = f"conv{stage}_block{number}"
            strides = 2 if number == 1 and stage > 2 else 1
            branch = basic_block(x, filters, strides, name, seeds)
            x = join(x, branch, strides, name, seeds, shortcut="identity", skips=skips)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    start = keras.initializers.HeNormal(next(seeds))
    x = keras.layers.Dense(classes, kernel_initializer=start, name="logits")(x)
    return keras.Model(image, x, name="resnet_digits")
