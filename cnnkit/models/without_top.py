"""Pretrained networks up to their last maps: what fine-tuning puts a new head on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnkit import assets
from cnnkit._lazy import keras
from cnnkit.errors import IncompatibleError
from cnnkit.models._registry import create_model, list_models, model_info, seeds
from cnnkit.models.pretrained import (
    OWN_PREPROCESSING,
    PretrainedSpec,
    list_pretrained,
    load_pretrained,
    pretrained_info,
)

if TYPE_CHECKING:
    from keras import Model

# Their dense layers tie them to one size and are nine tenths of their weights.
_DENSE = ("VGG",)


def load_without_top(
    name: str,
    *,
    weights: str | None = "imagenet",
    size: int | None = None,
    seed: int | None = 0,
    preprocessing: str | None = None,
    progress: assets.Progress | None = None,
) -> Model:
    """A network from images to its last maps, without what makes classes of them.

    Args:
        name: from `list_pretrained()` or `list_models()`.
        weights: "imagenet", or None for random ones.
        size: pixels, height and width of the images; None: as published.
        seed: of random weights; None: whatever the library gives.
        preprocessing: "rescaling": pixels divided by 255; None: as in its training.
        progress: called with the bytes so far and in all while weights are downloaded.

    Returns:
        A model from (batch, size, size, 3), RGB, 0 to 255, to maps.

    Raises:
        UnknownModelError: lists the names that exist.
        AssetUnavailableError: the weights cannot be had; says where to put them.
        CorruptAssetError: the weight file is damaged or another network's.
        IncompatibleError: the network has no maps, takes no images of this size, or has
            preprocessing of its own.
    """
    if name in list_models() and name not in list_pretrained():
        if preprocessing:
            raise IncompatibleError(OWN_PREPROCESSING.format(title=model_info(name).title))
        return remove_top(create_model(name, input_shape=_shape(name, size), seed=seed or 0))
    spec = pretrained_info(name).preprocessed_by(preprocessing)
    if spec.family in _DENSE:
        return _dense(spec, weights, size or spec.size, seed, progress)
    try:
        model = load_pretrained(
            name, weights=weights, size=size, preprocessing=preprocessing, progress=progress
        )
    except ValueError as error:  # Keras's, which speaks of tensors
        if isinstance(error, IncompatibleError):
            raise
        raise IncompatibleError(
            f"{spec.title} takes no images of {size} pixels; it was published for {spec.size}."
        ) from error
    return remove_top(model if weights else _seeded(model, seed))


def missing_weights(name: str) -> list[str]:
    """Assets that `load_without_top` would fetch for ImageNet weights; none: all are here."""
    asset = base_weights(name)
    return [] if assets.find(asset) else [asset]


def base_weights(name: str) -> str:
    """The asset that `load_without_top` reads ImageNet weights from.

    Of a network with large dense layers the file without them is enough; the large one is
    taken where only that is here.
    """
    spec, small = pretrained_info(name), assets.without_top_asset(name)
    if spec.family not in _DENSE or (spec.available and not assets.find(small)):
        return spec.asset
    return small


def remove_top(model: Model) -> Model:
    """A network up to the last maps before its classifier.

    Raises:
        IncompatibleError: it has no such maps.
    """
    from cnnkit.anatomy import layer_table
    from cnnkit.anatomy.graph import layer_outputs
    from cnnkit.anatomy.layout import cut_points

    rows = layer_table(model).rows
    classifier = max(number for number, row in enumerate(rows) if row.parameters)
    maps = [
        rows[number].name
        for number in cut_points(rows)
        if number < classifier
        and len(rows[number].output_shape) == 3
        and max(rows[number].output_shape[:2]) > 1
        and rows[number].kind not in ("InputLayer", "Dropout")
        and any(row.parameters for row in rows[: number + 1])  # else it is the image still
    ]
    if not maps:
        raise IncompatibleError(f"{model.name} has no maps that a new head could be put on.")
    return keras.Model(model.input, layer_outputs(model)[maps[-1]][0], name=model.name)


def _shape(name: str, size: int | None) -> tuple[int, int, int] | None:
    channels = model_info(name).input_shape[2]
    return (size, size, channels) if size else None


def _dense(
    spec: PretrainedSpec,
    weights: str | None,
    size: int,
    seed: int | None,
    progress: assets.Progress | None,
) -> Model:
    from cnnkit.models import _applications
    from cnnkit.models._weights import ready_for_weights, without_weights

    if weights is None:
        return _seeded(_applications.build(spec, size, top=False), seed)
    asset = base_weights(spec.name)
    if asset == spec.asset:
        return _copied(load_pretrained(spec.name), _applications.build(spec, size, top=False))
    path = assets.fetch(asset, progress)
    model = ready_for_weights(without_weights(lambda: _applications.build(spec, size, top=False)))
    _applications.load_weights(model, spec, path)
    return model


def _copied(source: Model, model: Model) -> Model:
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())
    return model


def _seeded(model: Model, seed: int | None) -> Model:
    """Random kernels once more: the library draws them from a state that all threads share."""
    if seed is None:
        return model
    numbers = seeds(seed)
    for layer in model.layers:
        for weight in layer.weights:
            if len(weight.shape) > 1:
                weight.assign(keras.initializers.GlorotUniform(next(numbers))(weight.shape))
    return model
