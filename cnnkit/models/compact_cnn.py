"""A small network of today, for digits: batch normalisation, no large dense layer."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model


@register_model(
    title="Compact CNN",
    description="Six convolutions of 3×3 with batch normalisation, averaged over the picture.",
    paper="after Simonyan, Zisserman 2015 (3×3 pairs); Ioffe, Szegedy 2015 (normalisation); "
    "Lin, Chen, Yan 2014 (global average)",
    parameters=0,
    options=(
        Option("width", "Filters of the first block", 32, range=(4, 128)),
        Option("dropout", "Dropout before the output", 0.0, range=(0, 0.9)),
    ),
)
def compact_cnn(input_shape, classes, seeds, width, dropout):
    """Two convolutions a block, filters doubled while the picture is halved."""
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    for block in (1, 2, 3):
        for convolution in (1, 2):
            name = f"block{block}_conv{convolution}"
            x = keras.layers.Conv2D(
                int(width) * 2 ** (block - 1),
                3,
                padding="same",
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(next(seeds)),
                name=name,
            )(x)
            x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
            x = keras.layers.Activation("relu", name=f"{name}_relu")(x)
        if block < 3:
            x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.GlobalAveragePooling2D(name="global_pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    x = keras.layers.Dense(
        classes, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)), name="logits"
    )(x)
    return keras.Model(image, x, name="compact_cnn")
