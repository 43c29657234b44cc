"""Published settings of activation maximization, as data.

    plan = presets.get("post_total_variation").plan(class_logit(65))

Where a program's own recipe cannot be said in these terms, `differs` says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnnkit.errors import UnknownNameError
from cnnkit.visualize import optimizers, parametrizations, regularizers, transforms
from cnnkit.visualize.components import Component, Objective, Term
from cnnkit.visualize.plan import Plan, noise
from cnnkit.visualize.registry import (
    IMAGE_REGULARIZER,
    REGULARIZER,
    TRANSFORM,
    definition,
    definitions,
)
from cnnkit.visualize.regularizers import anisotropic_variation, lp_norm, total_variation


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Everything of a plan but its objective."""

    name: str
    title: str  # shown to people
    source: str  # author and title
    steps: int
    penalties: Objective | None = None  # added to the objective; weights are negative
    probability: bool = False  # classes after softmax, not before
    lead: float = 0.0  # weight of a class's lead over all others, beside its logit
    parametrization: Component = field(default_factory=parametrizations.pixels)
    start: Component = field(default_factory=noise)
    transforms: tuple[Component, ...] = ()
    optimizer: Component = field(default_factory=optimizers.rmsprop)
    regularizers: tuple[Component, ...] = ()
    made_for: int | None = None  # pixels a side; other sizes get moves and penalties to match
    differs: str = ""  # from the original, in one sentence
    penalized_from: int = 0  # pixels of a receptive field; see `for_field`

    def plan(self, objective: Objective, **changes) -> Plan:
        """A plan that maximizes an objective this way.

        Args:
            objective: what to maximize.
            **changes: fields of `Plan`, such as `images=16` or `seed=1`.
        """
        if self.probability:
            objective = Objective(tuple((w, _after_softmax(t)) for w, t in objective.terms))
        whole = objective + _leads(objective, self.lead)
        whole = whole if self.penalties is None else whole + self.penalties
        own = {name: getattr(self, name) for name in _SHARED}
        plan = Plan(objective=whole, **(own | changes))
        return plan if self.made_for is None else _fitted(plan, self.made_for)

    def for_field(self, field: Sequence[int] | None) -> Preset:
        """The same without penalties where a unit sees so little that they would hide its pattern.

        Args:
            field: receptive field of the units in pixels; None: not known.
        """
        small = field is not None and max(field) < self.penalized_from
        return dataclasses.replace(self, penalties=None) if small else self


def _fitted(plan: Plan, made_for: int) -> Plan:
    """Borders and moves for smaller images, and penalties with as much weight a pixel."""
    if plan.size is None:
        return plan
    share = min(plan.size) / made_for
    parts = tuple(_smaller(part, min(1.0, share)) for part in plan.transforms)
    # Two digits: a slider shows them.
    terms = tuple(
        (float(f"{w * share**2:.2g}") if t.of_image else w, t) for w, t in plan.objective.terms
    )
    return dataclasses.replace(plan, transforms=parts, objective=Objective(terms))


def _smaller(part: Component, share: float) -> Component:
    """A transform whose pixels are a share of what they were, at least 1."""

    def smaller(values: Mapping) -> dict:
        number = type(values["pixels"])
        return {**values, "pixels": number(max(1, round(values["pixels"] * share)))}

    if "pixels" in part.numbers:
        return dataclasses.replace(part, numbers=smaller(part.numbers))
    if "pixels" in part.options:
        return dataclasses.replace(part, options=smaller(part.options))
    return part


class UnknownPresetError(UnknownNameError):
    """No preset has this name."""

    kind = "preset"


def names() -> list[str]:
    """All presets, in the order in which they were published."""
    return list(PRESETS)


def get(name: str) -> Preset:
    """A preset by its name.

    Raises:
        UnknownPresetError: lists those there are.
    """
    if name not in PRESETS:
        raise UnknownPresetError(name, PRESETS)
    return PRESETS[name]


def completed(plan: Plan) -> Plan:
    """The same plan with every registered regularizer and transform, those it lacks at strength 0.

    So any of them can be turned up while it runs, without compiling anything again.
    """
    kinds = {term.kind for _, term in plan.objective.terms}
    objective = plan.objective
    for one in definitions(REGULARIZER):
        if one.kind not in kinds:
            objective = objective - 0 * one.term("")
    on_image = plan.parametrization.kind == "pixels"
    on_image &= plan.parametrization.options["bounds"] != "sigmoid"
    return dataclasses.replace(
        plan,
        objective=objective,
        transforms=_with_neutral(TRANSFORM, plan.transforms),
        regularizers=_with_neutral(IMAGE_REGULARIZER, plan.regularizers) if on_image else (),
    )


