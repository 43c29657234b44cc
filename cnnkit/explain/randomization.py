"""Weight randomization: whether a map changes when the network forgets what it learned.

Adebayo et al. 2018, "Sanity Checks for Saliency Maps". A map that stays as it was shows the image,
such as its edges, and not what the network makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import keras, tf
from cnnkit.errors import IncompatibleError
from cnnkit.explain.measures import Progress, as_method, check_maps, measure, part, unchecked_maps
from cnnkit.explain.rank_agreement import rank_correlation
from cnnkit.explain.scores import ScoreModel

if TYPE_CHECKING:
    from cnnkit.explain.registry import Method
    from cnnkit.explain.targets import TargetLike

ORDERS = ("cascading", "independent")
UNCHANGED = 0.7  # rank correlation from which a map counts as unchanged
_PREPROCESSING = ("Rescaling", "Normalization")
_NORMALIZATION = ("BatchNormalization", "GroupNormalization", "LayerNormalization")
_SSIM_WINDOW = 11  # pixels, as in its paper


@dataclass(frozen=True, eq=False)
class Randomization:
    """Maps after each stage of randomization, beside those of the network as it is."""

    layers: tuple[tuple[str, ...], ...]  # randomized in each stage, the top of the network first
    maps: np.ndarray  # float32 (stages, images, height, width)
    correlations: np.ndarray  # float64 (stages, images): of ranks, with the map before
    similarities: np.ndarray  # float64 (stages, images): SSIM, of maps scaled to 0 to 1


@measure
def weight_randomization(
    method: Method | str,
    model: Any,
    images: np.ndarray,
    target: TargetLike = None,
    *,
    maps: np.ndarray | None = None,
    order: str = "cascading",
    stages: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Progress[Randomization]:
    """Maps of a network whose weights are randomized, layer by layer from the top.

    The values of each weight array are shuffled: they keep their distribution and lose what they
    mean. This is done in a copy; the network itself stays as it is. A normalization is randomized
    together with the layer before it. A map that becomes zero everywhere has nothing in common
    with the one before: correlation 0.

    Args:
        method: or its name.
        model: see `Method`.
        images: see `Method`.
        target: see `Method`; None: the class that the network as it is predicts.
        maps: of the network as it is, by this method with these options; None: computed.
        order: "cascading": a stage leaves the layers above it randomized; "independent": each
            stage begins with the network as it is.
        stages: the layers are divided among so many; None: one layer a stage.
        seed: of the shuffling.
        options: of the method.

    Raises:
        IncompatibleError: images, maps or numbers do not fit.
        ExplanationError: the map of the network as it is is zero everywhere.
    """
    method, options = as_method(method), options or {}
    scores = ScoreModel.of(model)
    images = scores.check_images(images)
    resolved = scores.target(images, target)
    copy = copy_of(scores.model)
    groups = _in_stages(weighted_layers(copy, images.shape[1:]), order, stages)
    given = 0 if maps is None else 1
    parts = len(groups) + 1 - given
    if maps is None:
        steps = unchecked_maps(method, scores, images, resolved, options)
        maps = yield from part(0, parts, steps)
    maps = check_maps(maps, images)
    method.check(maps)
    randomized, found = ScoreModel(copy), []
    for stage, group in enumerate(groups):
        if order == "independent":
            copy.set_weights(scores.model.get_weights())
        for place, _, own in group:
            _shuffle(own, np.random.default_rng([seed, place]))
        steps = unchecked_maps(method, randomized, images, resolved, options)
        found.append((yield from part(stage + 1 - given, parts, steps)))
    return Randomization(
        tuple(tuple(name for _, name, _ in group) for group in groups),
        np.stack(found),
        np.stack([rank_correlation(maps, one) for one in found]),
        np.stack([structural_similarity(maps, one) for one in found]),
    )


def depends_on_weights(test: Randomization, threshold: float = UNCHANGED) -> np.ndarray:
    """Whether each map depends on the weights: bool (images,).

    It does if its rank correlation with the map before, on average over the stages in which at
    most half of the layers are randomized, is below the threshold. What the network answers is
    lost by then, and a map that stays as it was does not explain the answer. With the lowest
    layers every map changes: they see the edges that such a map shows.

    The threshold is a convention. On photos, guided backpropagation lies above it, the gradient
    and Grad-CAM lie far below; docs/explain.md has the values of every method.

    Args:
        test: cascading.
        threshold: rank correlation.
    """
    return upper_correlation(test) < threshold


def upper_correlation(test: Randomization) -> np.ndarray:
    """The mean rank correlation while at most half of the layers are randomized: (images,).

    Where the first stage has more than half of the layers, it is that stage's.
    """
    counts = np.cumsum([len(stage) for stage in test.layers])
    upper = max(1, np.count_nonzero(counts <= counts[-1] / 2))
    return test.correlations[:upper].mean(0)


def copy_of(model: Any) -> Any:
    """Another network with the same layers and weights."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def weighted_layers(model: Any, shape: Sequence[int]) -> list[tuple[int, str, list[Any]]]:
    """The layers with weights from the output to the image: (place, name, layers).

    Preprocessing is left out. A normalization belongs to the layer before it.

    Args:
        model: functional or Sequential, flat or nested.
        shape: (height, width, channels) of its image.

    Raises:
        IncompatibleError: there are none, or its layers cannot be read.
    """
    from cnnkit.anatomy.graph import trace

    calls = [
        call
        for call in trace(model, shape, any_size=True).calls
        if getattr(call.operation, "weights", ()) and call.kind not in _PREPROCESSING
    ]
    made_by, groups, seen = {}, {}, set()
    for call in calls:
        before = made_by.get(id(call.inputs[0])) if call.kind in _NORMALIZATION else None
        path = before or call.path
        made_by[id(call.outputs[0])] = path
        if id(call.operation) not in seen:
            groups.setdefault(path, []).append(call.operation)
        seen.add(id(call.operation))
    if not groups:
        raise IncompatibleError(f"{model.name!r} has no layers with weights to randomize.")
    named = [(place, path, layers) for place, (path, layers) in enumerate(groups.items())]
    return named[::-1]


