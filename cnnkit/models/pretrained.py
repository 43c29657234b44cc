"""Networks trained on ImageNet: `load_pretrained(name)`, under the one input contract.

Listing them loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnkit import assets
from cnnkit.errors import UnknownModelError
from cnnkit.models._registry import create_model, natural_order
from cnnkit.models._storage import ModelCard
from cnnkit.models.imagenet import imagenet_classes
from cnnkit.models.predictor import Predictor
from cnnkit.weight_files import WEIGHT_FILES

if TYPE_CHECKING:
    from keras import Model

KERAS_TABLE = "Keras Applications: Available models"
BVLC = "BVLC: GoogLeNet in the Caffe model zoo"
MOBILENET_V3 = "Howard et al. 2019: Searching for MobileNetV3"


@dataclass(frozen=True, kw_only=True)
class PretrainedSpec:
    """What can be known about a pretrained network without building it."""

    name: str  # identifier
    title: str  # shown to people
    family: str  # networks of one paper share it
    paper: str  # authors and title
    size: int  # pixels, height and width of its images
    preprocessing: str  # key of `cnnkit.models._applications.PREPROCESSING`, or "own"
    builder: str | None  # in `keras.applications`; None: registered here under `name`
    top1: float | None  # share of the ImageNet validation images, as published
    top5: float | None
    accuracy_source: str = KERAS_TABLE  # who published these

    @property
    def parameters(self) -> int:
        """Number of weights, statistics of batch normalization included."""
        return WEIGHT_FILES[self.name].parameters

    @property
    def asset(self) -> str:
        """Key of `cnnkit.assets.ASSETS`: its weights."""
        return assets.weights_asset(self.name)

    @property
    def available(self) -> bool:
        """Whether its weights are on this machine."""
        return assets.find(self.asset) is not None


VGG = "Simonyan, Zisserman 2014: Very Deep Convolutional Networks for Large-Scale Image Recognition"
RESNET = "He et al. 2015: Deep Residual Learning for Image Recognition"
RESNET_V2 = "He et al. 2016: Identity Mappings in Deep Residual Networks"
EFFICIENTNET = "Tan, Le 2019: EfficientNet: Rethinking Model Scaling for CNNs"
EFFICIENTNET_V2 = "Tan, Le 2021: EfficientNetV2: Smaller Models and Faster Training"


def _spec(
    name: str,
    title: str,
    family: str,
    paper: str,
    size: int,
    preprocessing: str,
    builder: str | None,
    top1: float | None,
    top5: float | None,
    accuracy_source: str = KERAS_TABLE,
) -> PretrainedSpec:
    return PretrainedSpec(**locals())


_EFFICIENTNETS = (  # size, top-1, top-5 of B0 to B7
    (224, 0.771, 0.933), (240, 0.791, 0.944), (260, 0.801, 0.949), (300, 0.816, 0.957),
    (380, 0.829, 0.964), (456, 0.836, 0.967), (528, 0.840, 0.968), (600, 0.843, 0.970),
)  # fmt: skip
_EFFICIENTNETS_V2 = (  # scale, size, top-1, top-5
    ("B0", 224, 0.787, 0.943), ("B1", 240, 0.798, 0.950), ("B2", 260, 0.805, 0.951),
    ("B3", 300, 0.820, 0.958), ("S", 384, 0.839, 0.967), ("M", 480, 0.853, 0.974),
    ("L", 480, 0.857, 0.975),
)  # fmt: skip

_ALL = (
    _spec("vgg16", "VGG16", "VGG", VGG, 224, "caffe", "VGG16", 0.713, 0.901),
    _spec("vgg19", "VGG19", "VGG", VGG, 224, "caffe", "VGG19", 0.713, 0.900),
    _spec("resnet50", "ResNet50", "ResNet", RESNET, 224, "caffe", "ResNet50", 0.749, 0.921),
    _spec("resnet101", "ResNet101", "ResNet", RESNET, 224, "caffe", "ResNet101", 0.764, 0.928),
    _spec("resnet152", "ResNet152", "ResNet", RESNET, 224, "caffe", "ResNet152", 0.766, 0.931),
    *(
        _spec(
            f"resnet{depth}_v2", f"ResNet{depth} V2", "ResNet V2", RESNET_V2,
            224, "tf", f"ResNet{depth}V2", top1, top5,
        )
        for depth, top1, top5 in ((50, 0.760, 0.930), (101, 0.772, 0.938), (152, 0.780, 0.942))
    ),
    _spec(
        "inception_v3", "Inception V3", "Inception",
        "Szegedy et al. 2015: Rethinking the Inception Architecture for Computer Vision",
        299, "tf", "InceptionV3", 0.779, 0.937,
    ),
    _spec(
        "xception", "Xception", "Xception",
        "Chollet 2016: Xception: Deep Learning with Depthwise Separable Convolutions",
        299, "tf", "Xception", 0.790, 0.945,
    ),
    _spec(
        "mobilenet_v2", "MobileNet V2", "MobileNet",
        "Sandler et al. 2018: MobileNetV2: Inverted Residuals and Linear Bottlenecks",
        224, "tf", "MobileNetV2", 0.713, 0.901,
    ),
    _spec(
        "mobilenet_v3_small", "MobileNet V3 small", "MobileNet", MOBILENET_V3,
        224, "own", "MobileNetV3Small", 0.681, None, MOBILENET_V3,
    ),
    _spec(
        "mobilenet_v3_large", "MobileNet V3 large", "MobileNet", MOBILENET_V3,
        224, "own", "MobileNetV3Large", 0.756, None, MOBILENET_V3,
    ),
    _spec(
        "densenet121", "DenseNet121", "DenseNet",
        "Huang et al. 2016: Densely Connected Convolutional Networks",
        224, "torch", "DenseNet121", 0.750, 0.923,
    ),
    _spec(
        "nasnet_mobile", "NASNet mobile", "NASNet",
        "Zoph et al. 2017: Learning Transferable Architectures for Scalable Image Recognition",
        224, "tf", "NASNetMobile", 0.744, 0.919,
    ),
    _spec(
        "convnext_tiny", "ConvNeXt tiny", "ConvNeXt", "Liu et al. 2022: A ConvNet for the 2020s",
        224, "own", "ConvNeXtTiny", 0.813, None,
    ),
    *(
        _spec(
            f"efficientnet_b{i}", f"EfficientNet B{i}", "EfficientNet", EFFICIENTNET,
            size, "own", f"EfficientNetB{i}", top1, top5,
        )
        for i, (size, top1, top5) in enumerate(_EFFICIENTNETS)
    ),
    *(
        _spec(
            f"efficientnet_v2_{scale.lower()}", f"EfficientNet V2 {scale}", "EfficientNet V2",
            EFFICIENTNET_V2, size, "own", f"EfficientNetV2{scale}", top1, top5,
        )
        for scale, size, top1, top5 in _EFFICIENTNETS_V2
    ),
    _spec(
        "googlenet", "GoogLeNet", "GoogLeNet",
        "Szegedy et al. 2014: Going Deeper with Convolutions",
        224, "own", None, 0.687, 0.889, BVLC,
    ),
    _spec(
        "squeezenet", "SqueezeNet 1.1", "SqueezeNet",
        "Iandola et al. 2016: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters",
        227, "own", None, None, None,
    ),
)  # fmt: skip
_SPECS = {spec.name: spec for spec in _ALL}


def list_pretrained(family: str | None = None) -> list[str]:
    """Names of the networks with ImageNet weights; `b2` before `b10`."""
    names = [name for name, spec in _SPECS.items() if family in (None, spec.family)]
    return sorted(names, key=natural_order)


def pretrained_info(name: str) -> PretrainedSpec:
    """What is known about a pretrained network without building it.

    Raises:
        UnknownModelError: lists the names that exist.
    """
    if name not in _SPECS:
        raise UnknownModelError(name, _SPECS)
    return _SPECS[name]


def load_pretrained(
    name: str,
    *,
    weights: str | None = "imagenet",
    size: int | None = None,
    progress: assets.Progress | None = None,
) -> Model:
    """Build a pretrained network with its ImageNet weights.

    Args:
        name: from `list_pretrained()`.
        weights: "imagenet", or None for random ones: the architecture alone.
        size: pixels, height and width of the images; None: as published.
        progress: called with the bytes so far and in all while weights are downloaded.

    Returns:
        A model from (batch, size, size, 3), RGB, 0 to 255, to float32 logits (batch, 1000).

    Raises:
        UnknownModelError: lists the names that exist.
        AssetUnavailableError: the weights cannot be had; says where to put them.
        CorruptAssetError: the weight file is damaged or another network's.
    """
    from cnnkit.models import _applications, _weights
    from cnnkit.models._weights import ready_for_weights, without_weights

    spec = pretrained_info(name)
    if weights not in ("imagenet", None):
        raise ValueError(f'`weights` must be "imagenet" or None. Received: {weights!r}.')
    # Before building: what is not there should be said at once.
    path = assets.fetch(spec.asset, progress) if weights else None
    pixels = size or spec.size
    if spec.builder is None:
        model = create_model(name, input_shape=(pixels, pixels, 3))
        if path:
            _weights.load_named_arrays(model, path)
        return model
    if path is None:
        return _applications.build(spec, pixels)
    model = ready_for_weights(without_weights(lambda: _applications.build(spec, pixels)))
    _applications.load_weights(model, spec, path)
    return model


def open_pretrained(name: str, progress: assets.Progress | None = None) -> Predictor:
    """A famous network with its classes' names, ready to answer.

    Raises:
        UnknownModelError, AssetUnavailableError, CorruptAssetError
    """
    spec = pretrained_info(name)
    classes = imagenet_classes(progress)
    model = load_pretrained(name, progress=progress)
    return Predictor(
        model,
        ModelCard(
            model=name,
            title=spec.title,
            class_names=tuple(one.name for one in classes),
            input_shape=(spec.size, spec.size, 3),
            dataset="imagenet",
        ),
    )
