"""Attribution by gradients with respect to the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnkit.errors import IncompatibleError
from cnnkit.explain.baselines import BASELINES, baseline_images
from cnnkit.explain.measures import part
from cnnkit.explain.registry import GRADIENT, NO_GRADIENT, Steps, method
from cnnkit.explain.scores import BACKWARD, ScoreModel
from cnnkit.explain.targets import AttributionTarget, TargetLike
from cnnkit.visualize.registry import Slider

SAMPLES = Slider(5, 100, step=5, title="Samples")
ROUNDING = 1e-10  # of a mean square: a variance below it is the float32 gradients' rounding
NOISE = Slider(0.01, 0.5, step=0.01, title="Noise, as a share of the image's range")


@method(title="Gradient", family=GRADIENT, reference="Simonyan, Vedaldi, Zisserman 2013")
def gradient(scores: ScoreModel, images: np.ndarray, target: AttributionTarget) -> Steps:
    """How much the score changes with each pixel: the gradient's largest channel, without sign."""
    return largest_channel((yield from _gradients(scores, images, target)))


@method(
    title="Gradient × input",
    family=GRADIENT,
    reference="Shrikumar et al. 2016",
    signed=True,
    blank=f"{NO_GRADIENT}, or the image is black, and its pixels are multiplied by 0",
)
def gradient_x_input(scores: ScoreModel, images: np.ndarray, target: AttributionTarget) -> Steps:
    """The gradient times the pixel, summed over the channels."""
    slopes = yield from _gradients(scores, images, target)
    return (slopes * images).sum(-1)


@method(
    title="SmoothGrad",
    family=GRADIENT,
    reference="Smilkov et al. 2017",
    samples=SAMPLES,
    noise=NOISE,
)
def smoothgrad(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    samples: int = 50,
    noise: float = 0.15,
    seed: int = 0,
) -> Steps:
    """The mean gradient over copies of the image with noise: its largest channel, without sign.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        samples: copies of the image.
        noise: standard deviation of the Gaussian noise, as a share of the range of the image's
            values; above 0, at most 1.
        seed: of the noise.
    """
    _check_noise(samples, noise, least=1)
    mean, _ = yield from _moments(scores, images, target, samples, noise, seed)
    return largest_channel(mean)


@method(
    title="VarGrad",
    family=GRADIENT,
    reference="Adebayo et al. 2018",
    blank="the gradient is the same for every noise, as in a linear network",
    samples=SAMPLES,
    noise=NOISE,
)
def vargrad(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    samples: int = 50,
    noise: float = 0.15,
    seed: int = 0,
) -> Steps:
    """The variance of the gradient over copies of the image with noise: its largest channel.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        samples: copies of the image, at least 2.
        noise: standard deviation of the Gaussian noise, as a share of the range of the image's
            values; above 0, at most 1.
        seed: of the noise.
    """
    _check_noise(samples, noise, least=2)
    _, variance = yield from _moments(scores, images, target, samples, noise, seed)
    return largest_channel(variance)


@method(
    title="Integrated gradients",
    family=GRADIENT,
    reference="Sundararajan, Taly, Yan 2017",
    signed=True,
    blank=f"{NO_GRADIENT}, or the image equals the baseline; another baseline may work",
    steps=Slider(8, 256, step=8, title="Steps"),
    baseline=BASELINES,
)
def integrated_gradients(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    *,
    steps: int = 64,
    baseline: str | float | np.ndarray = "black",
    seed: int = 0,
) -> Steps:
    """The gradients on the way from a baseline to the image, times the way.

    The map sums up to the difference of the two scores, but for `completeness_gap`. `steps`
    gradients are taken, more of them where the gradient changes much; see `_along`.

    Args:
        scores: of the network.
        images: to explain.
        target: what is explained.
        steps: gradients for each image, at least 2.
        baseline: an image without evidence: "black", "gray", "white", "mean", "blurred", "random",
            a gray level or an array that fits the images.
        seed: of a random baseline.
    """
    if steps < 2:
        raise IncompatibleError(f"`steps` must be at least 2. Received: {steps}.")
    start = baseline_images(images, baseline, seed=seed)
    maps = []
    for place, image in enumerate(images):
        progress = _along(scores, start[place], image, target.take(np.array([place])), steps)
        maps.append((yield from part(place, len(images), progress)))
    return np.stack(maps)


