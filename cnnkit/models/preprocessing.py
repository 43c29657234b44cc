"""What a network from elsewhere expects of its pixels, as layers before it.

A network's input contract is pixels of 0 to 255. One that was trained on other numbers gets an
ordinary Rescaling layer in front, and from then on cannot be fed wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import keras
from cnnkit.anatomy.graph import graph_of
from cnnkit.errors import IncompatibleError

if TYPE_CHECKING:
    from keras import KerasTensor


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Pixels of 0 to 255, times a scale, plus an offset.

    Args:
        title: shown to people.
        scale: one number, or one for each of red, green and blue.
        offset: likewise, in the order of the channels that the network takes.
        reverse: whether the network takes blue, green and red.
    """

    title: str
    scale: float | tuple[float, float, float] = 1.0
    offset: float | tuple[float, float, float] = 0.0
    reverse: bool = False

    def apply(self, images: np.ndarray) -> np.ndarray:
        """What the network expects.

        Args:
            images: (images, height, width, channels), 0 to 255.
        """
        scale, offset = self._numbers(images.shape[-1])
        pixels = images[..., ::-1] if self.reverse else images
        return (pixels * scale + offset).astype(np.float32)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The images of which `apply` makes these values."""
        scale, offset = self._numbers(values.shape[-1])
        pixels = ((values - offset) / scale).astype(np.float32)
        return pixels[..., ::-1] if self.reverse else pixels

    def call(self, image: KerasTensor) -> KerasTensor:
        """The layers, called on the input of a network; none where they would change nothing."""
        x = image[..., ::-1] if self.reverse and image.shape[-1] == 3 else image
        scale, offset = (one.tolist() for one in self._numbers(image.shape[-1]))
        if (scale, offset) == (1.0, 0.0):
            return x
        return keras.layers.Rescaling(scale, offset, name="rescaling")(x)

    def _numbers(self, channels: int) -> tuple[Any, Any]:
        """Scale and offset as arrays; of gray images the mean of the three."""
        scale, offset = (np.asarray(one, np.float64) for one in (self.scale, self.offset))
        return (scale, offset) if channels == 3 else (scale.mean(), offset.mean())


AS_THEY_ARE = "none"
UNIT, SIGNED = "zero_to_one", "minus_one_to_one"
CAFFE, TORCH = "imagenet_mean", "imagenet_deviation"

_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


# Name, as in addresses and on the command line -> what it does.
PREPROCESSINGS = {
    AS_THEY_ARE: Preprocessing(title="0 to 255 (the network needs nothing)"),
    UNIT: Preprocessing(title="0 to 1 (x / 255)", scale=1 / 255),
    SIGNED: Preprocessing(title="−1 to 1 (x / 127.5 − 1)", scale=1 / 127.5, offset=-1.0),
    CAFFE: Preprocessing(
        title="ImageNet's mean subtracted, blue first (VGG, ResNet of Keras)",
        offset=(-103.939, -116.779, -123.68),
        reverse=True,
    ),
    TORCH: Preprocessing(
        title="ImageNet's mean and deviation (DenseNet, PyTorch)",
        scale=_three(1 / (255 * _DEVIATION)),
        offset=_three(-_MEAN / _DEVIATION),
    ),
}


def check_preprocessing(name: str) -> Preprocessing:
    """The preprocessing of a name.

    Raises:
        IncompatibleError: there is none; lists those that there are.
    """
    if name not in PREPROCESSINGS:
        raise IncompatibleError(
            f"Unknown preprocessing {name!r}. Known: {', '.join(PREPROCESSINGS)}."
        )
    return PREPROCESSINGS[name]


@dataclass(frozen=True)
class NetworkOrigin:
    """Where a network comes from, as far as its layers tell.

    Args:
        known: in words, the reason for the preprocessing; "": nothing is known.
        preprocessing: key of `PREPROCESSINGS`.
    """

    known: str = ""
    preprocessing: str = AS_THEY_ARE


def origin_of(model: Any) -> NetworkOrigin:
    """What the layers of a network tell about the pixels that it expects.

    Args:
        model: one image in, none of its layers a network.
    """
    operations = graph_of(model).operations
    names = [operation.name for operation in operations]
    if any("_GlobalAveragePooling2D" in name for name in names):
        return NetworkOrigin(
            "It was made with Teachable Machine, which takes x / 127.5 − 1.", SIGNED
        )
    own = _first(model.inputs[0], operations)
    if own:
        return NetworkOrigin(f"It begins with {own}, so it takes pixels as they are.")
    for mark, title, name in _FAMILIES:
        if any(one.endswith(mark) for one in names):
            return NetworkOrigin(f"It contains {title}, whose images Keras prepares so.", name)
    return NetworkOrigin()


def _first(tensor: Any, operations: Sequence[Any]) -> str:
    """The layer that prepares pixels at the beginning of a network; "": there is none."""
    while True:
        # Of a chain that grew layer by layer, the last use counts.
        uses = {
            id(operation): node
            for operation in operations
            for node in operation._inbound_nodes
            if any(one is tensor for one in node.input_tensors)
        }
        if len(uses) != 1:
            return ""
        (use,) = uses.values()
        kind = type(use.operation).__name__
        if kind in _PREPARES:
            return f"a layer {kind}"
        if kind not in _KEEPS:
            return ""
        tensor = use.output_tensors[0]


_PREPARES = (
    *("Rescaling", "Normalization", "Multiply", "Divide", "TrueDivide", "Subtract", "Add"),
)
_KEEPS = (
    *("Resizing", "ZeroPadding2D", "Cropping2D", "CenterCrop", "Identity", "GetItem", "Reshape"),
    *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast"),
    *("RandomCrop", "RandomBrightness", "GaussianNoise"),
)

# How the name of a layer ends -> whose it is, and how keras.applications prepares its images.
_FAMILIES = (
    ("expanded_conv_depthwise", "MobileNetV2", SIGNED),
    ("conv_dw_1", "MobileNet", SIGNED),
    ("block14_sepconv2", "Xception", SIGNED),
    ("mixed_7a", "Inception-ResNet", SIGNED),
    ("mixed10", "Inception", SIGNED),
    ("conv2_block1_preact_bn", "ResNetV2", SIGNED),
    ("conv2_block1_concat", "DenseNet", TORCH),
    ("conv2_block1_3_bn", "ResNet", CAFFE),
    ("res2a_branch2a", "ResNet", CAFFE),
    ("block5_conv3", "VGG", CAFFE),
)
