"""`Plan`: everything that decides an image, as data."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnkit.visualize.components import Component, Number, number_text
from cnnkit.visualize.optimizers import rmsprop
from cnnkit.visualize.parametrizations import pixels
from cnnkit.visualize.terms import Objective

MOST_IMAGES = 64
LARGEST_SIDE = 2048
FEWEST_PIXELS = 4
SINGLE = ("parametrization", "optimizer", "start")
SEVERAL = ("transforms", "operators")


def noise(spread: float = 20.0, centre: float = 128.0, shape: str = "uniform") -> Component:
    """The image to begin with: noise, of its own for each image of a batch.

    Args:
        spread: width of the even distribution, or standard deviation of the normal one; in
            gray levels. A spectrum's noise is its own: there it is the standard deviation of
            what is stored, and `centre` is not used.
        centre: gray level.
        shape: "uniform", "normal", or "stored" for a spectrum.
    """
    return Component("noise", {"spread": float(spread), "centre": float(centre)}, {"shape": shape})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to excite and how. Two equal plans of one network give the same image.

    Args:
        objective: the weighted sum that is climbed.
        size: (height, width) of the image; None: the network's own.
        images: how many at once, 1 to 64.
        steps: at most so many.
        parametrization: how the image is stored.
        start: the noise it begins with.
        transforms: what it is put through before the network sees it, in their order.
        optimizer: how a gradient becomes a step.
        operators: what is done to the image after each step; pixels only.
        seed: of the noise and of the transforms.
    """

    objective: Objective
    size: tuple[int, int] | None = None
    images: int = 1
    steps: int = 256
    parametrization: Component = field(default_factory=pixels)
    start: Component = field(default_factory=noise)
    transforms: tuple[Component, ...] = ()
    optimizer: Component = field(default_factory=rmsprop)
    operators: tuple[Component, ...] = ()
    seed: int = 0

    def __post_init__(self):
        """Refuse what cannot work."""
        if not self.objective.terms:
            raise ValueError("`objective` has no term: say what to excite.")
        if not 1 <= self.images <= MOST_IMAGES:
            raise ValueError(f"`images` must be 1 to {MOST_IMAGES}. Received: {self.images}.")
        if self.steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: {self.steps}.")
        if self.size and not all(FEWEST_PIXELS <= side <= LARGEST_SIDE for side in self.size):
            raise ValueError(
                f"`size` must be {FEWEST_PIXELS} to {LARGEST_SIDE} pixels a side. "
                f"Received: {self.size}."
            )
        if self.operators and self.parametrization.kind != "pixels":
            raise ValueError(
                "`operators` change pixels; with another parametrization there must be none. "
                f"Received: {', '.join(map(str, self.operators))}."
            )
        for _, term in self.objective.terms:
            units = term.numbers.get("unit", ())
            if isinstance(units, tuple) and len(units) not in (0, 1, self.images):
                raise ValueError(
                    f"{term} names {len(units)} units for {self.images} images: give one, or "
                    "one for each."
                )

    # The numbers that can be turned while it runs

    def numbers(self) -> dict[str, Number]:
        """All of them by their path: "terms/1/weight", "terms/1/p", "optimizer/learning_rate"."""
        found: dict[str, Number] = {}
        for place, (weight, term) in enumerate(self.objective.terms):
            found[f"terms/{place}/weight"] = float(weight)
            found |= {f"terms/{place}/{name}": value for name, value in term.numbers.items()}
        found |= {f"optimizer/{name}": value for name, value in self.optimizer.numbers.items()}
        for sort in SEVERAL:
            for place, part in enumerate(getattr(self, sort)):
                found |= {f"{sort}/{place}/{name}": v for name, v in part.numbers.items()}
        return found

    def turned(self, numbers: Mapping[str, Number]) -> Plan:
        """The plan with some of its numbers changed.

        Args:
            numbers: by path, see `numbers`.

        Raises:
            ValueError: there is no such path; lists those there are.
        """
        known = self.numbers()
        for path in numbers:
            if path not in known:
                raise ValueError(f"No number {path!r} in this plan. There are: {', '.join(known)}.")
        new = known | dict(numbers)
        terms = tuple(
            (_single(new[f"terms/{n}/weight"]), _turned(term, f"terms/{n}/", new))
            for n, (_, term) in enumerate(self.objective.terms)
        )
        several = {
            sort: tuple(
                _turned(part, f"{sort}/{n}/", new) for n, part in enumerate(getattr(self, sort))
            )
            for sort in SEVERAL
        }
        optimizer = _turned(self.optimizer, "optimizer/", new)
        return dataclasses.replace(self, objective=Objective(terms), optimizer=optimizer, **several)

    def shape(self) -> str:
        """What must be compiled anew when it changes; numbers, steps, seed and start do not."""
        parts = [
            *(term.shape() for _, term in self.objective.terms),
            self.parametrization.shape(),
            self.optimizer.shape(),
            *(part.shape() for sort in SEVERAL for part in getattr(self, sort)),
        ]
        return json.dumps([self.size, self.images, parts])

    # As text

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "objective": self.objective.to_list(),
            "size": list(self.size) if self.size else None,
            "images": self.images,
            "steps": self.steps,
            **{name: getattr(self, name).to_dict() for name in SINGLE},
            **{sort: [part.to_dict() for part in getattr(self, sort)] for sort in SEVERAL},
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        """The inverse of `to_dict`."""
        return cls(
            objective=Objective.from_list(values["objective"]),
            size=tuple(values["size"]) if values.get("size") else None,
            images=int(values["images"]),
            steps=int(values["steps"]),
            parametrization=Component.from_dict(values["parametrization"]),
            optimizer=Component.from_dict(values["optimizer"]),
            start=Component.from_dict(values["start"]),
            transforms=tuple(map(Component.from_dict, values["transforms"])),
            operators=tuple(map(Component.from_dict, values["operators"])),
            seed=int(values["seed"]),
        )

    def to_json(self) -> str:
        """One line; equal plans give equal lines."""
        return json.dumps(self.to_dict(), sort_keys=True)

    def __str__(self) -> str:
        """What is climbed, and how, on a few lines."""
        size = "×".join(map(number_text, self.size)) if self.size else "the network's size"
        lines = [
            f"climb {self.objective}",
            f"{self.images} of {size}, {self.steps} steps of {self.optimizer}",
            f"stored as {self.parametrization}, from {self.start}, seed {self.seed}",
        ]
        lines += [f"put through {', '.join(map(str, self.transforms))}"] if self.transforms else []
        lines += [f"then {', '.join(map(str, self.operators))}"] if self.operators else []
        return "\n".join(lines)


