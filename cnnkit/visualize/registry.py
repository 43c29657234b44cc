"""The registry of components: pages, command line, presets and tests read their lists here.

A component is one decorated function. The decorator carries its title and the range of each of
its numbers, the function computes it:

    @regularizer(
        title="Total variation",
        weight=log_slider(1e-4, 1e4),
        beta=Slider(0.5, 3, step=0.1, title="TV exponent β"),
    )
    def total_variation(image, beta=2.0): ...

Parameters after the tensors are the component's numbers, which can be changed while the image is
optimized. Keyword-only parameters are options, which shape the compiled step. After decoration
the name makes the component: `total_variation(2)` is an `Objective` of one term.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from cnnkit.errors import UnknownNameError
from cnnkit.visualize.components import OUTPUT, Component, Number, Objective, Term

OBJECTIVE, REGULARIZER, TRANSFORM = "objective", "regularizer", "transform"
IMAGE_REGULARIZER, OPTIMIZER = "image_regularizer", "optimizer"
# How many tensors a function takes before its numbers.
TENSORS = {OBJECTIVE: 1, REGULARIZER: 1, TRANSFORM: 2, IMAGE_REGULARIZER: 3, OPTIMIZER: 0}
DEFINITIONS: dict[str, Definition] = {}
CENTER = -1.0  # stands for the middle of a feature map, as a neuron's row or column


@dataclass(frozen=True)
class Slider:
    """The range of one number on a page.

    Args:
        low: smallest value.
        high: largest value.
        step: between two values.
        options: the values, where they are not evenly spaced.
        title: label; "": the component's own.
        neutral: where the component does nothing; None: the number's default.
    """

    low: float
    high: float
    step: float = 1.0
    options: tuple[float, ...] = ()
    title: str = ""
    neutral: float | None = None


def log_slider(low: float, high: float, title: str = "", *, zero: bool = True) -> Slider:
    """A slider over 1, 2 and 5 times each power of ten, and 0 unless `zero` is False."""
    powers = range(round(math.log10(low)), round(math.log10(high)) + 1)
    steps = [round(digit * 10.0**power, 12) for power in powers for digit in (1, 2, 5)]
    options = (0.0,) * zero + tuple(s for s in steps if low <= s <= high)
    return Slider(options[0], high, options=options, title=title)


@dataclass(frozen=True)
class Definition:
    """What is registered for one kind of component."""

    kind: str
    role: str  # OBJECTIVE, REGULARIZER, TRANSFORM, IMAGE_REGULARIZER or OPTIMIZER
    title: str
    compute: Callable[..., Any]
    sliders: Mapping[str, Slider]
    numbers: Mapping[str, Any]  # name → default; `inspect.Parameter.empty`: required
    options: Mapping[str, Any]  # name → default
    allowed: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # values of options
    per_layer: bool = False  # objectives: reads the activations of a layer, not the logits
    similarity: bool = False  # transforms: a rotation or scaling, composed with others
    grows: int = 0  # transforms: height and width grow by so many times the option `pixels`

    def component(self, *values: Any, **named: Any) -> Component:
        """A component of this kind, from values in the order of the function's parameters."""
        defaults = {**self.numbers, **self.options}
        received = dict(zip(defaults, values, strict=False)) | named
        complete = defaults | received
        if (
            len(values) > len(defaults)
            or not received.keys() <= defaults.keys()
            or any(value is _EMPTY for value in complete.values())
        ):
            expected = ", ".join(defaults) or "nothing"
            raise TypeError(f"{self.kind} takes {expected}. Received: {received}")
        for name, allowed in self.allowed.items():
            if complete[name] not in allowed:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(allowed)}. Received: {complete[name]!r}."
                )
        numbers = {name: _as_number(name, complete[name]) for name in self.numbers}
        return Component(self.kind, numbers, {name: complete[name] for name in self.options})

    def neutral(self) -> Component:
        """A component of this kind that does nothing until a number is changed."""
        changed = {n: s.neutral for n, s in self.sliders.items() if s.neutral is not None}
        return self.component(**changed)

    def term(self, layer: str, *values: Any, **named: Any) -> Objective:
        """An objective of one term, of weight 1."""
        part = self.component(*values, **named)
        return Objective(((1.0, Term(part.kind, part.numbers, part.options, layer)),))


class UnknownComponentError(UnknownNameError):
    """No component has this name."""

    kind = "component"


def definition(kind: str) -> Definition:
    """What is registered for a kind.

    Raises:
        UnknownComponentError: lists those there are.
    """
    _import_components()
    if kind not in DEFINITIONS:
        raise UnknownComponentError(kind, DEFINITIONS)
    return DEFINITIONS[kind]


