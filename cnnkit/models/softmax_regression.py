"""Softmax regression: one layer, no hidden units."""

from cnnkit._lazy import keras
from cnnkit.models._registry import register_model


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
