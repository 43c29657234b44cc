"""GoogLeNet (Inception v1): 22 layers with a ninth of the weights of AlexNet."""

from cnnkit._lazy import keras
from cnnkit.models._ceil_mode import overlapping_pool
from cnnkit.models._inception import (
    MODULES,
    auxiliary_classifier,
    caffe_start,
    convolution,
    inception,
)
from cnnkit.models._pixels import CAFFE_MEAN, subtract_mean
from cnnkit.models._registry import Option, register_model


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
        Option("local_response", "Local response normalisation", True, (True, False)),
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
    x = _normalised(x, "norm1") if local_response else x
    x = convolution(x, 64, 1, "conv2_3x3_reduce", seeds)
    x = convolution(x, 192, 3, "conv2_3x3", seeds)
    x = _normalised(x, "norm2") if local_response else x
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


def _normalised(x, name):
    from cnnkit.models._local_response import LocalResponseNormalization

    return LocalResponseNormalization(5, alpha=1e-4 / 5, beta=0.75, bias=1.0, name=name)(x)
