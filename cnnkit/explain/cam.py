"""Class activation maps: sums of a layer's feature maps, enlarged to the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.explain.registry import CAM, Steps, method
from cnnkit.explain.scores import FORWARD, LayerGradients, ScoreModel
from cnnkit.explain.targets import AttributionTarget
from cnnkit.visualize.network import TargetLayer, target_layers
from cnnkit.visualize.registry import Slider

NO_EVIDENCE = "no feature map of the layer speaks for the target; another layer may"
TINY = 1e-12
# They only make maps smaller or larger: the layer before them has the same evidence, and finer.
_RESIZING = ("MaxPooling2D", "AveragePooling2D", "ZeroPadding2D", "Cropping2D", "UpSampling2D")


def cam_layers(model: Any, size: tuple[int, int] | None = None) -> list[TargetLayer]:
    """The layers with feature maps, from the input to the logits.

    Args:
        model: see `Method`.
        size: (height, width), for a network that leaves it open.
    """
    return [
        layer
        for layer in target_layers(model, size)
        if len(layer.shape) == 3 and layer.shape[0] * layer.shape[1] > 1
    ]


def default_layer(model: Any, size: tuple[int, int] | None = None) -> str:
    """The last layer with feature maps that is not a pooling.

    Raises:
        IncompatibleError: the network has none.
    """
    names = [layer.name for layer in cam_layers(model, size) if layer.kind not in _RESIZING]
    if not names:
        raise IncompatibleError(
            f"{model.name!r} has no layer with feature maps, which class activation maps are made "
            "of. A gradient or occlusion works."
        )
    return names[-1]


@method(title="Grad-CAM", family=CAM, reference="Selvaraju et al. 2017", blank=NO_EVIDENCE)
def grad_cam(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    layer: str | None = None,
    align_corners: bool = False,
) -> Steps:
    """The sum of a layer's feature maps, each weighted by its mean gradient; what is positive.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        layer: with feature maps; None: the last one that is not a pooling.
        align_corners: enlarge so that the corner values stay in the corners.
    """
    layer = _layer(scores, images, layer)
    found = yield from _layer_gradients(scores, images, target, layer)
    weights = found.gradients.mean((1, 2), keepdims=True)
    return _enlarged(_relu((weights * found.activations).sum(-1)), images, align_corners)


@method(title="Grad-CAM++", family=CAM, reference="Chattopadhyay et al. 2018", blank=NO_EVIDENCE)
def grad_cam_plus_plus(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    layer: str | None = None,
    align_corners: bool = False,
) -> Steps:
    """Grad-CAM with a weight for each position, by higher derivatives of exp(score).

    The factor exp(score), the same for a whole map, is left out. The position weights of each
    feature map sum up to 1, as in the authors' code.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        layer: with feature maps; None: the last one that is not a pooling.
        align_corners: enlarge so that the corner values stay in the corners.
    """
    layer = _layer(scores, images, layer)
    found = yield from _layer_gradients(scores, images, target, layer)
    slopes = found.gradients.astype(np.float64)
    maps = found.activations.astype(np.float64)
    # g²/(2g² + Σa·g³), with g² cancelled: a small gradient's cube would leave float32.
    lower = 2 + maps.sum((1, 2), keepdims=True) * slopes
    alphas = np.where(slopes != 0, 1 / np.where(lower == 0, TINY, lower), 0)
    sums = alphas.sum((1, 2), keepdims=True)
    alphas = alphas / np.where(sums == 0, 1, sums)
    weights = (_relu(slopes) * alphas).sum((1, 2), keepdims=True)
    return _enlarged(_relu((weights * maps).sum(-1)), images, align_corners)


@method(title="LayerCAM", family=CAM, reference="Jiang et al. 2021", blank=NO_EVIDENCE)
def layer_cam(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    layer: str | None = None,
    align_corners: bool = False,
) -> Steps:
    """The sum of a layer's feature maps, weighted at each position by its positive gradient.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        layer: with feature maps; None: the last one that is not a pooling.
        align_corners: enlarge so that the corner values stay in the corners.
    """
    layer = _layer(scores, images, layer)
    found = yield from _layer_gradients(scores, images, target, layer)
    maps = _relu((_relu(found.gradients) * found.activations).sum(-1))
    return _enlarged(maps, images, align_corners)


@method(
    title="Score-CAM",
    family=CAM,
    reference="Wang et al. 2020",
    blank=NO_EVIDENCE,
    channels=Slider(16, 2048, step=16, title="Most feature maps"),
)
def score_cam(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    layer: str | None = None,
    channels: int | None = None,
    align_corners: bool = False,
) -> Steps:
    """The sum of a layer's feature maps, each weighted by the score of what it leaves visible.

    Each map, scaled to 0 to 1 and enlarged, multiplies the image; the weight is the probability
    of the class then. Of a target that is no class, it is its value.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        layer: with feature maps; None: the last one that is not a pooling.
        channels: so many maps with the largest variance; None: all. Constant maps are left out:
            they weigh nothing where they are 0, and show nothing elsewhere.
        align_corners: enlarge so that the corner values stay in the corners.
    """
    if channels is not None and channels < 1:
        raise IncompatibleError(f"`channels` must be at least 1, or None. Received: {channels}.")
    layer, target = _layer(scores, images, layer), target.as_probability()
    activations = scores.activations(images, layer)
    chosen = [_varying(maps, channels) for maps in activations]
    total, done, result = sum(-(-len(one) // FORWARD) for one in chosen), 0, []
    for place, (image, maps) in enumerate(zip(images, activations, strict=True)):
        cam = np.zeros(maps.shape[:2], np.float64)
        for start in range(0, len(chosen[place]), FORWARD):
            batch = chosen[place][start : start + FORWARD]
            masks = _masks(maps[..., batch], images, align_corners)
            own = target.take(np.full(len(batch), place))
            cam += maps[..., batch] @ np.float64(scores.scores(image * masks, own))
            done += 1
            yield done, total
        result.append(cam)
    return _enlarged(_relu(np.stack(result)), images, align_corners)


def _varying(maps: np.ndarray, most: int | None) -> np.ndarray:
    """The channels whose maps are not constant, those of the largest variance first."""
    spread = maps.std((0, 1))
    order = np.argsort(-spread, kind="stable")
    return order[spread[order] > 0][:most]


def _masks(maps: np.ndarray, images: np.ndarray, align_corners: bool) -> np.ndarray:
    """Feature maps of one image as masks: float32 (channels, height, width, 1), 0 to 1."""
    masks = _enlarged(maps.transpose(2, 0, 1), images, align_corners)
    low, high = masks.min((1, 2), keepdims=True), masks.max((1, 2), keepdims=True)
    return ((masks - low) / np.maximum(high - low, TINY))[..., np.newaxis]


def _layer(scores: ScoreModel, images: np.ndarray, layer: str | None) -> str:
    """The layer whose feature maps are summed.

    Raises:
        UnknownLayerError, IncompatibleError: it is not there, or has no maps; lists those.
    """
    size = images.shape[1:3]
    if layer is None:
        return default_layer(scores.model, size)
    valid = [one.name for one in cam_layers(scores.model, size)]
    if layer in valid:
        return layer
    shapes = {one.name: one.shape for one in target_layers(scores.model, size)}
    if layer not in shapes:
        raise UnknownLayerError(layer, valid)
    raise IncompatibleError(
        f"Layer {layer!r} has no feature maps: its output is {shapes[layer]}. Layers with feature "
        f"maps: {', '.join(valid)}."
    )


def _layer_gradients(scores: ScoreModel, images: np.ndarray, target: AttributionTarget, layer: str):
    parts = []
    for place in range(len(images)):
        own = target.take(np.array([place]))
        parts.append(scores.layer_gradients(images[place : place + 1], own, layer))
        yield place + 1, len(images)
    return LayerGradients(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _relu(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0)


def _enlarged(maps: np.ndarray, images: np.ndarray, align_corners: bool) -> np.ndarray:
    """Maps as large as the images, bilinear: float32 (maps, height, width)."""
    resize = tf.compat.v1.image.resize_bilinear
    values = tf.constant(maps[..., np.newaxis], tf.float32)
    centers = not align_corners
    large = resize(values, images.shape[1:3], align_corners, half_pixel_centers=centers)
    return large.numpy()[..., 0]
