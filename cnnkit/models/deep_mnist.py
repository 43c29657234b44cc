"""The network of TensorFlow's tutorial "Deep MNIST for Experts"."""

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
