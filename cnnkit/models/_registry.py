"""One record per network, and the one door to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import CnnkitError, IncompatibleError, InvalidRecipeError, UnknownModelError
from cnnkit.models.builder import NetworkDefinition, build_definition, check_definition, is_code

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Option:
    """One thing about a network that may be chosen."""

    name: str  # keyword of the builder
    title: str  # shown to people
    default: Any  # the published value
    choices: tuple[Any, ...] = ()  # all that is allowed, or
    range: tuple[float, float] | None = None  # the least and the largest value

    def check(self, value: Any) -> None:
        """Accept a value or say what would work.

        Raises:
            InvalidRecipeError: the value cannot be used.
        """
        if self.range is None:
            if value not in self.choices:
                raise InvalidRecipeError(
                    f"{self.name} must be one of {', '.join(map(str, self.choices))}. "
                    f"Received: {value!r}."
                )
            return
        low, high = self.range
        if not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidRecipeError(
                f"{self.name} must be a number from {low:g} to {high:g}. Received: {value!r}."
            )


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What can be known about a network without building it."""

    name: str  # identifier
    title: str  # shown to people
    description: str  # one sentence
    input_shape: tuple[int, int, int]  # (height, width, channels), as published
    classes: int  # as published
    parameters: int  # as published, with the default options; of classics those that learn
    paper: str  # authors and title
    group: str  # one of GROUPS
    options: tuple[Option, ...]
    build: Callable[..., keras.Model]  # build(input_shape, classes, seeds, **options)
    not_trainable: int = 0  # of the parameters: statistics of batch normalization

    @property
    def trainable(self) -> int:
        """Parameters that training changes, as published."""
        return self.parameters - self.not_trainable


# What a network is here for: to be trained on digits or on photos, or to be read beside its paper.
GROUPS = ("digits", "photos", "classic")

_MODELS: dict[str, ModelSpec] = {}


def register_model(
    *,
    title: str,
    description: str,
    paper: str,
    parameters: int,
    not_trainable: int = 0,
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    group: str = "digits",
    options: tuple[Option, ...] = (),
) -> Callable[[Callable[..., keras.Model]], Callable[..., keras.Model]]:
    """Register the decorated builder under its own name."""
    if group not in GROUPS:
        raise ValueError(f"`group` must be one of {', '.join(GROUPS)}. Received: {group!r}.")

    def register(build: Callable[..., keras.Model]) -> Callable[..., keras.Model]:
        name = build.__name__
        if name in _MODELS:
            raise ValueError(
                f"Model {name!r} is already registered by {_MODELS[name].build.__module__}."
            )
        _MODELS[name] = ModelSpec(
            name=name,
            title=title,
            description=description,
            input_shape=input_shape,
            classes=classes,
            parameters=parameters,
            paper=paper,
            group=group,
            options=options,
            build=build,
            not_trainable=not_trainable,
        )
        return build

    return register


def list_models(group: str | None = None) -> list[str]:
    """Registered names, `b2` before `b10`.

    Args:
        group: "digits" and "photos" for those with recipes for such images, "classic"
            for those that are built as their papers say; None: all.
    """
    names = [name for name, spec in _MODELS.items() if group in (None, spec.group)]
    return sorted(names, key=natural_order)


def natural_order(name: str) -> list[str | int]:
    """Key that sorts numbers inside names as numbers."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def model_info(name: str) -> ModelSpec:
    """What is known about a network without building it.

    Args:
        name: registered name, or a definition in the form of an address.

    Raises:
        UnknownModelError: lists the names that exist.
        InvalidDefinitionError: the definition cannot be read.
    """
    if is_code(name):
        return _spec_of_definition(name)
    if name not in _MODELS:
        raise UnknownModelError(name, _MODELS)
    return _MODELS[name]


def create_model(
    name: str,
    *,
    input_shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
    seed: int = 0,
    **options: Any,
) -> keras.Model:
    """Build a network with its published initialization.

    Args:
        name: registered name, or a definition in the form of an address
            (`NetworkDefinition.code`).
        input_shape: (height, width, channels); None: as published.
        classes: number of logits; None: as published.
        seed: of every initial weight and of dropout: equal seeds, equal networks.
        **options: the network's own, see `model_info(name).options`.

    Returns:
        A model from (batch, height, width, channels), 0 to 255, to float32 logits
        (batch, classes).

    Raises:
        UnknownModelError: lists the names that exist.
        InvalidRecipeError: an option is unknown, or an argument has a value that cannot work.
        IncompatibleError: the images are too small for the network, or its layers do not fit.
    """
    spec = model_info(name)
    option_of = {option.name: option for option in spec.options}
    for key, value in options.items():
        if key not in option_of:
            raise InvalidRecipeError(
                f"{spec.title} has no option {key!r}. It has: {', '.join(option_of) or 'none'}."
            )
        option_of[key].check(value)
    shape = spec.input_shape if input_shape is None else _checked_shape(input_shape)
    _check_whole("classes", spec.classes if classes is None else classes, 1)
    _check_whole("seed", seed, 0)
    values = {option.name: option.default for option in spec.options} | options
    try:
        return spec.build(shape, classes or spec.classes, seeds(seed), **values)
    except CnnkitError:
        raise
    except ValueError as error:
        # Keras's own words for a layer with no pixels left are about tensors, not images.
        raise IncompatibleError(
            f"{spec.title} cannot be built for images of {shape}; it was published for "
            f"{spec.input_shape}."
        ) from error


def _checked_shape(shape: Any) -> tuple[int, int, int]:
    if not isinstance(shape, Sequence) or isinstance(shape, str) or len(shape) != 3:
        raise InvalidRecipeError(
            f"input_shape must be (height, width, channels). Received: {shape!r}."
        )
    for name, side in zip(("height", "width", "channels"), shape, strict=True):
        _check_whole(f"input_shape: {name}", side, 1)
    height, width, channels = shape
    return int(height), int(width), int(channels)


def _check_whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise InvalidRecipeError(
            f"{name} must be a whole number, at least {least}. Received: {value!r}."
        )


@lru_cache(maxsize=256)
def _spec_of_definition(code: str) -> ModelSpec:
    definition = NetworkDefinition.from_code(code)
    table = check_definition(definition).table
    return ModelSpec(
        name=definition.code,
        title=definition.title,
        description=f"{len(definition.entries)} layers and blocks, put together by hand.",
        input_shape=definition.input_shape,
        classes=definition.classes,
        parameters=table.parameters if table else 0,
        not_trainable=table.parameters - table.trainable if table else 0,
        paper="a definition of your own",
        group="digits",
        options=(),
        build=partial(_build_definition, definition),
    )


def _build_definition(
    definition: NetworkDefinition,
    input_shape: tuple[int, int, int],
    classes: int,
    seeds: Iterator[int],
) -> keras.Model:
    return build_definition(definition.on(input_shape, classes), seeds)


def seeds(seed: int) -> Iterator[int]:
    """Endless different seeds for initializers and dropout, the same for the same `seed`."""
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31))
