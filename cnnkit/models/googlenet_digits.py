"""GoogLeNet with an eighth of its filters and a smaller beginning, for digits."""

from cnnkit._lazy import keras
from cnnkit.models._inception import (
    MODULES,
    auxiliary_classifier,
    convolution,
    he_start,
    inception,
)
from cnnkit.models._registry import Option, register_model


@register_model(
    title="GoogLeNet for small images",
    description="The nine Inception modules of GoogLeNet, each with an eighth of its filters.",
    paper="after Szegedy et al. 2015: Going Deeper with Convolutions",
    parameters=93_684,
    options=(
        Option("auxiliary", "Auxiliary classifiers", False, (False, True)),
        Option("dropout", "Dropout before the output", 0.0, range=(0, 0.9)),
    ),
)
def googlenet_digits(input_shape, classes, seeds, auxiliary, dropout):
    """Images of 28×28 are 14×14 in modules 3a and 3b, and 7×7 in the others.

    With auxiliary classifiers the outputs are a list, as those of `googlenet`; all other
    weights start as without them.
    """
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    x = convolution(x, 24, 3, "conv1", seeds, he_start)
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="pool1")(x)
    modules = {}
    for module, widths in MODULES.items():
        narrow = [width // 8 for width in widths]
        x = modules[module] = inception(x, narrow, f"inception_{module}", seeds, he_start)
        if module == "3b":
            x = keras.layers.MaxPooling2D(3, 2, padding="same", name="pool3")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool5")(x)
    x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    outputs = [keras.layers.Dense(classes, name="logits", **he_start(seeds))(x)]
    if auxiliary:
        outputs += [
            _small_classifier(modules[module], classes, f"auxiliary{number}", seeds)
            for number, module in enumerate(("4a", "4d"), start=1)
        ]
    return keras.Model(image, outputs if auxiliary else outputs[0], name="googlenet_digits")


def _small_classifier(x, classes, name, seeds):
    return auxiliary_classifier(
        x, classes, name, seeds, he_start, filters=16, units=64, dropout=0.0
    )
