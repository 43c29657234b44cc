"""LeNet-5: the network that read cheques."""

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model

# Table I of the paper: the maps of S2 that each map of C3 sees. No two see the same, so
# that each must find something else.
C3_INPUTS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip


@register_model(
    title="LeNet-5",
    description="Three convolutions of 5×5 without padding, two average poolings, 84 units.",
    paper="LeCun, Bottou, Bengio, Haffner 1998: Gradient-Based Learning Applied to Document "
    "Recognition",
    parameters=61_706,
    input_shape=(32, 32, 1),
    group="classic",
    options=(
        Option("activation", "Activation", "tanh", ("tanh", "sigmoid")),
        Option("connections", "Connections of C3", "full", ("full", "partial")),
    ),
)
def lenet5(input_shape, classes, seeds, activation, connections):
    """C1, S2, C3, S4, C5, F6 and the output; weights U(±2.4 / fan_in).

    What differs from the paper: its poolings S2 and S4 learn a factor and a bias for each
    map, and are squashed again, ours only take the mean; its tanh is stretched to
    1.7159 tanh(2a/3); its output units measure the distance to drawn images of the
    digits (RBF), ours are a dense layer of logits.
    """
    image = keras.Input(input_shape, name="image")
    x = _on_a_field_of_32(image)
    # Background -.1, ink 1.175: mean about 0, deviation about 1 over the digits.
    x = keras.layers.Rescaling(1.275 / 255, offset=-0.1, name="rescaling")(x)
    x = _convolution(x, 6, "block1_conv1", activation, seeds)  # C1, 28×28
    x = keras.layers.AveragePooling2D(2, name="block1_pool")(x)  # S2, 14×14
    third = _partial_convolution if connections == "partial" else _full_convolution
    x = third(x, activation, seeds)  # C3, 10×10
    x = keras.layers.AveragePooling2D(2, name="block2_pool")(x)  # S4, 5×5
    x = _convolution(x, 120, "block3_conv1", activation, seeds)  # C5, 1×1
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(84, activation, name="fc1", **_start(x.shape[-1], seeds))(x)  # F6
    x = keras.layers.Dense(classes, name="logits", **_start(84, seeds))(x)
    return keras.Model(image, x, name="lenet5")


def _on_a_field_of_32(image):
    """Centre a smaller image on background, as the paper does with its 28×28 digits."""
    height, width = (min(max(0, 32 - side), 4) for side in image.shape[1:3])
    if not (height or width):
        return image
    margins = ((height // 2, height - height // 2), (width // 2, width - width // 2))
    return keras.layers.ZeroPadding2D(margins, name="field")(image)


def _full_convolution(x, activation, seeds):
    return _convolution(x, 16, "block2_conv1", activation, seeds)


def _partial_convolution(x, activation, seeds):
    """Sixteen convolutions of one filter, each over the maps that Table I gives it."""
    maps = [
        _convolution(
            keras.ops.take(x, seen, axis=-1), 1, f"block2_conv1_map{number}", activation, seeds
        )
        for number, seen in enumerate(C3_INPUTS)
    ]
    return keras.layers.Concatenate(name="block2_maps")(maps)


def _convolution(x, filters, name, activation, seeds):
    start = _start(25 * x.shape[-1], seeds)
    return keras.layers.Conv2D(filters, 5, activation=activation, name=name, **start)(x)


def _start(fan_in, seeds):
    bound = 2.4 / fan_in
    uniform = keras.initializers.RandomUniform(-bound, bound, seed=next(seeds))
    return {"kernel_initializer": uniform}
