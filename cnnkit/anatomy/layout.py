"""The layout of a network's graph: sequences, branches, and the layers where it can be cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from cnnkit.anatomy.table import LayerRow, LayerTable


@dataclass(frozen=True)
class Fork:
    """Ways that begin at one place and end at one place."""

    branches: tuple[tuple[int | Fork, ...], ...]  # an empty one goes straight through
    merge: int | None  # the row where they end; None: where the fork around this one ends

    def rows(self) -> Iterator[int]:
        """Numbers of all rows inside, that of the merge last."""
        for branch in self.branches:
            yield from rows_of(branch)
        if self.merge is not None:
            yield self.merge

    @property
    def straight(self) -> bool:
        """Whether one way goes past all layers: a shortcut."""
        return () in self.branches


@dataclass(frozen=True)
class GraphLayout:
    """The way to the network's first output, and what leaves it on the way."""

    parts: tuple[int | Fork, ...]
    heads: tuple[tuple[int | Fork, ...], ...]  # ways to other outputs, such as auxiliary ones


def graph_layout(table: LayerTable) -> GraphLayout:
    """Lay out the graph of a network."""
    rows = table.rows
    main = _ancestors(rows, table.output)
    rest = [number for number in range(len(rows)) if number not in main]
    return GraphLayout(
        parts=_Layout(rows, main).series(sorted(main)),
        heads=tuple(_Layout(rows, set(group)).series(group) for group in connected(rows, rest)),
    )


def rows_of(parts: Sequence[int | Fork]) -> Iterator[int]:
    """Numbers of all rows in these parts."""
    for part in parts:
        if isinstance(part, Fork):
            yield from part.rows()
        else:
            yield part


class _Layout:
    """Cuts some rows of a network into pieces; edges to other rows do not count."""

    def __init__(self, rows: Sequence[LayerRow], within: set[int]):
        self.rows = rows
        self.readers: dict[int, set[int]] = {number: set() for number in within}
        for number in within:
            for source in self.rows[number].inputs:
                if source in within:
                    self.readers[source].add(number)

    def series(self, numbers: list[int]) -> tuple[int | Fork, ...]:
        """A piece of the graph, cut wherever everything goes through one row."""
        cuts = self._cuts(numbers)
        if not cuts and len(connected(self.rows, numbers)) == 1:
            return tuple(numbers)  # woven together: there is no way to draw it apart
        parts: list[int | Fork] = []
        begin = 0
        for cut in cuts:
            merge = numbers[cut]
            inside = numbers[begin:cut]
            past = [i for i, n in enumerate(self.rows[merge].inputs) if n not in inside]
            parts += [*self._between(inside, self.rows[merge].inputs, past, merge)]
            begin = cut + 1
        inside, last = numbers[begin:], numbers[cuts[-1]] if cuts else None
        if inside:
            read_outside = last is not None and not self.readers[last] <= set(numbers)
            parts += self._between(inside, (), [0] if read_outside else [], None)
        return tuple(parts)

    def _between(
        self, inside: list[int], joined: tuple[int, ...], past: list[int], merge: int | None
    ) -> list[int | Fork]:
        """What stands between two cuts, and the second one.

        Args:
            inside: rows between them.
            joined: rows that the second one reads, in its order.
            past: places in that order of what comes past all rows inside.
            merge: the second cut; None: it is that of the fork around this one.
        """
        end = [] if merge is None else [merge]
        if not inside:
            return list(end)
        groups = connected(self.rows, inside)
        groups.sort(
            key=lambda group: min((joined.index(n) for n in group if n in joined), default=0)
        )
        branches = [self.series(group) for group in groups]
        if past:
            branches.insert(min(past[0], len(branches)), ())
        return [*branches[0], *end] if len(branches) == 1 else [Fork(tuple(branches), merge)]

    def _cuts(self, numbers: list[int]) -> list[int]:
        """Places that no edge goes past, in any order in which the rows could be computed."""
        place = {number: i for i, number in enumerate(numbers)}
        change = [0] * (len(numbers) + 1)  # in how many edges go past, from place to place
        for i, number in enumerate(numbers):
            begin = min((place.get(source, -1) for source in self.rows[number].inputs), default=-1)
            change[begin + 1] += 1
            change[i] -= 1
            readers = self.readers[number]
            if not readers or not readers <= place.keys():  # it is read after all of them
                change[i + 1] += 1
                change[len(numbers)] -= 1
        return [i for i, passing in enumerate(accumulate(change[:-1])) if passing == 0]


def connected(rows: Sequence[LayerRow], numbers: list[int]) -> list[list[int]]:
    """Groups of rows that read from each other, each in order, by their first row."""
    group = {number: number for number in numbers}

    def first(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for number in numbers:
        for source in rows[number].inputs:
            if source in group:
                one, other = sorted((first(source), first(number)))
                group[other] = one
    groups: dict[int, list[int]] = {}
    for number in numbers:
        groups.setdefault(first(number), []).append(number)
    return list(groups.values())


def _ancestors(rows: Sequence[LayerRow], output: int) -> set[int]:
    ancestors, waiting = set(), [output]
    while waiting:
        number = waiting.pop()
        if number not in ancestors:
            ancestors.add(number)
            waiting += rows[number].inputs
    return ancestors


def cut_points(rows: Sequence[LayerRow]) -> list[int]:
    """Numbers of the rows that no way around exists for, the image's own among them.

    What stands behind such a row reads from nothing before it. Layers within nested
    networks are no cuts: from outside they cannot be reached.

    Args:
        rows: of `layer_table`, each after those that it reads from.
    """
    cuts = []
    furthest = 0  # the last row that reads from anything before this one
    readers = _last_readers(rows)
    for number, row in enumerate(rows):
        if furthest <= number and "/" not in row.name and row.outputs == 1:
            cuts.append(number)
        furthest = max(furthest, readers[number])
    return cuts


def _last_readers(rows: Sequence[LayerRow]) -> list[int]:
    last = list(range(len(rows)))
    for number, row in enumerate(rows):
        for source in row.inputs:
            last[source] = number
    return last
