"""A small network of today, for digits: batch normalisation, no large dense layer."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model


@register_model(
    title="Compact CNN",
    description="Four convolutions of 3×3 with batch normalisation, and no hidden dense layer.",
    paper="after Simonyan, Zisserman 2015 (3×3 pairs); Ioffe, Szegedy 2015 (normalisation); "
    "Springenberg et al. 2015 (no dense layers)",
    parameters=162_474,
    not_trainable=576,
    options=(
        Option("width", "Filters of the first block", 32, range=(4, 128)),
        Option("dropout", "Dropout before the output", 0.0, range=(0, 0.9)),
    ),
)
def compact_cnn(input_shape, classes, seeds, width, dropout):
    """Filters double when the image is halved; all that is dear happens on 13×13 or less.

    The largest of four is taken before normalisation and ReLU, which so have a quarter of
    the work.
    """
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    width = int(width)
    x = _convolution(x, 1, 1, width, seeds, pooled=True)
    x = _convolution(x, 2, 1, 2 * width, seeds)
    x = _convolution(x, 2, 2, 2 * width, seeds, pooled=True)
    x = _convolution(x, 3, 1, 4 * width, seeds, padding="same")
    x = keras.layers.Flatten(name="flatten")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    x = keras.layers.Dense(
        classes, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)), name="logits"
    )(x)
    return keras.Model(image, x, name="compact_cnn")


def _convolution(x, block, number, filters, seeds, pooled=False, padding="valid"):
    name = f"block{block}_conv{number}"
    x = keras.layers.Conv2D(
        filters,
        3,
        padding=padding,
        use_bias=False,  # normalisation adds its own
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name=name,
    )(x)
    if pooled:
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"block{block}_pool")(x)
    x = keras.layers.BatchNormalization(momentum=0.99, name=f"{name}_bn")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)
