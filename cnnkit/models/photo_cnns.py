"""Small convolutional networks for photographs."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model

PHOTO_FILTERS = (32, 32, 64)


@register_model(
    title="Photo CNN",
    description="Three convolutions of 3×3 with pooling, then 64 units: a LeNet for photos.",
    paper="aidiary 2017: Classifying 17 kinds of flowers by fine-tuning VGG16",
    parameters=1_213_553,
    input_shape=(150, 150, 3),
    classes=17,
    group="photos",
    options=(Option("dropout", "Dropout before the output", 0.5, range=(0, 0.9)),),
)
def photo_cnn(input_shape, classes, seeds, dropout):
    """Nine tenths of the weights stand between the last maps and 64 units."""

    def glorot():
        return {"kernel_initializer": keras.initializers.GlorotUniform(next(seeds))}

    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    for block, filters in enumerate(PHOTO_FILTERS, start=1):
        x = keras.layers.Conv2D(
            filters, 3, activation="relu", name=f"block{block}_conv1", **glorot()
        )(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(64, "relu", name="fc1", **glorot())(x)
    x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    x = keras.layers.Dense(classes, name="logits", **glorot())(x)
    return keras.Model(image, x, name="photo_cnn")


COMPACT_FILTERS = ((32,), (64,), (128,), (256, 256))  # of each block


@register_model(
    title="Compact photo CNN",
    description="Five convolutions with batch normalization, and the mean of each map at the end.",
    paper="after Ioffe, Szegedy 2015 (normalization); Lin et al. 2014 (means of maps, no dense "
    "layers)",
    parameters=986_609,
    input_shape=(150, 150, 3),
    classes=17,
    group="photos",
    options=(Option("dropout", "Dropout before the output", 0.2, range=(0, 0.9)),),
)
def compact_photo_cnn(input_shape, classes, seeds, dropout):
    """The first convolution takes every second pixel, so that most work is done on 9×9."""
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    for block, widths in enumerate(COMPACT_FILTERS, start=1):
        for number, filters in enumerate(widths, start=1):
            size, step = (5, 2) if block == 1 else (3, 1)
            x = _convolution(x, f"block{block}_conv{number}", filters, size, step, seeds)
        if block < len(COMPACT_FILTERS):
            x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    glorot = keras.initializers.GlorotUniform(next(seeds))
    x = keras.layers.Dense(classes, kernel_initializer=glorot, name="logits")(x)
    return keras.Model(image, x, name="compact_photo_cnn")


def _convolution(x, name, filters, size, step, seeds):
    x = keras.layers.Conv2D(
        filters,
        size,
        step,
        padding="same",
        use_bias=False,  # normalization adds its own
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name=name,
    )(x)
    # Few batches make an epoch: statistics that remember a hundred of them would be old.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)
