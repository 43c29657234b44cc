"""SqueezeNet 1.1: AlexNet's accuracy with a fiftieth of its weights."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model
from cnnkit.models.layers import CAFFE_MEAN, overlapping_pool, subtract_mean

# Filters of 1×1 that squeeze; four times as many of 1×1 and of 3×3 expand.
FIRES = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}


@register_model(
    title="SqueezeNet 1.1",
    description="Eight fire modules: 1×1 to few maps, then 1×1 and 3×3 to many. No dense layer.",
    paper="Iandola et al. 2016: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters; "
    "version 1.1 of its authors' repository",
    parameters=1_235_496,
    input_shape=(227, 227, 3),
    classes=1000,
    group="classic",
    options=(Option("dropout", "Dropout before the last convolution", 0.5, range=(0, 0.9)),),
)
def squeezenet(input_shape, classes, seeds, dropout):
    """Glorot uniform weights, zero biases; the logits are means of maps, one for each class."""
    image = keras.Input(input_shape, name="image")
    x = subtract_mean(image, CAFFE_MEAN)
    x = _convolution(x, 64, 3, "conv1", seeds, strides=2, padding="valid")
    x = overlapping_pool(x, "pool1")
    for number, squeezed in FIRES.items():
        x = _fire(x, squeezed, f"fire{number}", seeds)
        if number in (3, 5):
            x = overlapping_pool(x, f"pool{number}")
    x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    x = _convolution(x, classes, 1, "conv10", seeds)
    x = keras.layers.GlobalAveragePooling2D(name="logits")(x)
    return keras.Model(image, x, name="squeezenet")


def _fire(x, squeezed, name, seeds):
    x = _convolution(x, squeezed, 1, f"{name}_squeeze1x1", seeds)
    small = _convolution(x, 4 * squeezed, 1, f"{name}_expand1x1", seeds)
    large = _convolution(x, 4 * squeezed, 3, f"{name}_expand3x3", seeds)
    return keras.layers.Concatenate(name=name)([small, large])


def _convolution(x, filters, kernel_size, name, seeds, strides=1, padding="same"):
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding=padding,
        activation="relu",
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        name=name,
    )(x)
