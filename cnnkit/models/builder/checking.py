"""Checking a definition and counting its costs, without Keras: fit for every keystroke."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit.anatomy.receptive_field import Axis, ReceptiveField, box_around, look_through
from cnnkit.anatomy.table import LayerTable
from cnnkit.errors import IncompatibleError
from cnnkit.models.builder.costs import (
    BYTES,
    detail_of,
    layer_table_of,
    macs_of,
    weights_of,
)
from cnnkit.models.builder.definition import LayerEntry, NetworkDefinition, kind_of
from cnnkit.models.builder.expansion import IMAGE, LOGITS, Expansion
from cnnkit.models.builder.keras_layers import RULES, MisfitError, PlainLayer, Shape, times
from cnnkit.models.builder.kinds import OUTPUT, add_logits

MOST_PARAMETERS = 100_000_000
MOST_MACS = 20_000_000_000  # for one image
MOST_ACTIVATIONS = 2**29  # bytes for one image
MOST_KERAS_LAYERS = 500  # Keras walks a graph by recursion


@dataclass(frozen=True, kw_only=True)
class LayerProblem:
    """What does not fit, at its layer."""

    entry: int  # number of the entry, the logits last
    name: str  # of the entry
    reason: str
    remedy: str  # what would help, beginning with a verb

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.name}: {self.reason}. {self.remedy[0].upper()}{self.remedy[1:]}."


@dataclass(frozen=True, kw_only=True)
class CheckedEntry:
    """An entry of a definition, and what it becomes."""

    entry: LayerEntry
    layers: tuple[PlainLayer, ...]  # of Keras; empty: unknown
    shape: Shape | None  # of what it gives; None: not known
    detail: str  # what it does in some words
    parameters: int
    macs: int
    activation_bytes: int  # of all its layers, for one image
    receptive_field: str  # in words; empty: not known


@dataclass(frozen=True, kw_only=True)
class CheckedDefinition:
    """A definition, checked: what every layer gives and costs, and what does not fit."""

    definition: NetworkDefinition
    entries: tuple[CheckedEntry, ...]  # the logits last
    problems: tuple[LayerProblem, ...]  # empty: Keras can build it
    advice: tuple[LayerProblem, ...]  # what can be built, and is hardly meant so
    table: LayerTable | None  # of all layers; None: there are problems

    @property
    def layers(self) -> tuple[PlainLayer, ...]:
        """Those of Keras behind the image, in the order in which they are made."""
        return tuple(itertools.chain.from_iterable(one.layers for one in self.entries))


def check_definition(definition: NetworkDefinition) -> CheckedDefinition:
    """Follow an image through a definition, in milliseconds, and without Keras."""
    walk = _Walk(definition)
    walk.run()
    problems = tuple(sorted(walk.problems, key=lambda problem: problem.entry))
    table = None if problems else layer_table_of(walk.network, walk.fields)
    if table:
        problems = tuple(_excesses(definition, walk.entries, table))
    return CheckedDefinition(
        definition=definition,
        entries=tuple(walk.entries),
        problems=problems,
        advice=tuple(_advice(definition, walk.entries)),
        table=None if problems else table,
    )


def costs_of(definition: NetworkDefinition) -> LayerTable:
    """The layer table of a definition, as `cnnkit.anatomy.layer_table` makes it of the model.

    Raises:
        IncompatibleError: it cannot be built; says at which layer, why, and what would help.
    """
    checked = check_definition(definition)
    if checked.table is None:
        raise IncompatibleError(f"{definition.title} cannot be built. {checked.problems[0]}")
    return checked.table


def expand_entry(network: Expansion, entry: LayerEntry, classes: int) -> None:
    """Add the layers of one entry.

    Raises:
        MisfitError: it cannot take what comes in.
    """
    if entry.name in network.outputs:
        raise MisfitError(f"another layer is called {entry.name!r} too", "choose another name")
    if entry.kind == OUTPUT.name:
        add_logits(network, classes, entry.values)
    else:
        kind_of(entry.kind).expand(network, entry.name, entry.values)
        network.outputs[entry.name] = network.last


class _Walk:
    """Goes through the entries as far as shapes are known, and marks what does not fit."""

    def __init__(self, definition: NetworkDefinition):
        self.definition = definition
        self.entries: list[CheckedEntry] = []
        self.problems: list[LayerProblem] = []
        self.fields: dict[str, ReceptiveField] = {}
        self.network = Expansion(itertools.repeat(0), self._realize)

    def run(self) -> None:
        self.network.add("InputLayer", IMAGE)
        known = True
        for number, entry in enumerate(self.definition.entries):
            before = len(self.network.layers)
            known = known and self._expand(number, entry)
            self.entries.append(self._checked(entry, before, known))
        self._check_names()
        self._check_sources()

    def _expand(self, number: int, entry: LayerEntry) -> bool:
        try:
            expand_entry(self.network, entry, self.definition.classes)
        except MisfitError as error:
            self._mark(number, error.reason, error.remedy)
            return False
        if len(self.network.layers) > MOST_KERAS_LAYERS:
            self._mark(
                number,
                f"blocks and layers become more than {MOST_KERAS_LAYERS} layers of Keras",
                "remove some blocks",
            )
            return False
        return True

    def _mark(self, number: int, reason: str, remedy: str) -> None:
        name = self.definition.entries[number].name
        if all(problem.entry != number for problem in self.problems):
            self.problems.append(
                LayerProblem(entry=number, name=name, reason=reason, remedy=remedy)
            )

    def _realize(self, layer: PlainLayer) -> Shape:
        if layer.kind == "InputLayer":
            self.fields[layer.name] = ReceptiveField((Axis(), Axis()))
            return self.definition.input_shape
        shapes = [self.network.shapes[name] for name in layer.inputs]
        shape = RULES[layer.kind].shape(layer.arguments, shapes)
        self.fields[layer.name] = self._field(layer, shapes[0], shape)
        return shape

    def _field(self, layer: PlainLayer, before: Shape, after: Shape) -> ReceptiveField:
        rule, seen = RULES[layer.kind], [self.fields[name] for name in layer.inputs]
        if rule.sees_all(before):
            return ReceptiveField(whole=True)
        whole = any(field.whole for field in seen)
        if rule.windows:
            windows = rule.windows(layer.arguments, before, after)
            return ReceptiveField(look_through(seen[0].axes, windows), whole)
        return ReceptiveField(box_around(seen), whole)

    def _checked(self, entry: LayerEntry, before: int, known: bool) -> CheckedEntry:
        layers = tuple(self.network.layers[before:]) if known else ()
        return CheckedEntry(
            entry=entry,
            layers=layers,
            shape=self.network.shape if known else None,
            detail=self._detail(entry, layers),
            parameters=sum(sum(weights_of(layer, self.network.shapes)) for layer in layers),
            macs=sum(macs_of(layer, self.network.shapes) for layer in layers),
            activation_bytes=sum(BYTES * math.prod(self.network.shapes[x.name]) for x in layers),
            receptive_field=self._field_words(layers),
        )

    def _field_words(self, layers: Sequence[PlainLayer]) -> str:
        if not layers:
            return ""
        field = self.fields[self.network.last]
        return "whole image" if field.whole else times(field.sizes or ())

    def _detail(self, entry: LayerEntry, layers: Sequence[PlainLayer]) -> str:
        if len(layers) == 1:
            return detail_of(layers[0], self.network.shapes)
        return kind_of(entry.kind).title.lower()

    def _check_names(self) -> None:
        """No two layers of Keras may have one name; blocks name theirs after themselves."""
        names = Counter(entry.name for entry in self.definition.layers)
        names.update((IMAGE, LOGITS))
        made = Counter(layer.name for one in self.entries for layer in one.layers)
        for number, one in enumerate(self.entries[:-1]):
            own = [one.entry.name, *(layer.name for layer in one.layers)]
            twice = [name for name in own if names[name] > 1 or made[name] > 1]
            if twice:
                self._mark(
                    number, f"another layer is called {twice[0]!r} too", "choose another name"
                )

    def _check_sources(self) -> None:
        """Of skip connections, also behind a layer that does not fit."""
        names = [entry.name for entry in self.definition.entries]
        for number, entry in enumerate(self.definition.layers):
            source = entry.values.get("source")
            if source is not None and source not in names[:number]:
                later = source in names
                reason = f"its source {source!r} " + (
                    "does not stand before it" if later else "is no layer of this network"
                )
                if not source:
                    reason = "it has no source yet"
                self.problems = [one for one in self.problems if one.entry != number]
                self._mark(number, reason, "choose the name of a layer that stands before it")


def _excesses(
    definition: NetworkDefinition, entries: Sequence[CheckedEntry], table: LayerTable
) -> list[LayerProblem]:
    """What goes beyond the bounds of every machine here, at the layer that costs most."""
    costs = (
        ([one.parameters for one in entries], table.parameters, MOST_PARAMETERS, "parameters"),
        ([one.macs for one in entries], table.macs, MOST_MACS, "MACs for one image"),
        (
            [one.activation_bytes for one in entries],
            table.activation_bytes,
            MOST_ACTIVATIONS,
            "bytes of activations for one image",
        ),
    )
    problems = []
    for values, total, most, unit in costs:
        if total > most:
            number = max(range(len(values)), key=values.__getitem__)
            problems.append(
                LayerProblem(
                    entry=number,
                    name=definition.entries[number].name,
                    reason=f"the network has {total:,} {unit}, of which {values[number]:,} are "
                    f"here; at most {most:,} are allowed",
                    remedy="use fewer filters or units, or pool before it",
                )
            )
    return problems


def _advice(definition: NetworkDefinition, entries: Sequence[CheckedEntry]) -> list[LayerProblem]:
    advice = []
    if not any(entry.kind == "Rescaling" for entry in definition.layers):
        advice.append((0, "pixels come in as 0 to 255", "put Rescaling first"))
    shape: Shape | None = definition.input_shape
    for number, one in enumerate(entries[:-1]):
        if one.entry.kind == "Dense" and shape and len(shape) == 3:
            reason = f"it weighs only the channels, at each of {times(shape[:2])} places"
            advice.append((number, reason, "put Flatten or Global average pooling before it"))
        shape = one.shape
    return [
        LayerProblem(entry=n, name=definition.entries[n].name, reason=reason, remedy=remedy)
        for n, reason, remedy in advice
    ]
