"""The registry of attribution methods: pages, command line and tests read their list here.

A method is one decorated generator. It yields how many of its batches are done, and returns maps:

    @method(title="Gradient", family=GRADIENT, reference="Simonyan et al. 2013")
    def gradient(scores, images, target): ...

After decoration the name is a `Method`: calling it runs the generator to its end.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import ExplanationError, IncompatibleError, UnknownNameError

if TYPE_CHECKING:
    from cnnkit.explain.targets import TargetLike
    from cnnkit.visualize.registry import Slider

GRADIENT, CAM, PERTURBATION = "gradient", "cam", "perturbation"
FAMILIES = {GRADIENT: "Gradients", CAM: "Class activation maps", PERTURBATION: "Perturbation"}
METHODS: dict[str, Method] = {}
INPUTS = 3  # parameters of a method before its options: scores, images, target
_INPUTS = "    scores: of the network.\n    images: to explain.\n    target: what is explained.\n"

# Annotation of an option → what it is called, and the classes of its values.
_KINDS: Mapping[str, tuple[str, Any]] = {
    "int": ("a whole number", Integral),
    "float": ("a finite number", Real),
    "bool": ("True or False", bool),
    "str": ("a name", str),
    "np.ndarray": ("an array", (np.ndarray, list, tuple)),
    "None": ("None", type(None)),
}

Maps = np.ndarray  # float32 (images, height, width)
Steps = Generator[tuple[int, int], None, Maps]  # yields (batches done, batches in all)
NO_GRADIENT = "no gradient comes through, as where every unit on the way is saturated or off"


class UnknownMethodError(UnknownNameError):
    """No attribution method has this name."""

    kind = "method"


class UnknownOptionError(UnknownNameError):
    """An attribution method has no option of this name."""

    kind = "option"


@dataclass(frozen=True, eq=False)
class Method:
    """A registered attribution method; call it for maps.

    Args:
        name: of the function.
        title: shown to people.
        family: one of `FAMILIES`.
        reference: the paper.
        compute: the generator.
        options: name → default.
        ranges: of the options on a page: a slider, or the values there are.
        signed: maps have both signs, positive where a pixel speaks for the target; else they
            are 0 or more.
        blank: why a map may be zero everywhere, the end of a sentence.
    """

    name: str
    title: str
    family: str
    reference: str
    compute: Callable[..., Steps] = field(repr=False)
    options: Mapping[str, Any]
    ranges: Mapping[str, Slider | Sequence[Any]]
    signed: bool
    blank: str

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (inspect.getdoc(self.compute) or "").partition("\n")[0]

    def __call__(
        self, model: Any, images: np.ndarray, target: TargetLike = None, **options: Any
    ) -> Maps:
        """How much each pixel speaks for a target.

        Args:
            model: Keras network of one image, functional or Sequential, flat or nested, with or
                without softmax at its end; or its `ScoreModel`.
            images: (images, height, width, channels), 0 to 255.
            target: a class, one for all images or one for each; an objective of
                `cnnkit.visualize` such as `channel("block3_conv1", 30)`; `contrast(a, b)`; None:
                the predicted class of each image. A binary head has the classes 0 and 1.
            **options: of the method.

        Returns:
            float32 (images, height, width). Not scaled.

        Raises:
            IncompatibleError: the network cannot take the images, or has no such target.
            UnknownLayerError: lists the layers there are.
            UnknownNameError: lists the options there are.
            ExplanationError: a map would be zero everywhere, or not finite; says why.
        """
        steps = self.steps(model, images, target, **options)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def steps(
        self, model: Any, images: np.ndarray, target: TargetLike = None, **options: Any
    ) -> Steps:
        """The same batch by batch: yields (batches done, batches in all), returns the maps."""
        from cnnkit.explain.scores import ScoreModel

        unknown = [name for name in options if name not in self.options]
        if unknown:
            raise UnknownOptionError(unknown[0], self.options)
        parameters = inspect.signature(self.compute).parameters
        for name, value in options.items():
            _check_option(name, value, parameters[name].annotation.split(" | "))
        scores = ScoreModel.of(model)
        images = scores.check_images(images)
        maps = yield from self.compute(scores, images, scores.target(images, target), **options)
        maps = np.asarray(maps, np.float32)
        self.check(maps)
        return maps

    def check(self, maps: Maps) -> None:
        """Refuse maps with nothing to show.

        Raises:
            ExplanationError: the first such map, and why.
        """
        for number, map_ in enumerate(maps, start=1):
            which = f" for image {number} of {len(maps)}" if len(maps) > 1 else ""
            if not np.isfinite(map_).all():
                raise ExplanationError(
                    f"{self.title} gives numbers that are not finite{which}: a weight or an "
                    "activation of the network is infinite or too large."
                )
            if not map_.any():
                raise ExplanationError(f"{self.title} is zero everywhere{which}: {self.blank}.")


def method(
    *,
    title: str,
    family: str,
    reference: str,
    signed: bool = False,
    blank: str = NO_GRADIENT,
    **ranges: Slider | Sequence[Any],
) -> Callable[[Callable[..., Steps]], Method]:
    """Register `f(scores, images, target, *, options) -> Steps`.

    Args:
        title: shown to people.
        family: one of `FAMILIES`.
        reference: the paper.
        signed: see `Method`.
        blank: see `Method`.
        **ranges: of options on a page.
    """

    def register(compute: Callable[..., Steps]) -> Method:
        parameters = list(inspect.signature(compute).parameters.values())[INPUTS:]
        options = {parameter.name: parameter.default for parameter in parameters}
        name = compute.__name__
        made = Method(name, title, family, reference, compute, options, ranges, signed, blank)
        # What `help` shows: a call takes a network, where the generator takes its scores.
        made.__dict__["__doc__"] = _documentation(compute)
        made.__dict__["__signature__"] = _signature(parameters)
        METHODS[name] = made
        return made

    return register


def _check_option(name: str, value: Any, kinds: Sequence[str]) -> None:
    """Refuse what is of none of the kinds in an option's annotation."""
    fits = any(isinstance(value, _KINDS[kind][1]) for kind in kinds)
    if isinstance(value, bool):  # which Python takes for a number
        fits = "bool" in kinds
    if isinstance(value, float) and not math.isfinite(value):
        fits = False
    if name == "seed" and fits and value < 0:
        fits = False
    if not fits:
        words = " or ".join(_KINDS[kind][0] for kind in kinds)
        least = ", at least 0" if name == "seed" else ""
        raise IncompatibleError(f"`{name}` must be {words}{least}. Received: {value!r}.")


