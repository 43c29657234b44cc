"""The small residual network of section 4.2 of the ResNet paper, for digits."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model
from cnnkit.models._residual import basic_block, convolution, join, relu


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
    """Stages of width, 2 width and 4 width filters; a network and its plain twin start alike."""
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