def _single(number: Number) -> float:
    if isinstance(number, tuple):
        raise ValueError(f"A weight must be one number. Received: {number}.")
    return number


def _turned(part: Any, prefix: str, numbers: Mapping[str, Number]) -> Any:
    return dataclasses.replace(
        part, numbers={name: numbers[prefix + name] for name in part.numbers}
    )


def script(kind: str, name: str, plan: Plan) -> str:
    """A program that makes a plan's images, with cnnkit installed.

    Args:
        kind: of the network: "imagenet", "without_top", "untrained", "folder" or "file".
        name: of the network, or its path.
        plan: what to do.
    """
    headline = str(plan).splitlines()[0].replace("\\", "/").replace('"', "'")
    return _SCRIPT.format(
        headline=headline,
        plan=json.dumps(plan.to_dict(), indent=1),
        opening=_OPENING[kind].format(name=name),
    )


_OPENING = {
    "imagenet": "model = cnnkit.load_pretrained({name!r})",
    "untrained": "keras.utils.set_random_seed(0)\n"
    "model = cnnkit.load_pretrained({name!r}, weights=None)",
    "without_top": "model = cnnkit.models.load_without_top({name!r})",
    "folder": "model, card = cnnkit.load_model(Path({name!r}))",
    "file": "model = keras.saving.load_model({name!r})",
}

_SCRIPT = '''"""Made by cnnkit: {headline}"""

import json
from pathlib import Path

import keras
import numpy as np
from PIL import Image

import cnnkit
from cnnkit.visualize import Plan, maximize
from cnnkit.visualize.fooling import to_8bit

PLAN = json.loads("""
{plan}
""")

{opening}
for step in maximize(model, Plan.from_dict(PLAN)):
    values = ", ".join(f"{{name}} {{np.mean(v):.4g}}" for name, v in step.values.items())
    print(f"step {{step.number}}: {{values}}", *step.notes)
for number, image in enumerate(step.images):
    Image.fromarray(to_8bit(image).squeeze()).save(f"image-{{number}}.png")
'''