def _documentation(compute: Callable[..., Steps]) -> str:
    """The generator's docstring with the arguments, result and errors of a call."""
    own, call = inspect.getdoc(compute) or "", inspect.getdoc(Method.__call__) or ""
    inputs = call.partition("Args:\n")[2].partition("    **options")[0]
    own = own if "Args:\n" in own else f"{own}\n\nArgs:\n{_INPUTS}".rstrip("\n")
    return f"{own}\n".replace(_INPUTS, inputs) + "\nReturns:" + call.partition("Returns:")[2]


def _signature(options: Sequence[inspect.Parameter]) -> inspect.Signature:
    """That of a call, with the options of one method in place of `**options`."""
    call = inspect.signature(Method.__call__)
    inputs = list(call.parameters.values())[1 : 1 + INPUTS]
    return call.replace(parameters=[*inputs, *options])


def list_methods() -> list[str]:
    """The names of all methods: gradients, class activation maps, perturbation."""
    _import_methods()
    # Whoever asked for one method before has imported its module first.
    return sorted(METHODS, key=lambda name: [*FAMILIES].index(METHODS[name].family))


def get_method(name: str) -> Method:
    """A method by its name.

    Raises:
        UnknownMethodError: lists those there are.
    """
    _import_methods()
    if name not in METHODS:
        raise UnknownMethodError(name, METHODS)
    return METHODS[name]


def _import_methods() -> None:
    """Run the decorators of all methods."""
    from cnnkit.explain import gradients  # isort: skip
    from cnnkit.explain import cam  # isort: skip
    from cnnkit.explain import occluding  # isort: skip

    del gradients, cam, occluding