def _with_neutral(role: str, parts: tuple[Component, ...]) -> tuple[Component, ...]:
    """Neutral components before the first crop, which has to be the last."""
    kinds = {part.kind for part in parts}
    neutral = [one.neutral() for one in definitions(role) if one.sliders and one.kind not in kinds]
    crops = (n for n, part in enumerate(parts) if definition(part.kind).grows < 0)
    place = next(crops, len(parts))
    return (*parts[:place], *neutral, *parts[place:])


def _after_softmax(term: Term) -> Term:
    if term.kind != "class_logit":
        return term
    return dataclasses.replace(term, kind="class_probability")


def _leads(objective: Objective, weight: float) -> Objective:
    """For each target class, its margin over all others."""
    classes = [(w, t) for w, t in objective.terms if weight and t.kind == "class_logit"]
    leads = ((weight * w, dataclasses.replace(t, kind="class_margin")) for w, t in classes)
    return Objective(tuple(leads))


OURS = "this project"
_SHARED = ("steps", "parametrization", "start", "transforms", "optimizer", "regularizers")
_POST = "aidiary 2017, Visualizing convolutional neural networks (in Japanese)"
_YOSINSKI = (
    "Yosinski et al. 2015, Understanding Neural Networks Through Deep Visualization, table 1"
)
_LUCID_TRANSFORMS = (
    transforms.pad(12),
    transforms.jitter(8),
    transforms.scale(0.9, 1.1),
    transforms.rotate(10),
    transforms.jitter(4),
    transforms.crop(12),
)


def _post(name: str, title: str, penalties: Objective | None, probability: bool = False) -> Preset:
    return Preset(
        name=name,
        title=title,
        source=_POST,
        steps=1000,
        penalties=penalties,
        probability=probability,
        start=noise(20.0, 128.0),
        optimizer=optimizers.rmsprop(1.0, decay=0.95, normalized="rms"),
        differs="The original feeds pixels around 128 to a network that expects the mean color "
        "taken away; ours takes it away inside the network.",
    )


def _yosinski(number: int, steps: int, *after: Component) -> Preset:
    return Preset(
        name=f"yosinski_{number}",
        title=f"Yosinski {number}",
        source=_YOSINSKI,
        steps=steps,
        start=noise(10.0, 127.5, "normal"),
        optimizer=optimizers.sgd(100.0, normalized="none"),
        regularizers=after,
        differs="Gray is (127.5, 127.5, 127.5) instead of ImageNet's mean color.",
    )


PRESETS = {
    preset.name: preset
    for preset in (
        _post("post_naive", "The post: softmax, nothing else", None, probability=True),
        _post("post_linear", "The post: before softmax", None),
        _post("post_lp", "The post: + Lp norm", -10 * lp_norm(6)),
        _post(
            "post_total_variation",
            "The post: + Lp norm + total variation",
            -10 * lp_norm(6) - 10 * total_variation(2),
        ),
        _yosinski(1, 500, regularizers.blur(0.5, 4), regularizers.clip_norm(50)),
        _yosinski(2, 750, regularizers.decay(0.3), regularizers.clip_norm(20)),
        _yosinski(3, 1000, regularizers.decay(0.0001), regularizers.blur(1.0, 4)),
        _yosinski(4, 1000, regularizers.blur(0.5, 4), regularizers.clip_contribution(90)),
        Preset(
            name="keras_vis",
            title="keras-vis",
            source="Kotikalapudi et al. 2017, keras-vis, visualize_activation",
            steps=200,
            penalties=-10 * lp_norm(6) - 10 * total_variation(2),
            start=noise(12.75, 127.5, "normal"),
            optimizer=optimizers.rmsprop(1.0, decay=0.95, normalized="l2"),
            differs="The original returns the image of the lowest loss, this the last one.",
        ),
        Preset(
            name="lucid",
            title="lucid",
            source="Olah, Mordvintsev, Schubert 2017, Feature Visualization",
            steps=512,
            parametrization=parametrizations.fourier(),
            start=noise(0.01, shape="stored"),
            transforms=_LUCID_TRANSFORMS,
            optimizer=optimizers.adam(0.05),
            differs="Jitter wraps around instead of cropping; scales and angles are drawn evenly, "
            "and angle 0 not more often than others.",
        ),
        Preset(
            name="tf_keras_vis",
            title="tf-keras-vis",
            source="Kubota et al. 2020, tf-keras-vis, ActivationMaximization",
            steps=200,
            penalties=-1 * anisotropic_variation() - 0.3 * lp_norm(1),
            start=noise(255.0, 127.5),
            parametrization=parametrizations.pixels(bounds="clip"),
            transforms=(transforms.jitter(4), transforms.rotate(1)),
            optimizer=optimizers.rmsprop(1.0, decay=0.999, normalized="none"),
        ),
        Preset(
            name="quick",
            title="Quick and clear",
            source=OURS,
            made_for=224,
            steps=64,
            penalties=-0.1 * total_variation(2),
            parametrization=parametrizations.pixels(bounds="clip"),
            start=noise(20.0, 128.0),
            transforms=(transforms.jitter(8),),
            optimizer=optimizers.adam(4.0),
        ),
        Preset(
            name="all",
            title="Everything together",
            source=OURS,
            made_for=224,
            steps=192,
            lead=3.0,
            penalties=-0.01 * total_variation(2),
            parametrization=parametrizations.fourier(),
            start=noise(0.01, shape="stored"),
            transforms=_LUCID_TRANSFORMS,
            optimizer=optimizers.adam(0.05),
        ),
        # Activations of VGG's deep layers are some hundreds: it takes that weight to smooth images.
        # Those of its first layers are small, and edges are all that they respond to.
        # docs/mosaics.md has what each choice is worth.
        Preset(
            name="vgg_filters",
            title="Filters of VGG",
            source=OURS,
            steps=48,
            penalties=-0.08 * total_variation(2),
            parametrization=parametrizations.fourier(decay=1.25),
            start=noise(0.01, shape="stored"),
            transforms=_LUCID_TRANSFORMS,
            optimizer=optimizers.adam(0.08, beta_2=0.99),
            penalized_from=60,
        ),
    )
}


