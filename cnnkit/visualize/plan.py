"""`Plan`: everything that determines an image, as data."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from cnnkit.errors import did_you_mean
from cnnkit.visualize.components import (
    Component,
    Number,
    Objective,
    Term,
    current_name,
    number_text,
)
from cnnkit.visualize.optimizers import rmsprop
from cnnkit.visualize.parametrizations import pixels
from cnnkit.visualize.registry import definition

MOST_IMAGES = 64
LARGEST_SIDE = 2048
FEWEST_PIXELS = 4
SINGLE = ("parametrization", "optimizer", "start")
SEVERAL = ("transforms", "regularizers")
SECTIONS = ("objective", *SEVERAL)
_OLD_SECTIONS = {"terms": "objective", "operators": "regularizers", "transforms": "transforms"}


def noise(spread: float = 20.0, center: float = 128.0, shape: str = "uniform") -> Component:
    """The image to begin with: noise, of its own for each image of a batch.

    Args:
        spread: width of the even distribution, or standard deviation of the normal one; in
            gray levels. For "stored", the standard deviation of what is stored.
        center: gray level; not used for "stored".
        shape: "uniform", "normal", or "stored" for a spectrum.
    """
    return Component("noise", {"spread": float(spread), "center": float(center)}, {"shape": shape})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to maximize and how. Equal plans of one network give equal images.

    Args:
        objective: the weighted sum that is maximized.
        size: (height, width) of the image; None: the network's own.
        images: how many at once, 1 to 64.
        steps: at most so many.
        parametrization: how the image is stored.
        start: the noise it begins with.
        transforms: random transforms before the network sees it, in order.
        optimizer: how a gradient becomes a step.
        regularizers: operations on the image after each step; pixels only.
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
    regularizers: tuple[Component, ...] = ()
    seed: int = 0

    def __post_init__(self):
        """Refuse what cannot work."""
        if not isinstance(self.objective, Objective):
            raise TypeError(
                "`objective` must be an objective, such as class_logit(65). "
                f"Received: {self.objective!r}."
            )
        if not self.objective.terms:
            raise ValueError("`objective` has no term: name a target, as in class_logit(65).")
        if not 1 <= self.images <= MOST_IMAGES:
            raise ValueError(f"`images` must be 1 to {MOST_IMAGES}. Received: {self.images}.")
        if self.steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: {self.steps}.")
        if self.size and not all(FEWEST_PIXELS <= side <= LARGEST_SIDE for side in self.size):
            raise ValueError(
                f"`size` must be {FEWEST_PIXELS} to {LARGEST_SIDE} pixels a side. "
                f"Received: {self.size}."
            )
        if self.regularizers and self.parametrization.kind != "pixels":
            raise ValueError(
                "`regularizers` change pixels; with another parametrization there must be none. "
                f"Received: {', '.join(map(str, self.regularizers))}."
            )
        for _, term in self.objective.terms:
            units = term.numbers.get("unit", ())
            if isinstance(units, tuple) and len(units) not in (0, 1, self.images):
                raise ValueError(
                    f"{term} names {len(units)} units for {self.images} images: give one, or "
                    "one for each."
                )

    # Steerable numbers

    def names(self, section: str) -> list[str]:
        """Stable names of a section's components: "objective.lp_norm", a second "…lp_norm_2".

        Args:
            section: "objective", "transforms" or "regularizers".
        """
        seen: Counter[str] = Counter()
        names = []
        for part in self._components(section):
            seen[part.kind] += 1
            count = seen[part.kind]
            names.append(f"{section}.{part.kind}" + (f"_{count}" if count > 1 else ""))
        return names

    def numbers(self) -> dict[str, Number]:
        """All of them by name: "objective.lp_norm.weight", "optimizer.learning_rate"."""
        weights = zip(self.names("objective"), self.objective.terms, strict=True)
        numbers: dict[str, Number] = {f"{name}.weight": float(w) for name, (w, _) in weights}
        for name, part in self._named_components():
            numbers |= {f"{name}.{number}": value for number, value in part.numbers.items()}
        return numbers

    def kinds(self) -> dict[str, tuple[str, str]]:
        """Name of a number → kind of its component, and the number's name within it."""
        return {
            f"{name}.{number}": (part.kind, number)
            for name, part in self._named_components()
            for number in (*("weight",) * isinstance(part, Term), *part.numbers)
        }

    def turned(self, numbers: Mapping[str, Number]) -> Plan:
        """The plan with some of its numbers changed.

        Args:
            numbers: by name, see `numbers`. Older names such as "terms/1/weight" are read too.

        Raises:
            ValueError: there is no such number; lists those there are.
        """
        options = self.optimizer.options
        settings = {f"optimizer.{n}": v for n, v in options.items() if isinstance(v, float)}
        before = self.numbers() | settings
        changed = {self._current_name(name): value for name, value in numbers.items()}
        for name in changed.keys() - before:
            near = did_you_mean(name, before)
            raise ValueError(
                f"No number {name!r} in this plan.{near} There are: {', '.join(before)}."
            )
        new = before | {n: _checked(n, value, before[n]) for n, value in changed.items()}
        sections = {
            section: tuple(
                _with_numbers(part, f"{name}.", new)
                for name, part in zip(self.names(section), self._components(section), strict=True)
            )
            for section in SECTIONS
        }
        weights = [_single(new[f"{name}.weight"]) for name in self.names("objective")]
        terms = tuple(zip(weights, sections.pop("objective"), strict=True))
        options = {**options, **{n: new.get(f"optimizer.{n}", v) for n, v in options.items()}}
        optimizer = dataclasses.replace(self.optimizer, options=options)
        optimizer = _with_numbers(optimizer, "optimizer.", new)
        return dataclasses.replace(
            self, objective=Objective(terms), optimizer=optimizer, **sections
        )

    def shape(self) -> str:
        """What must be compiled again when it changes; numbers, steps, seed and start do not."""
        parts = [*(part for section in SECTIONS for part in self._components(section))]
        shapes = [part.shape() for part in (self.parametrization, self.optimizer, *parts)]
        return json.dumps([self.size, self.images, shapes])

    def _components(self, section: str) -> tuple[Component, ...]:
        if section == "objective":
            return tuple(term for _, term in self.objective.terms)
        return getattr(self, section)

    def _named_components(self) -> list[tuple[str, Component]]:
        """Those with numbers."""
        named = [zip(self.names(s), self._components(s), strict=True) for s in SECTIONS]
        return [*itertools.chain(*named), ("optimizer", self.optimizer)]

    def _current_name(self, name: str) -> str:
        """Of an older version's "terms/1/weight" or "operators/0/width" the name it has now."""
        section, _, rest = name.partition("/")
        if section == "optimizer":
            return f"optimizer.{rest}"
        place, _, number = rest.partition("/")
        names = self.names(_OLD_SECTIONS[section]) if section in _OLD_SECTIONS else []
        if not place.isdecimal() or int(place) >= len(names):
            return name
        return f"{names[int(place)]}.{current_name(number)}"

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
        """The inverse of `to_dict`. Reads plans of older versions too."""
        after = values["regularizers"] if "regularizers" in values else values["operators"]
        return cls(
            objective=Objective.from_list(values["objective"]),
            size=tuple(values["size"]) if values.get("size") else None,
            images=int(values["images"] if "images" in values else values["pictures"]),
            steps=int(values["steps"]),
            parametrization=Component.from_dict(values["parametrization"]),
            optimizer=_optimizer(values["optimizer"]),
            start=Component.from_dict(values["start"]),
            transforms=tuple(map(Component.from_dict, values["transforms"])),
            regularizers=tuple(map(Component.from_dict, after)),
            seed=int(values["seed"]),
        )

    def to_json(self) -> str:
        """One line; equal plans give equal lines."""
        return json.dumps(self.to_dict(), sort_keys=True)

    def __str__(self) -> str:
        """The objective and the settings, on a few lines."""
        size = "×".join(map(number_text, self.size)) if self.size else "the network's size"
        lines = [
            f"maximize {self.objective}",
            f"{self.images} of {size}, {self.steps} steps of {self.optimizer}",
            f"stored as {self.parametrization}, from {self.start}, seed {self.seed}",
        ]
        if self.transforms:
            lines.append(f"transforms {', '.join(map(str, self.transforms))}")
        if self.regularizers:
            lines.append(f"after each step {', '.join(map(str, self.regularizers))}")
        return "\n".join(lines)


