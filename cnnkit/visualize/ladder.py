"""The post's story as a ladder: one unit, one seed, and on every rung one thing more.

All rungs take as many steps of the same optimiser; those that store a spectrum take them
in its own units.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnnkit.visualize.optimizers import adam
from cnnkit.visualize.parametrizations import fourier, pixels
from cnnkit.visualize.plan import noise
from cnnkit.visualize.presets import Preset
from cnnkit.visualize.terms import Objective, lp_norm, total_variation
from cnnkit.visualize.transforms import jitter, rotate, scale

STEPS = 192  # with half as many, an image held smooth has not yet come to its logit
LP = -3000 * lp_norm(6)
VARIATION = 0.07  # its weight
# Where less of it leaves more of the logit, and still a fifth of the variation.
VARIATION_OF = {"googlenet": 0.04, "mobilenet_v2": 0.017}
# Adam that forgets the noise's first slopes: they are steep, and hold up every later step.
FORGETS = 0.99
MOVES = (jitter(8), scale(0.95, 1.05), rotate(5))


def _rung(name: str, title: str, penalties: Objective | None = None, **how: Any) -> Preset:
    return Preset(
        name=name,
        title=title,
        source="this project, after aidiary 2017",
        made_for=224,
        steps=STEPS,
        penalties=penalties,
        **(_PLAIN | how),
    )


_PLAIN: dict[str, Any] = {
    "parametrization": pixels(bounds="clip"),
    "start": noise(20.0, 128.0),
    "optimizer": adam(4.0, beta_2=FORGETS),
}
_WAVES: dict[str, Any] = {
    "parametrization": fourier(),
    "start": noise(0.01, shape="stored"),
    "optimizer": adam(0.05, beta_2=FORGETS),
}


def regularizer_ladder(steps: int = STEPS, network: str = "") -> tuple[Preset, ...]:
    """The ladder, from the bottom.

    Args:
        steps: of each rung.
        network: registered name; it decides how heavily total variation weighs.
    """
    variation = -VARIATION_OF.get(network, VARIATION) * total_variation(2)
    ladder = (
        _rung("softmax", "Softmax, naively", probability=True),
        _rung("linear", "Before softmax"),
        _rung("lp", "+ Lp norm", LP),
        _rung("variation", "+ total variation", variation),
        _rung("both", "+ both", LP + variation),
        _rung("jitter", "both + jitter", LP + variation, transforms=MOVES[:1]),
        _rung("moves", "both + jitter, rotate, scale", LP + variation, transforms=MOVES),
        _rung("fourier", "Fourier", **_WAVES),
        _rung("all", "Everything", -0.01 * total_variation(2), transforms=MOVES, **_WAVES),
    )
    return tuple(replace(rung, steps=steps) for rung in ladder)
