"""Networks trained on ImageNet: `load_pretrained(name)`, under the one input contract.

Listing them loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit import assets
from cnnkit.errors import IncompatibleError, UnknownModelError
from cnnkit.models._registry import create_model, natural_order
from cnnkit.models._storage import ModelCard
from cnnkit.models.imagenet import imagenet_classes
from cnnkit.models.predictor import Predictor

if TYPE_CHECKING:
    from keras import Model

OWN_PREPROCESSING = (
    "The preprocessing of {title} is part of the network and cannot be replaced. "
    'Use preprocessing="pretrained".'
)
KERAS_TABLE = "Keras Applications: Available models"


@dataclass(frozen=True, kw_only=True)
class PretrainedSpec:
    """What can be known about a pretrained network without building it."""

    name: str  # identifier
    title: str  # shown to people
    family: str  # networks of one paper share it
    paper: str  # authors and title
    size: int  # pixels, height and width of its images
    preprocessing: str  # key of `cnnkit.models._applications.PREPROCESSING`, or "own"
    builder: str | None = None  # in `keras.applications`; None: registered here under `name`
    top1: float | None = None  # share of the ImageNet validation images, as published
    top5: float | None = None
    accuracy_source: str = KERAS_TABLE  # who published these

    @property
    def parameters(self) -> int:
        """Number of weights, statistics of batch normalization included."""
        return assets.ASSETS[self.asset].parameters

    @property
    def asset(self) -> str:
        """Key of `cnnkit.assets.ASSETS`: its weights."""
        return assets.weights_asset(self.name)

    @property
    def available(self) -> bool:
        """Whether its weights are on this machine."""
        return assets.find(self.asset) is not None

    def preprocessed_by(self, preprocessing: str | None) -> PretrainedSpec:
        """The same network behind other preprocessing; None: its own.

        Raises:
            IncompatibleError: its preprocessing is made of its own layers.
        """
        if preprocessing is None:
            return self
        if self.builder is None or self.preprocessing == "own":
            raise IncompatibleError(OWN_PREPROCESSING.format(title=self.title))
        return replace(self, preprocessing=preprocessing)


def _read_table() -> dict[str, PretrainedSpec]:
    """The networks of `pretrained.toml`, by name."""
    table = tomllib.loads(Path(__file__).with_name("pretrained.toml").read_text("utf-8"))
    specs = {}
    for family in table["family"]:
        networks = family.pop("networks")
        family["family"] = family.pop("name")
        specs |= {values["name"]: PretrainedSpec(**family, **values) for values in networks}
    return specs


_SPECS = _read_table()


def list_pretrained(family: str | None = None) -> list[str]:
    """Names of the networks with ImageNet weights; `b2` before `b10`.

    Args:
        family: such as "VGG", the `family` of `pretrained_info(name)`; None: all.
    """
    names = [name for name, spec in _SPECS.items() if family in (None, spec.family)]
    return sorted(names, key=natural_order)


def pretrained_info(name: str) -> PretrainedSpec:
    """What is known about a pretrained network without building it.

    Args:
        name: from `list_pretrained()`.

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
    preprocessing: str | None = None,
    progress: assets.Progress | None = None,
) -> Model:
    """Build a pretrained network with its ImageNet weights.

    Args:
        name: from `list_pretrained()`.
        weights: "imagenet", or None for random ones: the architecture alone.
        size: pixels, height and width of the images; None: as published.
        preprocessing: "rescaling": pixels divided by 255; None: as in its training.
        progress: called with the bytes so far and in all while weights are downloaded.

    Returns:
        A model from (batch, size, size, 3), RGB, 0 to 255, to float32 logits (batch, 1000).

    Raises:
        UnknownModelError: lists the names that exist.
        AssetUnavailableError: the weights cannot be had; says where to put them.
        CorruptAssetError: the weight file is damaged or another network's.
        IncompatibleError: its preprocessing is made of its own layers.
    """
    from cnnkit.models import _applications, _named_arrays
    from cnnkit.models._weights import ready_for_weights, without_weights

    spec = pretrained_info(name).preprocessed_by(preprocessing)
    if weights not in ("imagenet", None):
        raise ValueError(f'`weights` must be "imagenet" or None. Received: {weights!r}.')
    # Before building: what is not there should be said at once.
    path = assets.fetch(spec.asset, progress) if weights else None
    pixels = size or spec.size
    if spec.builder is None:
        model = create_model(name, input_shape=(pixels, pixels, 3))
        if path:
            _named_arrays.load_named_arrays(model, path)
        return model
    if path is None:
        return _applications.build(spec, pixels)
    model = ready_for_weights(without_weights(lambda: _applications.build(spec, pixels)))
    _applications.load_weights(model, spec, path)
    return model


def weights_digest(path: Path) -> str:
    """SHA-256 of what a weight file holds: the same for equal weights in any layout.

    Args:
        path: of any network. Files of Keras have one layout, and count byte by byte.

    Raises:
        CorruptAssetError: the file is damaged.
    """
    from cnnkit.models import _named_arrays

    if path.suffix in _named_arrays.SUFFIXES:
        return _named_arrays.arrays_digest(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_pretrained(name: str, progress: assets.Progress | None = None) -> Predictor:
    """A pretrained network with the names of its classes, ready to predict.

    Args:
        name: from `list_pretrained()`.
        progress: called with the bytes so far and in all while weights are downloaded.

    Raises:
        UnknownModelError: lists the names that exist.
        AssetUnavailableError: the weights are not here and cannot be downloaded.
        CorruptAssetError: the file of the weights is damaged.
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