def _optimizer(values: Mapping[str, Any]) -> Component:
    """Of an older plan too, whose numbers were all settings but `normalized`."""
    stored = Component.from_dict(values)
    return definition(stored.kind).component(**stored.numbers, **stored.options)


def _checked(name: str, value: Any, before: Number) -> Number:
    """A number in the form that it had: units are several, even if there is one."""
    several = isinstance(value, list | tuple)
    entries = tuple(value) if several else (value,)
    if not entries or not all(map(_is_number, entries)):
        raise ValueError(f"{name} must be a number, or several. Received: {value!r}.")
    return tuple(map(float, entries)) if several or isinstance(before, tuple) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value)


def _single(number: Number) -> float:
    if isinstance(number, tuple):
        raise ValueError(f"A weight must be one number. Received: {number}.")
    return number


def _with_numbers(part: Any, prefix: str, numbers: Mapping[str, Number]) -> Any:
    return dataclasses.replace(
        part, numbers={name: numbers[prefix + name] for name in part.numbers}
    )


def script(network: str, plan: Plan) -> str:
    """A program that makes a plan's images, with cnnkit installed.

    `network` is written as `NetworkRef` writes it.
    """
    headline = str(plan).splitlines()[0].replace("\\", "/").replace('"', "'")
    text = json.dumps(plan.to_dict(), indent=1)
    return _SCRIPT.format(headline=headline, plan=text, network=repr(network))


_SCRIPT = '''"""Made by cnnkit: {headline}"""

import json

import numpy as np
from PIL import Image

from cnnkit.networks import NetworkRef
from cnnkit.visualize import Plan, maximize
from cnnkit.visualize.fooling import to_8bit

PLAN = json.loads("""
{plan}
""")

model = NetworkRef.parse({network}).open().model
for step in maximize(model, Plan.from_dict(PLAN)):
    values = ", ".join(f"{{name}} {{np.mean(v):.4g}}" for name, v in step.values.items())
    print(f"step {{step.number}}: {{values}}", *step.notes)
for number, image in enumerate(step.images):
    Image.fromarray(to_8bit(image).squeeze()).save(f"image-{{number}}.png")
'''
