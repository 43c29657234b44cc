"""The small network that aidiary trained on 17 kinds of flowers from nothing."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model

FILTERS = (32, 32, 64)


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
    for block, filters in enumerate(FILTERS, start=1):
        x = keras.layers.Conv2D(
            filters, 3, activation="relu", name=f"block{block}_conv1", **glorot()
        )(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(64, "relu", name="fc1", **glorot())(x)
    x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    x = keras.layers.Dense(classes, name="logits", **glorot())(x)
    return keras.Model(image, x, name="photo_cnn")
