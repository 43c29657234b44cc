"""VGG: nothing but 3×3, and deep."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model
from cnnkit.models.layers import subtract_mean

FILTERS = (64, 128, 256, 512, 512)  # of each block
CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # columns D and E of the paper


@register_model(
    title="VGG-16",
    description="Thirteen convolutions of 3×3 in five blocks, then 4096, 4096, 1000 units.",
    paper="Simonyan, Zisserman 2015: Very Deep Convolutional Networks for Large-Scale Image "
    "Recognition",
    parameters=138_357_544,
    input_shape=(224, 224, 3),
    classes=1000,
    group="classic",
    options=(
        Option("depth", "Layers with weights", 16, (16, 19)),
        Option("dropout", "Dropout of the dense layers", 0.5, range=(0, 0.9)),
    ),
)
def vgg16(input_shape, classes, seeds, depth, dropout):
    """Glorot uniform weights, which made training in stages superfluous, and zero biases."""

    def glorot():
        return {"kernel_initializer": keras.initializers.GlorotUniform(next(seeds))}

    image = keras.Input(input_shape, name="image")
    x = subtract_mean(image)
    blocks = zip(FILTERS, CONVOLUTIONS[depth], strict=True)
    for block, (filters, convolutions) in enumerate(blocks, start=1):
        for number in range(1, convolutions + 1):
            x = keras.layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                name=f"block{block}_conv{number}",
                **glorot(),
            )(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = keras.layers.Dense(4096, "relu", name=name, **glorot())(x)
        x = keras.layers.Dropout(dropout, seed=next(seeds), name=f"{name}_dropout")(x)
    x = keras.layers.Dense(classes, name="logits", **glorot())(x)
    return keras.Model(image, x, name="vgg16")
