"""The loop of gradient ascent, which goes on from the last finite image when a step is not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from cnnkit.errors import DivergedError, IncompatibleError
from cnnkit.visualize.components import Number
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.step import CompiledStep, CompiledSteps, State, StepValues

HALVINGS = 24  # of a step before it is given up
T = TypeVar("T")
RECOVERY = 10  # good steps after which a halved step grows again


@dataclass(frozen=True)
class OptimizationStep:
    """Values and gradient norm before a step, and the images after it."""

    number: int  # steps done, 1-based
    values: Mapping[str, np.ndarray]  # term → (images,), of the image the step began with
    gradient_norm: np.ndarray  # (images,), of the activations' terms
    learning_rate: float  # as it was asked for
    rates: np.ndarray  # (images,): what the step was multiplied by; below 1 after trouble
    notes: tuple[str, ...]  # sentences
    state: State = field(repr=False)
    _engine: CompiledStep = field(repr=False)

    @property
    def images(self) -> np.ndarray:
        """The images after the step: float32 (images, height, width, channels)."""
        return self._engine.images(self.state.stored)


class Maximization:
    """An optimization that can be steered while it runs.

    Args:
        model: Keras network, or the `CompiledSteps` of one, which remember what was compiled.
        plan: what to do.
        images: (images, height, width, channels), 0 to 255, to start from; None: noise.
        guides: name → guiding image, see `objectives.guide`.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: plan and network do not fit; says where.
    """

    def __init__(
        self,
        model: Any,
        plan: Plan,
        *,
        images: np.ndarray | None = None,
        guides: Mapping[str, np.ndarray] | None = None,
    ):
        """Start; the first step compiles."""
        engines = model if isinstance(model, CompiledSteps) else CompiledSteps(model)
        self.engine = engines.get(plan, guides)
        self.plan = plan
        self.state = self.engine.begin(plan) if images is None else self._from(images)
        self._rates = np.ones(plan.images, np.float32)
        self._good = 0

    def steer(self, numbers: Mapping[str, Number]) -> None:
        """Change numbers of the plan; the next step goes on from the current image.

        Args:
            numbers: by name, see `Plan.numbers`.

        Raises:
            ValueError: there is no such number.
            IncompatibleError: the layer has no such unit, or every weight is 0.
        """
        plan = self.plan.turned(numbers)
        if plan.shape() != self.plan.shape():
            raise ValueError(
                "Units cannot be added, nor an optimizer's settings changed, without a restart."
            )
        self.engine.check(plan)
        self.plan = plan

    def go_back(self, state: State) -> None:
        """Go on from an earlier step's state."""
        self.state = state
        self._rates[:] = 1

    def step(self) -> OptimizationStep:
        """One step of gradient ascent.

        Raises:
            DivergedError: no finite step could be made; names the terms.
        """
        new, report, notes = self._finite_step()
        dead = np.asarray(report.gradient_norm) == 0
        has_target = any(w and not t.of_image for w, t in self.plan.objective.terms)
        if has_target and dead.any():
            new, notes = self._warmed(new, dead, notes)
        self.state = new
        terms = zip(self.plan.objective.terms, np.asarray(report.values), strict=True)
        return OptimizationStep(
            number=new.number,
            values={str(term): values for (_, term), values in terms},
            gradient_norm=np.asarray(report.gradient_norm),
            learning_rate=float(self.plan.optimizer.numbers["learning_rate"]),  # pyright: ignore
            rates=self._rates.copy(),
            notes=tuple(notes),
            state=new,
            _engine=self.engine,
        )

    def _finite_step(self) -> tuple[State, StepValues, list[str]]:
        weights = self.plan.objective.weights
        notes: list[str] = []
        for _ in range(HALVINGS):
            new, report = self.engine.step(
                self.state, self.plan, weights=weights, rates=self._rates
            )
            finite = np.asarray(report.finite)
            if finite.all():
                self._good += 1
                if self._good % RECOVERY == 0:
                    self._rates[:] = np.minimum(1, 2 * self._rates)
                return new, report, notes
            self._good = 0
            broken = self.engine.nonfinite_terms(self.state, self.plan)
            broken = [n for n in broken if weights[n]]
            if broken:
                weights[broken] = 0
                notes += [
                    f"{self.plan.objective.terms[n][1]} has no finite value or gradient at this "
                    "image: it is left out of this step."
                    for n in broken
                ]
                if not weights.any():
                    break
            else:
                self._rates[~finite] /= 2
                notes[:] = [n for n in notes if not n.startswith("The step")]
                notes.append(
                    f"The step led out of the finite numbers: it is made "
                    f"{1 / self._rates.min():g} times smaller. Lower the learning rate."
                )
        raise DivergedError(
            f"Step {self.state.number + 1} cannot be made: {' '.join(notes)} Restart with another "
            "seed, or lower the weights."
        )

    def _warmed(self, cold: State, dead: np.ndarray, notes: list[str]) -> tuple[State, list[str]]:
        """The step with ReLUs that are off let through, for the images without a gradient."""
        warm, report = self.engine.step(self.state, self.plan, rates=self._rates, warm=True)
        if not np.asarray(report.finite).all():
            return cold, notes
        stored = _chosen(dead, warm.stored, cold.stored)
        remembered = tuple(
            _chosen(dead, *pair) for pair in zip(warm.remembered, cold.remembered, strict=True)
        )
        where = ", ".join(str(n + 1) for n in np.flatnonzero(dead))
        note = f"No gradient reaches image {where}: the units on the way are off or saturated; "
        if (np.asarray(report.gradient_norm)[dead] > 0).any():
            note += "their ReLUs let the gradient through."
        else:
            note += "nor does one with their ReLUs open."
        return State(cold.number, stored, remembered), [*notes, note]

    def _from(self, images: np.ndarray) -> State:
        shape = (self.plan.images, *self.engine.size, self.engine.channels)
        if images.shape != shape:
            raise IncompatibleError(
                f"The plan begins with images of {shape}. Received: {images.shape}."
            )
        return self.engine.begin_with(np.asarray(images, np.float32))


def maximize(
    model: Any,
    plan: Plan,
    *,
    images: np.ndarray | None = None,
    guides: Mapping[str, np.ndarray] | None = None,
) -> Iterator[OptimizationStep]:
    """Activation maximization, step by step.

        for step in maximize(model, Plan(objective=class_logit(65), steps=100)):
            print(step.number, step.values)
        image = step.images[0]

    Args:
        model: Keras network that takes (batch, height, width, channels), 0 to 255.
        plan: what to do.
        images: to start from; None: noise.
        guides: see `objectives.guide`.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: plan and network do not fit; says where.
        DivergedError: no finite step could be made.
    """
    running = Maximization(model, plan, images=images, guides=guides)
    for _ in range(plan.steps):
        yield running.step()


def last_of(steps: Iterable[T]) -> T:
    """The last step of `maximize` or `dream`, without holding all steps before it in memory."""
    return deque(steps, maxlen=1).pop()


def _chosen(where: np.ndarray, yes: Any, no: Any) -> Any:
    mask = tf.reshape(tf.constant(where), (-1,) + (1,) * (len(yes.shape) - 1))
    return tf.where(mask, yes, no)
