"""How the weights of a layer begin: by name, as an initializer of Keras."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnkit.models.builder.fields import LayerField


@dataclass(frozen=True)
class Initializer:
    """One of `keras.initializers`, as plain values."""

    kind: str  # class of Keras
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Start:
    """A way to begin: its title, and what it is for a layer."""

    title: str
    make: Callable[[int, int, int], Initializer]  # of fan-in, fan-out and seed


def _of_keras(kind: str, **arguments: Any) -> Callable[[int, int, int], Initializer]:
    return lambda fan_in, fan_out, seed: Initializer(kind, {**arguments, "seed": seed})


def _uniform(bound: Callable[[int, int], float]) -> Callable[[int, int, int], Initializer]:
    def make(fan_in: int, fan_out: int, seed: int) -> Initializer:
        limit = bound(fan_in, fan_out)
        return Initializer("RandomUniform", {"minval": -limit, "maxval": limit, "seed": seed})

    return make


STARTS = {
    "glorot_uniform": Start("Glorot uniform (usual)", _of_keras("GlorotUniform")),
    "glorot_normal": Start("Glorot normal", _of_keras("GlorotNormal")),
    "he_normal": Start("He normal (for ReLU)", _of_keras("HeNormal")),
    "he_uniform": Start("He uniform (for ReLU)", _of_keras("HeUniform")),
    "lecun_normal": Start("LeCun normal", _of_keras("LecunNormal")),
    "lecun_uniform": Start("LeCun uniform", _of_keras("LecunUniform")),
    "truncated_normal": Start(
        "normal of deviation 0.1, truncated", _of_keras("TruncatedNormal", stddev=0.1)
    ),
    # LeNet-5 of 1998.
    "uniform_fan_in": Start(
        "uniform, ±2.4 / inputs (LeNet-5)", _uniform(lambda fan_in, fan_out: 2.4 / fan_in)
    ),
    # The Deep Learning Tutorials: of the outputs of a convolution, pooling keeps a quarter.
    "glorot_uniform_pooled": Start(
        "Glorot uniform before 2×2 pooling",
        _uniform(lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out / 4))),
    ),
    "zeros": Start("zeros", lambda fan_in, fan_out, seed: Initializer("Zeros")),
}

KERNEL_INITIALIZER = LayerField(
    name="kernel_initializer",
    title="Initial weights",
    default="glorot_uniform",
    choices=tuple(STARTS),
    titles={name: start.title for name, start in STARTS.items()},
    help="The distribution that the weights are drawn from before training.",
)


def kernel_initializer(name: str, fan_in: int, fan_out: int, seeds: Iterator[int]) -> Initializer:
    """The initializer of a kernel; takes a seed only where something is drawn.

    Args:
        name: key of `STARTS`.
        fan_in: inputs of each unit.
        fan_out: units that each input goes to.
        seeds: of the network.
    """
    return STARTS[name].make(fan_in, fan_out, 0 if name == "zeros" else next(seeds))