def definitions(role: str) -> list[Definition]:
    """All of a role, in the order in which they are defined."""
    _import_components()
    return [one for one in DEFINITIONS.values() if one.role == role]


def objective(*, title: str, per_layer: bool = True, **sliders: Slider) -> Any:
    """Register `f(activations, *numbers, *, options) -> (images,)`.

    Args:
        title: shown to people, here and below.
        per_layer: `activations` are float32 (images, height, width, channels) or (images, units)
            of a layer, which is the first argument; False: the logits.
        **sliders: by number, here and below; `weight` is the weight of the term.
    """
    return _decorator(OBJECTIVE, title, sliders, per_layer=per_layer)


def regularizer(*, title: str, weight: Slider, **sliders: Slider) -> Callable[[Any], _Terms]:
    """Register `f(image, *numbers) -> (images,)`, a penalty that is subtracted.

    `weight` is the range of its weight, without the minus sign.
    """
    return _decorator(REGULARIZER, title, {"weight": weight, **sliders})


def transform(
    *, title: str, similarity: bool = False, grows: int = 0, **sliders: Slider | Sequence[str]
) -> Callable[[Any], _Components]:
    """Register `f(images, seed, *numbers, *, options) -> images`.

    Args:
        title: shown to people.
        similarity: the function gets the count of images instead, and returns for each a
            complex number by which coordinates are multiplied, and whether none moves.
        grows: height and width grow by so many times the option `pixels`.
        **sliders: by number; for an option its allowed values.
    """
    return _decorator(TRANSFORM, title, sliders, similarity=similarity, grows=grows)


def image_regularizer(*, title: str, **sliders: Slider) -> Callable[[Any], _Components]:
    """Register `f(images, gradient, step, *numbers) -> images`, applied after each step."""
    return _decorator(IMAGE_REGULARIZER, title, sliders)


def optimizer(*, title: str, **sliders: Slider | Sequence[str]) -> Callable[[Any], _Components]:
    """Register `f(*numbers) -> keras.optimizers.Optimizer`."""
    return _decorator(OPTIMIZER, title, sliders)


_Terms = Callable[..., Objective]
_Components = Callable[..., Component]
_EMPTY = inspect.Parameter.empty
_LAYER = inspect.Parameter("layer", inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _decorator(role: str, title: str, ranges: Mapping[str, Any], **traits: Any) -> Any:
    def register(compute: Callable[..., Any]) -> Callable[..., Any]:
        parameters = [*inspect.signature(compute).parameters.values()][TENSORS[role] :]
        by_keyword = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        by_place = {p.name: p.default for p in parameters if p.name not in by_keyword}
        sliders = {name: one for name, one in ranges.items() if isinstance(one, Slider)}
        allowed = {name: one for name, one in ranges.items() if name not in sliders}
        kind = compute.__name__
        made = Definition(
            kind, role, title, compute, sliders, by_place, by_keyword, allowed, **traits
        )
        DEFINITIONS[kind] = made

        @functools.wraps(compute)
        def create(*values: Any, **named: Any) -> Any:
            if role not in (OBJECTIVE, REGULARIZER):
                return made.component(*values, **named)
            if not made.per_layer:
                return made.term(OUTPUT, *values, **named)
            layer, *rest = (named.pop("layer"), *values) if "layer" in named else values or [""]
            if not layer or not isinstance(layer, str):
                raise TypeError(f"{kind} takes the name of a layer first. Received: {values}.")
            return made.term(layer, *rest, **named)

        # What `help` shows: the component's numbers, where the function takes tensors first.
        own = [_LAYER, *parameters] if made.per_layer else parameters
        create.__dict__["__signature__"] = inspect.Signature(own)
        create.__doc__ = _documentation(compute, made.per_layer)
        return create

    return register


def _documentation(compute: Callable[..., Any], per_layer: bool) -> str:
    """The docstring of a function, without the tensors that its component does not take."""
    lines = (inspect.getdoc(compute) or "").splitlines()
    layer = "    layer: name of the layer whose activations are read."
    lines = [layer if per_layer and line.startswith("    activations:") else line for line in lines]
    tensors = ("    activations:", "    image:", "    images:", "    seed: int32")
    return "\n".join(line for line in lines if not line.startswith(tensors))


def _as_number(name: str, value: Any) -> Number:
    if isinstance(value, str) or (value is None and name == "unit"):
        raise TypeError(f"`{name}` must be a number, or several. Received: {value!r}.")
    if value is None:
        return CENTER
    if isinstance(value, Real):
        return (float(value),) if name == "unit" else float(value)
    return tuple(float(entry) for entry in value)


def _import_components() -> None:
    """Run the decorators of all components."""
    from cnnkit.visualize import objectives, optimizers, regularizers, transforms

    del objectives, optimizers, regularizers, transforms
