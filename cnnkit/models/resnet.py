"""ResNet: blocks that learn what to add to their input."""

from cnnkit._lazy import keras
from cnnkit.models._pixels import subtract_mean
from cnnkit.models._registry import Option, register_model
from cnnkit.models._residual import basic_block, bottleneck_block, convolution, join, relu

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
