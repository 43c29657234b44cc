"""A network in the pieces that people speak of: blocks, repeated ones once, by resolution."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from cnnkit.anatomy.layout import Fork, GraphLayout, graph_layout, rows_of
from cnnkit.anatomy.table import LayerRow, LayerTable

# What a block mainly does.
KINDS = (
    "input",
    "convolution",
    "residual",  # its input is added to what its layers make of it
    "branches",  # ways side by side, concatenated
    "dense connection",  # its input is concatenated with what its layers make of it
    "gate",  # maps made stronger or weaker by what is computed from them
    "cell",  # a cell that also reads what stands before its input
    "pooling",
    "dense",
    "other",
)

_POOLING = re.compile(r"Pooling[12]D$")
# "conv2_block1", "block1a", "block_3", "inception_4a", "fire2", "stage_0_block_1": what layers
# of one block have in common at the beginning of their names.
_BLOCK = re.compile(
    r"^((?:[a-z]+_)*?(?:(?:conv|stage_?)\d+_)?"
    r"(?:block|inception|fire|mixed|module|cell|expanded_conv|auxiliary)_?\d+[a-z]?)(?=[_/]|$)"
)
CELL_INPUTS = 4  # a concatenation of so many ends a cell of a network that is woven together


@dataclass(frozen=True, kw_only=True)
class Block:
    """Layers that belong together; of equal ones in a row only the first is kept."""

    names: tuple[str, ...]  # of the block and of those that are like it
    kind: str  # one of `KINDS`
    parts: tuple[int | Fork, ...]  # of the first: rows by number, and ways side by side
    output_shape: tuple[int, ...]
    parameters: int  # of all of them together
    macs: int

    @property
    def repeats(self) -> int:
        """How many there are, one after the other."""
        return len(self.names)


@dataclass(frozen=True)
class Resolution:
    """Blocks whose maps have the same height and width."""

    size: tuple[int, ...]  # (height, width); empty for rows of numbers
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Architecture:
    """What is drawn of a network."""

    table: LayerTable
    resolutions: tuple[Resolution, ...]  # the way to the first output
    heads: tuple[Block, ...]  # ways to other outputs


def architecture(table: LayerTable) -> Architecture:
    """Group a network's layers into blocks and resolutions."""
    rows = table.rows
    laid = graph_layout(table)
    blocks = _joined(_blocks(laid, rows), rows)
    resolutions = tuple(
        Resolution(size, tuple(together)) for size, together in groupby(blocks, key=_size_of_maps)
    )
    return Architecture(table, resolutions, tuple(_block(list(head), rows) for head in laid.heads))


def blocks_in_order(table: LayerTable) -> list[Block]:
    """Each block on the way to the first output by itself, equal ones too."""
    return _blocks(graph_layout(table), table.rows)


def _blocks(laid: GraphLayout, rows: Sequence[LayerRow]) -> list[Block]:
    return [_block(group, rows) for group in _groups(laid.parts, rows)]


def _groups(parts: Sequence[int | Fork], rows: Sequence[LayerRow]) -> list[list[int | Fork]]:
    """Which parts make a block: by the names of their layers, else by what they do."""
    if _is_cell_network(parts, rows):
        return _cells(parts, rows)
    groups: list[list[int | Fork]] = []
    waiting: list[int | Fork] = []  # what belongs to the block that comes next
    name = None
    for part in parts:
        own = _block_name(part, rows)
        if own != name if own else _begins(part, rows):
            groups.append([*waiting, part])
            waiting, name = [], own
        elif not groups or _waits(part, rows) or (own is None and name):
            waiting.append(part)
        else:
            groups[-1] += [*waiting, part]
            waiting = []
    return [*groups, waiting] if waiting else groups


def _cells(parts: Sequence[int | Fork], rows: Sequence[LayerRow]) -> list[list[int | Fork]]:
    """Of a network whose cells read from several before them: up to where each is joined."""
    groups: list[list[int | Fork]] = []
    for part in parts:
        if not groups or _ends_cell(rows[_last(groups[-1])]):
            groups.append([])
        groups[-1].append(part)
    return groups


def _is_cell_network(parts: Sequence[int | Fork], rows: Sequence[LayerRow]) -> bool:
    """Whether rows with several inputs stand in one row, because nothing could be cut."""
    return any(not isinstance(part, Fork) and len(rows[part].inputs) > 1 for part in parts)


def _ends_cell(row: LayerRow) -> bool:
    joins = row.kind == "Concatenate" and len(row.inputs) >= CELL_INPUTS
    return joins or row.kind == "InputLayer"


def _last(parts: Sequence[int | Fork]) -> int:
    *_, last = rows_of(parts)
    return last


