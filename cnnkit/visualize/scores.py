"""The value of each kind of term, for each image of a batch.

Regularizers are written so that neither the value nor its gradient overflows or divides by
zero where their mathematical limit is finite: the literal formula of an Lp norm gives NaN
gradients for an image of zeros, and infinity for large p.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.visualize.terms import Term

if TYPE_CHECKING:
    Tensor = Any

TINY = 1e-12


def score(
    term: Term,
    numbers: Mapping[str, Tensor],
    activations: Mapping[str, Tensor],
    image: Tensor,
    guides: Mapping[str, Mapping[str, Tensor]],
) -> Tensor:
    """One number for each image.

    Args:
        term: which.
        numbers: like the term's own, as tensors.
        activations: layer → (images, height, width, filters) or (images, units).
        image: float32 (images, height, width, channels), as it is stored: not transformed.
        guides: name → layer → activations of a guiding image, of one image.

    Returns:
        float32 (images,).
    """
    if term.of_image:
        return _OF_IMAGE[term.kind](image, numbers)
    answer = activations[term.layer]
    if term.kind == "guide":
        return _guide(answer, guides[term.options["guide"]][term.layer])
    return _OF_ACTIVATIONS[term.kind](answer, numbers, term.options)


def _unit(answer: Tensor, numbers: Mapping) -> Tensor:
    """The wanted unit of each image: (images, …) without the last axis."""
    units = tf.cast(numbers["unit"], tf.int32)
    units = tf.broadcast_to(units, (tf.shape(answer)[0],))
    return tf.gather(answer, units, axis=-1, batch_dims=1)


def _units_last(answer: Tensor, numbers: Mapping) -> Tensor:
    # A gather along the last axis of maps is slow to differentiate; a product is not.
    chosen = tf.one_hot(tf.cast(numbers["unit"], tf.int32), answer.shape[-1])
    chosen = tf.broadcast_to(chosen, (tf.shape(answer)[0], answer.shape[-1]))
    return tf.einsum("b...c,bc->b...", answer, chosen)


def _class_logit(answer, numbers, options):
    return _unit(_flat(answer), numbers)


def _class_probability(answer, numbers, options):
    return _unit(tf.nn.softmax(_flat(answer)), numbers)


def _class_margin(answer, numbers, options):
    logits = _flat(answer)
    own = tf.one_hot(tf.cast(numbers["unit"], tf.int32), logits.shape[-1])
    others = tf.where(own > 0, -np.inf, logits)
    return _unit(logits, numbers) - tf.reduce_logsumexp(others, -1)


def _channel(answer, numbers, options):
    return _mean_of_places(_units_last(answer, numbers))


def _neuron(answer, numbers, options):
    maps = _units_last(answer, numbers)
    if maps.shape.rank == 1:
        return maps
    row = _place(numbers["row"], maps.shape[1])
    column = _place(numbers["column"], maps.shape[2])
    return maps[:, row, column]


def _direction(answer, numbers, options):
    vector = numbers["vector"] / (tf.norm(numbers["vector"]) + TINY)
    return _mean_of_places(tf.einsum("b...c,c->b...", answer, vector))


def _layer_energy(answer, numbers, options):
    border, count = options["border"], float(np.prod(answer.shape[1:]))
    if border and answer.shape.rank == 4:
        answer = answer[:, border:-border, border:-border, :]
    return tf.reduce_sum(answer**2, tuple(range(1, answer.shape.rank))) / count


def _diversity(answer, numbers, options):
    places = tf.reshape(answer, (tf.shape(answer)[0], -1, answer.shape[-1]))
    gram = tf.einsum("bnc,bnd->bcd", places, places)
    flat = tf.math.l2_normalize(tf.reshape(gram, (tf.shape(answer)[0], -1)), 1)
    alike = tf.matmul(flat, flat, transpose_b=True)
    others = tf.maximum(tf.cast(tf.shape(answer)[0], tf.float32) - 1, 1)
    # The cosine with itself is 1, and is not counted; of one image alone nothing is left.
    return 1 - (tf.reduce_sum(alike, 1) - tf.linalg.diag_part(alike)) / others


def _guide(answer: Tensor, guiding: Tensor) -> Tensor:
    places = tf.reshape(answer, (tf.shape(answer)[0], -1, answer.shape[-1]))
    wanted = tf.reshape(guiding, (-1, guiding.shape[-1]))
    products = tf.einsum("bnc,mc->bnm", places, wanted)
    best = tf.gather(wanted, tf.stop_gradient(tf.argmax(products, -1)))
    return tf.reduce_mean(tf.reduce_sum(places * best, -1), 1)


def _lp_norm(image, numbers):
    p = numbers["p"]
    size = tf.abs(image)
    largest = tf.reduce_max(size, (1, 2, 3), keepdims=True)
    count = _values(image)

    def powers():
        # Shares of the largest value neither overflow nor vanish all together. That the
        # largest is taken for a constant cancels out in the gradient.
        whole = tf.stop_gradient(tf.maximum(largest, TINY))
        share = size / whole
        # The slope of x^p at 0 is infinite for p < 1 and 0 for p > 1: it is made 0.
        inside = tf.where(share > 0, tf.pow(tf.maximum(share, TINY), p), 0.0)
        total = tf.reduce_sum(inside, (1, 2, 3), keepdims=True)
        root = tf.where(total > 0, tf.pow(tf.maximum(total, TINY), 1 / p), 0.0)
        return tf.reshape(root * whole, (-1,))

    def sums():
        return tf.reduce_sum(size, (1, 2, 3))  # p = 1: powers would cost five times as much

    def finite():
        return tf.cond(tf.equal(p, 1.0), sums, powers)

    return tf.cond(tf.math.is_inf(p), lambda: tf.reshape(largest, (-1,)), finite) / count


def _total_variation(image, numbers):
    height, width = (side - 1 for side in image.shape[1:3])
    here, below, beside = (
        _cut(image, *corner, height, width) for corner in ((0, 0), (1, 0), (0, 1))
    )
    squares = (below - here) ** 2 + (beside - here) ** 2

    def powers():
        # Where nothing varies, the slope of a root is infinite: it is made 0.
        some = tf.pow(tf.maximum(squares, TINY), numbers["beta"] / 2)
        return tf.reduce_sum(tf.where(squares > 0, some, 0.0), (1, 2, 3))

    usual = tf.equal(numbers["beta"], 2.0)  # a power of 1 costs as much as any
    total = tf.cond(usual, lambda: tf.reduce_sum(squares, (1, 2, 3)), powers)
    return total / _values(image)


def _anisotropic_variation(image, numbers):
    height, width = image.shape[1:3]
    down, right = (
        tf.abs(_cut(image, *step, *size) - _cut(image, 0, 0, *size))
        for step, size in (((1, 0), (height - 1, width)), ((0, 1), (height, width - 1)))
    )
    return (tf.reduce_sum(down, (1, 2, 3)) + tf.reduce_sum(right, (1, 2, 3))) / _values(image)


def _cut(image: Tensor, row: int, column: int, height: int, width: int) -> Tensor:
    """A part of each image; of a slice without a size the gradient is slow."""
    return tf.slice(image, (0, row, column, 0), (-1, height, width, -1))


def _l2(image, numbers):
    return tf.reduce_mean((image - numbers["centre"]) ** 2, (1, 2, 3))


def _flat(answer: Tensor) -> Tensor:
    """Logits that a network gives as maps of 1×1, or of any size, as (images, classes)."""
    return _mean_of_places(answer, keep_last=True)


def _mean_of_places(values: Tensor, keep_last: bool = False) -> Tensor:
    axes = tuple(range(1, values.shape.rank - keep_last))
    return tf.reduce_mean(values, axes) if axes else values


def _place(wanted: Tensor, size: int) -> Tensor:
    place = tf.cast(wanted, tf.int32)
    return tf.where(place < 0, size // 2, place)


def _values(image: Tensor) -> float:
    height, width, channels = image.shape[1:]
    return float(height * width * channels)


_OF_IMAGE = {
    "lp_norm": _lp_norm,
    "total_variation": _total_variation,
    "anisotropic_variation": _anisotropic_variation,
    "l2": _l2,
}
_OF_ACTIVATIONS = {
    "class_logit": _class_logit,
    "class_probability": _class_probability,
    "class_margin": _class_margin,
    "channel": _channel,
    "neuron": _neuron,
    "direction": _direction,
    "layer_energy": _layer_energy,
    "diversity": _diversity,
}
