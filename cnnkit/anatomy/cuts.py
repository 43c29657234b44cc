"""Where a network can be cut in two: places that everything has to go through."""

from __future__ import annotations

from collections.abc import Sequence

from cnnkit.anatomy.rows import LayerRow


def cuts(rows: Sequence[LayerRow]) -> list[int]:
    """Numbers of the rows that no way around exists for, the image's own among them.

    What stands behind such a row reads from nothing before it. Layers within nested
    networks are no cuts: from outside they cannot be reached.

    Args:
        rows: of `dissect`, each after those that it reads from.
    """
    found = []
    furthest = 0  # the last row that reads from anything before this one
    readers = _last_readers(rows)
    for number, row in enumerate(rows):
        if furthest <= number and "/" not in row.name and row.outputs == 1:
            found.append(number)
        furthest = max(furthest, readers[number])
    return found


def _last_readers(rows: Sequence[LayerRow]) -> list[int]:
    last = list(range(len(rows)))
    for number, row in enumerate(rows):
        for source in row.inputs:
            last[source] = number
    return last