def structural_similarity(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """SSIM of the magnitudes of two maps of each image, scaled to 0 to 1: float64 (images,).

    Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity".
    """
    window = min(_SSIM_WINDOW, *np.shape(maps)[1:])
    pair = (_to_unit_range(np.abs(one))[..., np.newaxis] for one in (maps, others))
    similarities = tf.image.ssim(*pair, max_val=1.0, filter_size=window)
    return similarities.numpy().astype(np.float64)


def _to_unit_range(maps: np.ndarray) -> np.ndarray:
    low, high = maps.min((1, 2), keepdims=True), maps.max((1, 2), keepdims=True)
    return ((maps - low) / np.where(high > low, high - low, 1)).astype(np.float32)


def _in_stages(layers: list, order: str, stages: int | None) -> list[list]:
    if order not in ORDERS:
        raise IncompatibleError(f"`order` must be one of {', '.join(ORDERS)}. Received: {order!r}.")
    count = len(layers) if stages is None else stages
    if not 1 <= count <= len(layers):
        raise IncompatibleError(
            f"`stages` must be 1 to {len(layers)}, the layers with weights, or None. "
            f"Received: {stages}."
        )
    cuts = np.linspace(0, len(layers), count + 1).round().astype(int)
    return [layers[start:end] for start, end in zip(cuts[:-1], cuts[1:], strict=True)]


def _shuffle(layers: Sequence[Any], generator: np.random.Generator) -> None:
    for layer in layers:
        values = [np.asarray(weight) for weight in layer.get_weights()]
        layer.set_weights([generator.permutation(one.ravel()).reshape(one.shape) for one in values])
