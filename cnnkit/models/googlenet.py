"""GoogLeNet (Inception v1), for photographs and for digits: modules of four branches.

Reference:
    Szegedy et al. 2015: Going Deeper with Convolutions, sections 4 and 5.
"""

from __future__ import annotations

from cnnkit._lazy import keras
from cnnkit.models._registry import Option, register_model
from cnnkit.models.layers import CAFFE_MEAN, overlapping_pool, subtract_mean

# Table 1 of the paper: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def caffe_start(seeds, bias=0.2):
    """U(±√(3 / fan_in)), and biases that keep ReLU awake, as in Caffe's GoogLeNet."""
    return {
        "kernel_initializer": keras.initializers.LecunUniform(next(seeds)),
        "bias_initializer": keras.initializers.Constant(bias),
    }


def he_start(seeds, bias=0.0):
    """Twice that variance, so that ReLU lets the signal through undiminished."""
    return {
        "kernel_initializer": keras.initializers.HeUniform(next(seeds)),
        "bias_initializer": keras.initializers.Constant(bias),
    }


def convolution(x, filters, kernel_size, name, seeds, start=caffe_start):
    """A padded convolution with ReLU."""
    return keras.layers.Conv2D(
        filters, kernel_size, padding="same", activation="relu", name=name, **start(seeds)
    )(x)


def inception(x, widths, name, seeds, start=caffe_start):
    """Four branches side by side, 1×1 before whatever is dear (figure 2b).

    Args:
        x: (batch, height, width, channels).
        widths: filters, in the order of `MODULES`. Without a projection (0) the pooling
            branch keeps as many maps as came in.
        name: of the module.
        seeds: of the weights.
        start: makes the initializers of a layer.

    Returns:
        (batch, height, width, channels): as many as the four branches have together.
    """
    one, three_reduce, three, five_reduce, five, projection = widths
    branch1 = convolution(x, one, 1, f"{name}_1x1", seeds, start)
    branch2 = convolution(x, three_reduce, 1, f"{name}_3x3_reduce", seeds, start)
    branch2 = convolution(branch2, three, 3, f"{name}_3x3", seeds, start)
    branch3 = convolution(x, five_reduce, 1, f"{name}_5x5_reduce", seeds, start)
    branch3 = convolution(branch3, five, 5, f"{name}_5x5", seeds, start)
    branch4 = keras.layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
    if projection:
        branch4 = convolution(branch4, projection, 1, f"{name}_pool_proj", seeds, start)
    return keras.layers.Concatenate(name=name)([branch1, branch2, branch3, branch4])


def auxiliary_classifier(
    x, classes, name, seeds, start=caffe_start, *, filters=128, units=1024, dropout=0.7
):
    """Logits from the middle of the network, so that its first half feels the loss.

    Maps that are smaller than the 5×5 of the average pooling are averaged whole.
    """
    size = min(5, *x.shape[1:3])
    x = keras.layers.AveragePooling2D(size, 3, name=f"{name}_pool")(x)
    x = convolution(x, filters, 1, f"{name}_conv", seeds, start)
    x = keras.layers.Flatten(name=f"{name}_flatten")(x)
    x = keras.layers.Dense(units, "relu", name=f"{name}_fc", **start(seeds))(x)
    x = keras.layers.Dropout(dropout, seed=next(seeds), name=f"{name}_dropout")(x)
    return keras.layers.Dense(classes, name=f"{name}_logits", **start(seeds, bias=0))(x)


@register_model(
    title="GoogLeNet",
    description="Nine modules of four branches, 1×1, 3×3, 5×5 and pooling, and one dense layer.",
    paper="Szegedy et al. 2015: Going Deeper with Convolutions",
    parameters=6_998_552,
    input_shape=(224, 224, 3),
    classes=1000,
    group="classic",
    options=(
        Option("auxiliary", "Auxiliary classifiers", False, (False, True)),
        Option("local_response", "Local response normalization", True, (True, False)),
        Option("dropout", "Dropout before the output", 0.4, range=(0, 0.9)),
    ),
)
def googlenet(input_shape, classes, seeds, auxiliary, local_response, dropout):
    """Layers bear Caffe's names with _ for /.

    With auxiliary classifiers the outputs are a list: the logits, then those taken from
    modules 4a and 4d, which a trainer weighs .3.
    """
    image = keras.Input(input_shape, name="image")
    x = subtract_mean(image, CAFFE_MEAN)
    x = _first_convolution(x, seeds)
    x = overlapping_pool(x, "pool1")
    x = _normalized(x, "norm1") if local_response else x
    x = convolution(x, 64, 1, "conv2_3x3_reduce", seeds)
    x = convolution(x, 192, 3, "conv2_3x3", seeds)
    x = _normalized(x, "norm2") if local_response else x
    x = overlapping_pool(x, "pool2")
    modules = {}
    for module, widths in MODULES.items():
        x = modules[module] = inception(x, widths, f"inception_{module}", seeds)
        if module in ("3b", "4e"):
            x = overlapping_pool(x, f"pool{module[0]}")
    x = keras.layers.GlobalAveragePooling2D(name="pool5")(x)
    x = keras.layers.Dropout(dropout, seed=next(seeds), name="dropout")(x)
    outputs = [keras.layers.Dense(classes, name="logits", **caffe_start(seeds, bias=0))(x)]
    if auxiliary:
        outputs += [
            auxiliary_classifier(modules[module], classes, f"auxiliary{number}", seeds)
            for number, module in enumerate(("4a", "4d"), start=1)
        ]
    return keras.Model(image, outputs if auxiliary else outputs[0], name="googlenet")


def _first_convolution(x, seeds):
    # Three pixels on each side: "same" would put two before and three behind.
    x = keras.layers.ZeroPadding2D(3, name="conv1_pad")(x)
    return keras.layers.Conv2D(
        64, 7, 2, activation="relu", name="conv1_7x7_s2", **caffe_start(seeds)
    )(x)


def _normalized(x, name):
    from cnnkit.models._local_response import LocalResponseNormalization

    return LocalResponseNormalization(5, alpha=1e-4 / 5, beta=0.75, bias=1.0, name=name)(x)


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
