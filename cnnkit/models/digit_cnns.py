"""Small convolutional networks for digits."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model


@register_model(
    title="Deep MNIST",
    description="Two padded convolutions of 5×5 with ReLU, 1024 hidden units, dropout.",
    paper="TensorFlow: Deep MNIST for Experts",
    parameters=3_274_634,
    options=(
        Option("activation", "Activation", "relu", ("relu", "tanh")),
        Option("dropout", "Dropout before the output", 0.5, range=(0, 0.9)),
    ),
)
def deep_mnist(input_shape, classes, seeds, activation, dropout):
    """Weights from a normal distribution cut at two deviations of .1; biases .1."""

    def small_noise():
        return {
            "kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.1, seed=next(seeds)),
            "bias_initializer": keras.initializers.Constant(0.1),
        }

    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    for block, filters in enumerate((32, 64), start=1):
        x = keras.layers.Conv2D(
            filters,
            5,
            padding="same",
            activation=activation,
            name=f"block{block}_conv1",
            **small_noise(),
        )(x)
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"block{block}_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(1024, activation=activation, name="fc1", **small_noise())(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=next(seeds), name="fc1_dropout")(x)
    x = keras.layers.Dense(classes, name="logits", **small_noise())(x)
    return keras.Model(image, x, name="deep_mnist")


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
    """Keras's own initialization: Glorot uniform weights, zero biases."""

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


@register_model(
    title="Compact CNN",
    description="Four convolutions of 3×3 with batch normalization, and no hidden dense layer.",
    paper="after Simonyan, Zisserman 2015 (3×3 pairs); Ioffe, Szegedy 2015 (normalization); "
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

    The largest of four is taken before normalization and ReLU, which so have a quarter of
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
        use_bias=False,  # normalization adds its own
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name=name,
    )(x)
    if pooled:
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"block{block}_pool")(x)
    x = keras.layers.BatchNormalization(momentum=0.99, name=f"{name}_bn")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)
