"""The MNIST network of aidiary's Keras examples."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model


@register_model(
    title="Keras MNIST CNN",
    description="Two convolutions of 5×5 with ReLU, one pooling, 128 hidden units, dropout.",
    paper="aidiary: keras-examples, cnn/mnist",
    parameters=437_482,
    options=(
        Option("dropout_convolution", "Dropout after pooling", 0.25, range=(0, 0.9)),
        Option("dropout", "Dropout before the output", 0.5, range=(0, 0.9)),
    ),
)
def keras_mnist_cnn(input_shape, classes, seeds, dropout_convolution, dropout):
    """Keras's own initialisation: Glorot uniform weights, zero biases."""

    def glorot():
        return keras.initializers.GlorotUniform(next(seeds))

    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    for convolution in (1, 2):
        x = keras.layers.Conv2D(
            32,
            5,
            activation="relu",
            kernel_initializer=glorot(),
            name=f"block1_conv{convolution}",
        )(x)
    x = keras.layers.MaxPooling2D(2, name="block1_pool")(x)
    if dropout_convolution:
        x = keras.layers.Dropout(dropout_convolution, seed=next(seeds), name="block1_dropout")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(128, activation="relu", kernel_initializer=glorot(), name="fc1")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=next(seeds), name="fc1_dropout")(x)
    x = keras.layers.Dense(classes, kernel_initializer=glorot(), name="logits")(x)
    return keras.Model(image, x, name="keras_mnist_cnn")