def _along(
    scores: ScoreModel,
    start: np.ndarray,
    end: np.ndarray,
    target: AttributionTarget,
    steps: int,
) -> Steps:
    """The integral of the gradient times the way, for one image: float64 (height, width).

    By the trapezoidal rule. The sum over an interval should be the difference of the scores at its
    ends, so its error is known, and the intervals with the largest errors are halved. ReLUs and max
    pooling make jumps in the gradient, for which a fixed rule such as Gauss and Legendre's needs
    several times as many steps.
    """
    way = end - start

    def between(shares: np.ndarray) -> tuple[np.ndarray, AttributionTarget]:
        images = start + shares.reshape(-1, 1, 1, 1).astype(np.float32) * way
        return images, target.take(np.zeros(len(shares), int))

    def slopes(shares: np.ndarray) -> np.ndarray:
        return (scores.gradients(*between(shares)) * way).sum(-1)

    def values(shares: np.ndarray) -> np.ndarray:
        return scores.scores(*between(shares)).astype(np.float64)

    shares = np.linspace(0, 1, max(2, steps // 8 + 1))
    most = min(BACKWARD, max(1, steps // 8))  # at once: with few steps, each must be well placed
    known, slope = values(shares), slopes(shares)
    yield len(shares), steps
    while len(shares) < steps:
        sums = slope.sum((1, 2), dtype=np.float64)
        errors = np.abs(np.diff(known) - np.diff(shares) * (sums[:-1] + sums[1:]) / 2)
        worst = np.argsort(errors, kind="stable")[-min(most, steps - len(shares)) :]
        middles = (shares[worst] + shares[worst + 1]) / 2
        known = np.insert(known, worst + 1, values(middles))
        slope = np.insert(slope, worst + 1, slopes(middles), axis=0)
        shares = np.insert(shares, worst + 1, middles)
        yield len(shares), steps
    return np.trapezoid(slope, shares, axis=0)


@method(
    title="Guided backpropagation",
    family=GRADIENT,
    reference="Springenberg et al. 2014",
    blank=f"{NO_GRADIENT}; only what is positive passes a ReLU here",
)
def guided_backpropagation(
    scores: ScoreModel, images: np.ndarray, target: AttributionTarget
) -> Steps:
    """The gradient, of which only what is positive passes each ReLU: its largest channel.

    In a network without ReLUs it is the gradient.
    """
    return largest_channel((yield from _gradients(scores, images, target, guided=True)))


def completeness_gap(
    model: Any,
    images: np.ndarray,
    maps: np.ndarray,
    target: TargetLike = None,
    *,
    baseline: str | float | np.ndarray = "black",
    seed: int = 0,
) -> np.ndarray:
    """How far maps of integrated gradients are from summing up to the difference of the scores.

    Args:
        model: see `Method`.
        images: that were explained.
        maps: float32 (images, height, width).
        target: as for the maps.
        baseline: as for the maps.
        seed: as for the maps.

    Returns:
        float64 (images,): the missing part, as a share of the difference.
    """
    scores = ScoreModel.of(model)
    images = scores.check_images(images)
    resolved = scores.target(images, target)
    start = baseline_images(images, baseline, seed=seed)
    difference = np.float64(scores.scores(images, resolved)) - scores.scores(start, resolved)
    missing = np.float64(maps).sum((1, 2)) - difference
    return np.abs(missing) / np.maximum(np.abs(difference), np.finfo(np.float32).tiny)


def noisy_images(images: np.ndarray, samples: int, noise: float, seed: int) -> np.ndarray:
    """Copies of one image with Gaussian noise: float32 (samples, height, width, channels).

    Args:
        images: float32 (1, height, width, channels).
        samples: how many.
        noise: standard deviation, as a share of the image's largest minus smallest value.
        seed: of the noise.
    """
    generator = np.random.default_rng(seed)
    draws = generator.standard_normal((samples, *images.shape[1:]), np.float32)
    return images + np.float32(noise * np.ptp(images)) * draws


def largest_channel(values: np.ndarray) -> np.ndarray:
    """The largest magnitude over the channels: (images, height, width)."""
    return np.abs(values).max(-1)


def _moments(
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    samples: int,
    noise: float,
    seed: int,
):
    """Mean and variance of the gradient over noisy copies, shaped as the images."""
    means, variances = [], []
    batches = _batches(samples)
    for image in range(len(images)):
        copies = noisy_images(images[image : image + 1], samples, noise, seed)
        total = np.zeros(images.shape[1:], np.float64)
        squares = np.zeros(images.shape[1:], np.float64)
        for number, places in enumerate(batches, start=1):
            slopes = scores.gradients(copies[places], target.take(np.full(len(places), image)))
            total += slopes.sum(0, dtype=np.float64)
            squares += np.square(slopes, dtype=np.float64).sum(0)
            yield image * len(batches) + number, len(images) * len(batches)
        mean, square = total / samples, squares / samples
        variance = square - mean**2
        means.append(mean)
        variances.append(np.where(variance > ROUNDING * square, variance, 0))
    return np.stack(means), np.stack(variances)


def _gradients(
    scores: ScoreModel, images: np.ndarray, target: AttributionTarget, *, guided: bool = False
):
    """The gradient of each image, batch by batch: shaped as the images."""
    parts = []
    for number, places in enumerate(batches := _batches(len(images)), start=1):
        parts.append(scores.gradients(images[places], target.take(places), guided=guided))
        yield number, len(batches)
    return np.concatenate(parts)


def _check_noise(samples: int, noise: float, least: int) -> None:
    if samples < least:
        raise IncompatibleError(f"`samples` must be at least {least}. Received: {samples}.")
    if not 0 < noise <= 1:
        raise IncompatibleError(f"`noise` must be above 0, at most 1. Received: {noise}.")


def _batches(count: int) -> list[np.ndarray]:
    return [np.arange(i, min(i + BACKWARD, count)) for i in range(0, count, BACKWARD)]
