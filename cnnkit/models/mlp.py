"""Networks without convolutions: softmax regression and a multilayer perceptron."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model


@register_model(
    title="Softmax regression",
    description="Every pixel votes for every class: a single layer, drawn as ten templates.",
    paper="TensorFlow: MNIST For ML Beginners; LISA lab: Classifying MNIST digits using "
    "Logistic Regression",
    parameters=7_850,
)
def softmax_regression(input_shape, classes, seeds):
    """Weights and biases start at zero: with one layer there is no symmetry to break."""
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(classes, kernel_initializer="zeros", name="logits")(x)
    return keras.Model(image, x, name="softmax_regression")


@register_model(
    title="Multilayer perceptron",
    description="One hidden layer of 500 tanh units between the pixels and the ten classes.",
    paper="LISA lab: Deep Learning Tutorials, Multilayer Perceptron",
    parameters=397_510,
    options=(
        Option("units", "Hidden units", 500, range=(1, 4096)),
        Option("activation", "Activation", "tanh", ("tanh", "relu")),
        Option("dropout", "Dropout after the hidden layer", 0.0, range=(0, 0.9)),
    ),
)
def mlp_tutorial(input_shape, classes, seeds, units, activation, dropout):
    """Hidden weights U(±√(6 / (in + out))), output weights zero."""
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(
        int(units),
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        name="fc1",
    )(x)
    x = keras.layers.Activation(activation, name="fc1_activation")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=next(seeds), name="fc1_dropout")(x)
    x = keras.layers.Dense(classes, kernel_initializer="zeros", name="logits")(x)
    return keras.Model(image, x, name="mlp_tutorial")
