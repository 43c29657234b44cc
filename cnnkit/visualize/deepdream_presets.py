"""How to dream, as data: plans of DeepDream, and the published ones.

Reference:
    Mordvintsev, Olah, Tyka 2015, "Inceptionism: Going Deeper into Neural Networks".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnnkit.errors import IncompatibleError
from cnnkit.visualize.components import Objective
from cnnkit.visualize.objectives import guide, layer_energy
from cnnkit.visualize.regularizers import l2, total_variation

ASCENT, LBFGS = "ascent", "lbfgs"
IMAGENET_MEAN = (123.68, 116.779, 103.939)


@dataclass(frozen=True, kw_only=True)
class Dream:
    """Everything that decides a dream but the image and the network.

    Args:
        layers: name → weight of its energy.
        border: places of a map left out on each side, where padding shows.
        octaves: sizes gone through, the smallest first; 1: only the image's own.
        octave_scale: between two of them.
        steps: in each octave; of L-BFGS: outer rounds.
        learning_rate: gray levels a step, of the gradient's mean size; ascent only.
        jitter: pixels; of L-BFGS noise of so many gray levels, taken away after each round.
        continuity: weight of the total variation with β 2.5.
        l2: weight of the mean square around ImageNet's mean color.
        tile: pixels a side; larger images are worked on in such tiles, whose grid moves
            with every step; 0: never.
        optimizer: "ascent" or "lbfgs".
        evaluations: of each round of L-BFGS.
        most: energy at which an octave is left; None: never.
        guided: raise the likeness to a second image's activations instead of the energy.
        seed: of jitter, tiles and noise.
    """

    layers: Mapping[str, float]
    border: int = 0
    octaves: int = 3
    octave_scale: float = 1.4
    steps: int = 20
    learning_rate: float = 1.5
    jitter: float = 0.0
    continuity: float = 0.0
    l2: float = 0.0
    tile: int = 512
    optimizer: str = ASCENT
    evaluations: int = 7
    most: float | None = None
    guided: bool = False
    seed: int = 0

    def objective(self) -> Objective:
        """The weighted sum that is maximized."""
        if not any(self.layers.values()):
            raise IncompatibleError("Every layer has weight 0: give at least one a weight.")
        objective = Objective(())
        for name, weight in self.layers.items():
            energy = layer_energy(name, border=self.border)
            raised = guide(name, guide="guide") if self.guided else energy
            objective += weight * raised if weight else Objective(())
        if self.continuity:
            objective -= self.continuity * total_variation(2.5)
        if self.l2:
            objective -= self.l2 * l2(IMAGENET_MEAN)
        return objective


@dataclass(frozen=True, kw_only=True)
class DreamPreset:
    """A published dream."""

    title: str
    source: str
    network: str  # that it was made for
    dream: Dream
    side: int  # pixels, of the image's longer side


def suggested_layers(names: Sequence[str], count: int = 2) -> list[str]:
    """Layers about two thirds up, where patterns are things but not yet classes."""
    outputs = [name for name in names if _JOINED.search(name)]
    convolutions = [name for name in names if "conv" in name.lower()]
    candidates = outputs or convolutions or list(names)
    middle = round(0.55 * (len(candidates) - 1))
    return candidates[middle : middle + count]


def usual_dream(names: Sequence[str]) -> Dream:
    """A dream for a network that none was published for.

    Args:
        names: of its layers with maps, from the image to the answer.
    """
    layers = dict.fromkeys(suggested_layers(names, 1), 1.0)
    return Dream(layers=layers, octaves=3, steps=10, learning_rate=1.5, jitter=8)


# Where branches or shortcuts come together, in the names that families give.
_JOINED = re.compile(r"^inception_\d[a-z]$|^mixed\d+$|_(out|add|concat)$")
_POST = "aidiary 2017, keras-examples: deep_dream.py"
PRESETS = {
    "dreamy": DreamPreset(
        title="dreamy",
        source=_POST,
        network="vgg16",
        side=600,
        dream=Dream(
            layers={"block5_conv1": 0.05, "block5_conv2": 0.02},
            border=2,
            octaves=1,
            steps=5,
            continuity=0.1,
            l2=0.02,
            optimizer=LBFGS,
        ),
    ),
    "bad_trip": DreamPreset(
        title="bad trip",
        source=_POST,
        network="vgg16",
        side=600,
        dream=Dream(
            layers={"block4_conv1": 0.05, "block4_conv2": 0.01, "block4_conv3": 0.01},
            border=2,
            octaves=1,
            steps=5,
            continuity=0.1,
            l2=0.8,
            jitter=5,
            optimizer=LBFGS,
        ),
    ),
    "vgg16": DreamPreset(
        title="VGG16, octaves",
        source="this project, after Mordvintsev, Olah, Tyka 2015",
        network="vgg16",
        side=480,
        dream=Dream(
            layers={"block5_conv1": 1.0},
            octaves=4,
            steps=10,
            learning_rate=1.5,
            jitter=16,
        ),
    ),
    "keras": DreamPreset(
        title="Keras",
        source="keras.io: Deep Dream (Chollet)",
        network="inception_v3",
        side=600,
        dream=Dream(
            layers={"mixed4": 1.0, "mixed5": 1.5, "mixed6": 2.0, "mixed7": 2.5},
            border=2,
            octaves=3,
            octave_scale=1.4,
            steps=20,
            learning_rate=0.01 * 127.5,
            tile=0,
            most=15.0,
        ),
    ),
    "googlenet": DreamPreset(
        title="GoogLeNet, middle Inception modules",
        source="this project, after Mordvintsev, Olah, Tyka 2015",
        network="googlenet",
        side=480,
        dream=Dream(
            layers={"inception_4c": 1.0},
            octaves=4,
            steps=10,
            learning_rate=1.5,
            jitter=16,
        ),
    ),
}