# The regularizer ladder

LADDER_STEPS = 192  # with half as many, a smooth image has not yet reached its logit
LADDER_LP = -3000 * lp_norm(6)
LADDER_VARIATION = 0.07  # its weight
# Where less of it leaves more of the logit, and still a fifth of the variation.
LADDER_VARIATION_OF = {"googlenet": 0.04, "mobilenet_v2": 0.017}
# Adam whose second moment forgets the gradients of the noise: they are large, and shorten every
# later step.
LADDER_BETA_2 = 0.99
LADDER_TRANSFORMS = (transforms.jitter(8), transforms.scale(0.95, 1.05), transforms.rotate(5))


def _ladder_preset(name: str, title: str, penalties: Objective | None = None, **how: Any) -> Preset:
    return Preset(
        name=name,
        title=title,
        source="this project, after aidiary 2017",
        made_for=224,
        steps=LADDER_STEPS,
        penalties=penalties,
        **(_PLAIN | how),
    )


_PLAIN: dict[str, Any] = {
    "parametrization": parametrizations.pixels(bounds="clip"),
    "start": noise(20.0, 128.0),
    "optimizer": optimizers.adam(4.0, beta_2=LADDER_BETA_2),
}
_WAVES: dict[str, Any] = {
    "parametrization": parametrizations.fourier(),
    "start": noise(0.01, shape="stored"),
    "optimizer": optimizers.adam(0.05, beta_2=LADDER_BETA_2),
}


def regularizer_ladder(steps: int = LADDER_STEPS, network: str = "") -> tuple[Preset, ...]:
    """A regularizer ladder: one unit, one seed, and each preset adds one thing.

    All take as many steps of the same optimizer; those that store a spectrum take them in its
    own units.

    Args:
        steps: of each preset.
        network: registered name; it decides how heavily total variation weighs.
    """
    variation = -LADDER_VARIATION_OF.get(network, LADDER_VARIATION) * total_variation(2)
    both = LADDER_LP + variation
    ladder = (
        _ladder_preset("softmax", "Softmax probability", probability=True),
        _ladder_preset("linear", "Logit"),
        _ladder_preset("lp", "Logit + Lp norm", LADDER_LP),
        _ladder_preset("variation", "Logit + TV", variation),
        _ladder_preset("both", "Logit + Lp + TV", both),
        _ladder_preset("jitter", "Lp + TV + jitter", both, transforms=LADDER_TRANSFORMS[:1]),
        _ladder_preset("moves", "Lp + TV + all transforms", both, transforms=LADDER_TRANSFORMS),
        _ladder_preset("fourier", "Fourier basis", **_WAVES),
        _ladder_preset(
            "all",
            "Fourier + TV + transforms",
            -0.01 * total_variation(2),
            transforms=LADDER_TRANSFORMS,
            **_WAVES,
        ),
    )
    return tuple(dataclasses.replace(preset, steps=steps) for preset in ladder)
