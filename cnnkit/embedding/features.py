"""Features of images: the activations of a layer, one vector for each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.embedding.settings import FLATTEN, MEAN
from cnnkit.errors import IncompatibleError

if TYPE_CHECKING:
    from cnnkit.models import ModelCard

    Tensor = Any

FEWEST = 2  # features that two dimensions need
BATCH = 32  # images at once: more is no faster on a CPU


class FeatureExtractor:
    """Reads features by some layers of a network, compiled once.

    Images of another size are resized as in training; gray ones become RGB for networks that
    take RGB, and the other way round.

    Args:
        model: one image in; Sequential or functional, flat or nested.
        layers: of `visualize.target_layers`; "": the logits.
        input_shape: (height, width, channels) of the network.
        image_shape: (height, width, 1 or 3) of the images; None: that of the network.
        pooling: "mean" of each feature map over its positions, or "flatten".

    Raises:
        UnknownLayerError: lists the layers there are.
    """

    def __init__(
        self,
        model: Any,
        layers: Sequence[str],
        input_shape: tuple[int, int, int],
        image_shape: tuple[int, int, int] | None = None,
        pooling: str = MEAN,
    ):
        from cnnkit.visualize.network import ActivationModel

        network = ActivationModel(model, layers, input_shape[:2])
        self.layers = network.layers
        self.sizes = {layer: feature_count(s, pooling) for layer, s in network.shapes.items()}

        def compute(images: Tensor) -> list[Tensor]:
            activations = network(_fitted(images, input_shape))
            return [_vectors(activations[layer], pooling) for layer in self.layers]

        signature = [tf.TensorSpec((None, *(image_shape or input_shape)), tf.uint8)]
        self._compute = tf.function(compute, input_signature=signature, autograph=False)

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Features by layer: float32 (images, features).

        Args:
            images: uint8 (images, height, width, channels), 0 to 255.

        Raises:
            IncompatibleError: features are not finite, as with damaged weights.
        """
        values = [tensor.numpy() for tensor in self._compute(tf.constant(images))]
        features = dict(zip(self.layers, values, strict=True))
        for layer, array in features.items():
            if not np.isfinite(array).all():
                raise IncompatibleError(
                    f"Layer {layer or 'logits'!r} returns values that are not finite numbers: its "
                    "weights, or those of a layer before it, are damaged. Choose another network."
                )
        return features


def compute_features(
    extractor: FeatureExtractor, images: np.ndarray, rows: np.ndarray
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Features of some images, batch by batch.

    Args:
        extractor: of the network.
        images: uint8 (images, height, width, channels); may lie in a file.
        rows: int64, which images.

    Yields:
        The rows of a batch, and their features by layer.
    """
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        yield batch, extractor(np.asarray(images[batch]))


def usual_layer(model: Any, card: ModelCard) -> str:
    """The layer to choose unless another is: the last hidden one, which separates the classes.

    Args:
        model: one image in.
        card: of the network; with class names, its last layer is that of the logits.
    """
    from cnnkit.visualize.network import target_layers

    layers = target_layers(model, card.input_shape[:2])
    return usual_name([one.name for one in layers if one.units >= FEWEST], bool(card.class_names))


def usual_name(names: Sequence[str], classifier: bool) -> str:
    """The same from the names of layers with at least two units, in their order."""
    return names[-2] if classifier and len(names) > 1 else names[-1]


def feature_count(shape: Sequence[int], pooling: str) -> int:
    """Features of an image whose activations have a shape, without the batch."""
    return int(np.prod(shape)) if pooling == FLATTEN else int(shape[-1])


def _fitted(images: Tensor, input_shape: tuple[int, int, int]) -> Tensor:
    from cnnkit.training.pipeline import to_size

    values = tf.cast(images, tf.float32)
    if images.shape[-1] != input_shape[-1]:
        gray = images.shape[-1] == 1
        values = tf.image.grayscale_to_rgb(values) if gray else tf.image.rgb_to_grayscale(values)
    return to_size(values, input_shape[:2])


def _vectors(activations: Tensor, pooling: str) -> Tensor:
    activations = tf.cast(activations, tf.float32)
    places = list(range(1, len(activations.shape) - 1))
    if not places:
        return activations
    if pooling == MEAN:
        return tf.reduce_mean(activations, places)
    return tf.reshape(activations, (-1, feature_count(activations.shape[1:], FLATTEN)))