def _begins(part: int | Fork, rows: Sequence[LayerRow]) -> bool:
    """Whether something new begins: not with normalization, activation or dropout."""
    if isinstance(part, Fork):
        return True
    row = rows[part]
    return bool(row.macs) or row.kind == "InputLayer" or bool(_POOLING.search(row.kind))


def _waits(part: int | Fork, rows: Sequence[LayerRow]) -> bool:
    """Whether it prepares what comes next: padding, or laying out maps for a dense layer."""
    return not isinstance(part, Fork) and rows[part].kind in ("ZeroPadding2D", "Flatten")


def _block_name(part: int | Fork, rows: Sequence[LayerRow]) -> str | None:
    """Of the block that its layers' names speak of; None: of none. Pooling stands alone."""
    numbers = list(part.rows()) if isinstance(part, Fork) else [part]
    if len(numbers) == 1 and _POOLING.search(rows[numbers[0]].kind):
        return None
    block_numbers = [match[1] for n in numbers if (match := _BLOCK.match(rows[n].name))]
    return (
        Counter(block_numbers).most_common(1)[0][0]
        if len(block_numbers) > len(numbers) / 2
        else None
    )


def _block(parts: list[int | Fork], rows: Sequence[LayerRow]) -> Block:
    numbers = list(rows_of(parts))
    kind = _kind(parts, rows)
    return Block(
        names=(_name(parts, kind, rows),),
        kind=kind,
        parts=tuple(parts),
        output_shape=rows[_telling_end(numbers, kind, rows)].output_shape,
        parameters=sum(rows[n].parameters for n in numbers),
        macs=sum(rows[n].macs or 0 for n in numbers),
    )


def _telling_end(numbers: list[int], kind: str, rows: Sequence[LayerRow]) -> int:
    """The row whose shape is said of a block: not that of a `Flatten` behind its maps."""
    if kind == "dense":
        return numbers[-1]
    if kind == "pooling":
        return next(n for n in reversed(numbers) if _POOLING.search(rows[n].kind))
    return next((n for n in reversed(numbers) if len(rows[n].output_shape) == 3), numbers[-1])


def _name(parts: Sequence[int | Fork], kind: str, rows: Sequence[LayerRow]) -> str:
    """What its layers' names have in common, else the name of its most telling layer."""
    common = _block_name(Fork((tuple(parts),), None), rows)
    if common:
        return common
    numbers = list(rows_of(parts))
    ends = [part.merge for part in parts if isinstance(part, Fork) and part.merge is not None]
    if kind == "cell":
        ends = numbers[-1:]
    telling = [n for n in numbers if rows[n].macs or _POOLING.search(rows[n].kind)]
    return rows[[*ends, *telling, *numbers][0]].name


def _kind(parts: Sequence[int | Fork], rows: Sequence[LayerRow]) -> str:
    for part in parts:
        if isinstance(part, Fork) and part.merge is not None:
            merge = rows[part.merge].kind
            if merge == "Add":
                return "residual"
            if merge == "Concatenate":
                return "dense connection" if part.straight else "branches"
    if _is_cell_network(parts, rows):
        return "cell"
    kinds = [rows[n].kind for n in rows_of(parts)]
    for kind, belongs in (
        ("convolution", lambda k: "Conv" in k),
        ("dense", lambda k: k == "Dense"),
        ("pooling", lambda k: bool(_POOLING.search(k))),
        ("gate", lambda k: k == "Multiply"),
        ("input", lambda k: k == "InputLayer"),
    ):
        if any(map(belongs, kinds)):
            return kind
    return "other"


def _joined(blocks: Iterable[Block], rows: Sequence[LayerRow]) -> list[Block]:
    """Blocks that are alike and follow each other, as one."""
    joined = []
    for _, alike in groupby(blocks, key=lambda block: _looks(block, rows)):
        same = list(alike)
        joined.append(
            Block(
                names=tuple(block.names[0] for block in same),
                kind=same[0].kind,
                parts=same[0].parts,
                output_shape=same[-1].output_shape,
                parameters=sum(block.parameters for block in same),
                macs=sum(block.macs for block in same),
            )
        )
    return joined


def _looks(block: Block, rows: Sequence[LayerRow]) -> tuple:
    """Equal for blocks that do the same, whatever their layers are called."""
    # Of dense connections each makes the maps more by the same number: they count as alike.
    sizes = block.kind != "dense connection"

    def of(number: int | None) -> tuple | None:
        if number is None:
            return None
        row = rows[number]
        return row.kind, row.detail, row.output_shape if sizes else row.output_shape[:2]

    def of_all(parts: Sequence[int | Fork]) -> tuple:
        return tuple(
            (*map(of_all, part.branches), of(part.merge)) if isinstance(part, Fork) else of(part)
            for part in parts
        )

    return of_all(block.parts)


def _size_of_maps(block: Block) -> tuple[int, ...]:
    return block.output_shape[:2] if len(block.output_shape) == 3 else ()
