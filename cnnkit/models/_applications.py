"""`keras.applications` under our input contract: 0 to 255 in, logits out, flat."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras.src.backend.common import global_state

from cnnkit.errors import CorruptAssetError

if TYPE_CHECKING:
    from cnnkit.models.pretrained import PretrainedSpec

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB, of values from 0 to 1
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)  # of values from 0 to 255


def _caffe(image):
    """BGR, as OpenCV read images, minus the mean color of ImageNet."""
    blue_first = keras.ops.flip(image, axis=-1)
    negative = [-mean for mean in IMAGENET_MEAN_BGR]
    return keras.layers.Rescaling(1.0, negative, name="preprocessing")(blue_first)


def _tf(image):
    """-1 to 1."""
    return keras.layers.Rescaling(1 / 127.5, -1.0, name="preprocessing")(image)


def _torch(image):
    """Each color with mean 0 and deviation 1 over ImageNet."""
    scale = [1 / (255 * deviation) for deviation in IMAGENET_DEVIATION]
    pairs = zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)
    offset = [-mean / deviation for mean, deviation in pairs]
    return keras.layers.Rescaling(scale, offset, name="preprocessing")(image)


def _rescaling(image):
    """0 to 1."""
    return keras.layers.Rescaling(1 / 255, name="preprocessing")(image)


# "own": the family has its own layers for it, and a second one would spoil the image.
PREPROCESSING = {
    "caffe": _caffe,
    "tf": _tf,
    "torch": _torch,
    "rescaling": _rescaling,
    "own": lambda image: image,
}


def build(spec: PretrainedSpec, size: int, top: bool = True) -> keras.Model:
    """A network with random weights.

    Args:
        spec: of the network.
        size: pixels, height and width of its images.
        top: with its classifier; False: up to the last maps.
    """
    with _fresh_names():
        image = keras.Input((size, size, 3), name="image")
        builder = getattr(keras.applications, str(spec.builder))
        built = builder(
            weights=None,
            include_top=top,
            input_tensor=PREPROCESSING[spec.preprocessing](image),
            classifier_activation=None,
        )
        return keras.Model(image, built.output, name=spec.name)


def load_weights(model: keras.Model, spec: PretrainedSpec, path: Path) -> None:
    """Give a network the weights of an official file.

    Raises:
        CorruptAssetError: the file is damaged, or of another network.
    """
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise CorruptAssetError(
            path, f"does not hold weights of {spec.title} ({reason})"
        ) from error
    if spec.family == "EfficientNet":
        _divide_by_the_root_of_the_deviation(model)
    gc.collect()  # the file's arrays, as large as the network, are in cycles of h5py's objects


def _divide_by_the_root_of_the_deviation(model: keras.Model) -> None:
    """Repeat for EfficientNet what Keras does only when it loads the weights itself.

    The file holds deviations where variances belong, so that Keras adds a layer which
    divides by their root once more. The same comes from a variance that is larger by the
    deviation, without another graph for trained and untrained networks.
    """
    layer = next(x for x in model.layers if isinstance(x, keras.layers.Normalization))
    layer.adapt_variance.assign(layer.adapt_variance * np.asarray(IMAGENET_DEVIATION, np.float32))
    layer.finalize_state()


@contextmanager
def _fresh_names() -> Iterator[None]:
    """Number unnamed layers from the beginning, as in a new process.

    Some families leave names to Keras, which counts on for as long as the process lives
    (`conv2d_40` today, `conv2d_134` tomorrow); links and saved choices name layers. Keras
    keeps this count for each thread.
    """
    counts = global_state.get_global_attribute("object_name_uids")
    global_state.set_global_attribute("object_name_uids", None)
    try:
        yield
    finally:
        global_state.set_global_attribute("object_name_uids", counts)
