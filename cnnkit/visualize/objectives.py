"""Objectives: what activation maximization raises, a value for each image of a batch.

`activations` are those of the layer that is named first, float32 (images, height, width,
channels) or (images, units); of a class they are the logits. `unit` is a class or channel;
several: one for each image of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.visualize.components import Term
from cnnkit.visualize.registry import CENTER, definition, log_slider, objective

if TYPE_CHECKING:
    Tensor = Any

TINY = 1e-12


def term_value(
    term: Term,
    numbers: Mapping[str, Tensor],
    activations: Mapping[str, Tensor],
    image: Tensor,
    guides: Mapping[str, Mapping[str, Tensor]],
) -> Tensor:
    """The value of a term for each image.

    Args:
        term: which.
        numbers: like the term's own, as tensors.
        activations: layer → (images, height, width, channels) or (images, units).
        image: float32 (images, height, width, channels), before the transforms.
        guides: name → layer → activations of a guiding image, of one image.

    Returns:
        float32 (images,).
    """
    compute = definition(term.kind).compute
    if term.of_image:
        return compute(image, **numbers, **term.options)
    options = dict(term.options)
    if "guide" in options:
        options["guide"] = guides[options["guide"]][term.layer]
    return compute(activations[term.layer], **numbers, **options)


@objective(title="Class logit", per_layer=False)
def class_logit(activations, unit):
    """The logit of a class.

    Args:
        activations: the logits.
        unit: class, 0 first; several: one for each image.
    """
    return _select(_logits(activations), unit)


@objective(title="Class probability", per_layer=False)
def class_probability(activations, unit):
    """The probability of a class after softmax, for comparison.

    It also rises when the logits of other classes fall, which leads the image astray.

    Args:
        activations: the logits.
        unit: class, 0 first; several: one for each image.

    Reference:
        Simonyan, Vedaldi, Zisserman 2013, section 2.
    """
    return _select(tf.nn.softmax(_logits(activations)), unit)


@objective(
    title="Class margin",
    per_layer=False,
    weight=log_slider(1e-2, 1e2, "Margin over other classes"),
)
def class_margin(activations, unit):
    """The logit of a class minus the soft maximum of all others, log Σ exp.

    It is the logarithm of the odds, log p / (1 - p). Where a network knows similar classes, the
    logit alone raises them as well, and another of them is predicted.

    Args:
        activations: the logits.
        unit: class, 0 first; several: one for each image.
    """
    logits = _logits(activations)
    own = tf.one_hot(tf.cast(unit, tf.int32), logits.shape[-1])
    others = tf.where(own > 0, -np.inf, logits)
    return _select(logits, unit) - tf.reduce_logsumexp(others, -1)


@objective(title="Channel")
def channel(activations, unit):
    """The mean of one channel's feature map; in a dense layer, that unit.

    Args:
        activations: of the layer.
        unit: channel, 0 first; several: one for each image.
    """
    return _spatial_mean(_channels(activations, unit))


@objective(title="Neuron")
def neuron(activations, unit, row=CENTER, column=CENTER):
    """One position of one channel's feature map.

    Args:
        activations: of the layer.
        unit: channel.
        row: from the top, 0 first; None: the middle (of an even number, the one after it).
        column: from the left, likewise.
    """
    maps = _channels(activations, unit)
    if maps.shape.rank == 1:
        return maps
    return maps[:, _position(row, maps.shape[1]), _position(column, maps.shape[2])]


@objective(title="Direction")
def direction(activations, vector):
    """How far activations point along a vector: the spatial mean of their dot product.

    Args:
        activations: of the layer.
        vector: one number for each channel; it is scaled to length 1.
    """
    vector = vector / (tf.norm(vector) + TINY)
    return _spatial_mean(tf.einsum("b...c,c->b...", activations, vector))


@objective(title="Layer energy")
def layer_energy(activations, *, border=0):
    """The mean square of all activations of a layer, the objective of DeepDream.

    Args:
        activations: of the layer.
        border: so many positions on each side count as 0, because padding shows there.

    Reference:
        Mordvintsev, Olah, Tyka 2015, "Inceptionism".
    """
    count = float(np.prod(activations.shape[1:]))
    if border and activations.shape.rank == 4:
        activations = activations[:, border:-border, border:-border, :]
    return tf.reduce_sum(activations**2, tuple(range(1, activations.shape.rank))) / count


@objective(title="Guide")
def guide(activations, *, guide):
    """Activations like those of another image: each position's largest dot product with one.

    Args:
        activations: of the layer, which has feature maps.
        guide: name of the guiding image among the `guides` that `maximize` gets.

    Reference:
        Mordvintsev, Olah, Tyka 2015, "DeepDream", section "Controlling dreams".
    """
    positions = _positions(activations)
    candidates = tf.reshape(guide, (-1, guide.shape[-1]))
    products = tf.einsum("bnc,mc->bnm", positions, candidates)
    best = tf.gather(candidates, tf.stop_gradient(tf.argmax(products, -1)))
    return tf.reduce_mean(tf.reduce_sum(positions * best, -1), 1)


@objective(title="Diversity", weight=log_slider(1e-4, 1e4))
def diversity(activations):
    """How much the images of a batch differ in a layer; 0 when all are alike.

    One minus the mean cosine between an image's Gram matrix and the others', of feature maps.

    Args:
        activations: of the layer.
    """
    positions = _positions(activations)
    gram = tf.einsum("bnc,bnd->bcd", positions, positions)
    flat = tf.math.l2_normalize(tf.reshape(gram, (tf.shape(activations)[0], -1)), 1)
    cosines = tf.matmul(flat, flat, transpose_b=True)
    others = tf.maximum(tf.cast(tf.shape(activations)[0], tf.float32) - 1, 1)
    # The cosine with itself is 1, and is not counted; of one image alone nothing is left.
    return 1 - (tf.reduce_sum(cosines, 1) - tf.linalg.diag_part(cosines)) / others


def _select(values: Tensor, unit: Tensor) -> Tensor:
    """Each image's unit: (images, …) without the last axis."""
    units = tf.broadcast_to(tf.cast(unit, tf.int32), (tf.shape(values)[0],))
    return tf.gather(values, units, axis=-1, batch_dims=1)


def _channels(activations: Tensor, unit: Tensor) -> Tensor:
    # A gather along the last axis of feature maps is slow to differentiate; a product is not.
    chosen = tf.one_hot(tf.cast(unit, tf.int32), activations.shape[-1])
    chosen = tf.broadcast_to(chosen, (tf.shape(activations)[0], activations.shape[-1]))
    return tf.einsum("b...c,bc->b...", activations, chosen)


def _logits(activations: Tensor) -> Tensor:
    """(images, classes), also of a network whose logits are feature maps.

    The one logit z of a binary head stands for two classes, -z/2 and z/2: their softmax is its
    sigmoid.
    """
    logits = _spatial_mean(activations, keep_last=True)
    return tf.concat([-logits, logits], -1) / 2 if logits.shape[-1] == 1 else logits


def _spatial_mean(values: Tensor, keep_last: bool = False) -> Tensor:
    axes = tuple(range(1, values.shape.rank - keep_last))
    return tf.reduce_mean(values, axes) if axes else values


def _positions(activations: Tensor) -> Tensor:
    """(images, positions, channels)."""
    return tf.reshape(activations, (tf.shape(activations)[0], -1, activations.shape[-1]))


def _position(place: Tensor, size: int) -> Tensor:
    place = tf.cast(place, tf.int32)
    return tf.where(place < 0, size // 2, place)
