"""A table that says the class of each file, whatever its columns are called."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from cnnkit.datasets.folders.names import Labels, Path, clean
from cnnkit.errors import InvalidImageError

SEPARATORS = ",;\t|"
ENCODINGS = ("utf-8-sig", "cp1252")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category", "species", "kind", "target")


def read_table(data: bytes) -> list[list[str]]:
    """The rows of a CSV file that are not empty; none where it is no table."""
    text = _text(data)
    sample = "\n".join(text.splitlines()[:50])
    separator = max(SEPARATORS, key=sample.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error:
        return []
    return [[cell.strip() for cell in row] for row in rows if any(map(str.strip, row))]


def labels_of_table(
    data: bytes, paths: Sequence[Sequence[str]], folder: Sequence[str]
) -> dict[str, Any]:
    """The class of each image by a table, in plain values: for a child, see `cnnkit.sandbox`.

    Args:
        data: of the table's file.
        paths: of the images.
        folder: that holds the table.

    Returns:
        The fields of `Labels`.
    """
    labels = by_table(read_table(data), [tuple(path) for path in paths], tuple(folder))
    return {
        "classes": labels.classes,
        "why": list(labels.why.items()),
        "missing": labels.missing,
    }


def labels_from(found: Any, count: int) -> Labels:
    """The labels that a child has found for so many images.

    Raises:
        InvalidImageError: they cannot be right.
    """
    try:
        classes = [None if one is None else clean(str(one)) or None for one in found["classes"]]
        why = {int(number): str(text)[:200] for number, text in found["why"]}
        missing = [clean(str(name)) for name in found["missing"]]
    except (TypeError, KeyError, ValueError) as error:
        raise InvalidImageError("The table cannot be read.") from error
    if len(classes) != count or not all(0 <= number < count for number in why):
        raise InvalidImageError("The table cannot be read.")
    why = {
        number: why.get(number, "No row names it.")
        for number in range(count)
        if classes[number] is None
    }
    return Labels(classes, why, [], missing)


def by_table(rows: Sequence[Sequence[str]], paths: Sequence[Path], folder: Path) -> Labels:
    """The class of each image by the rows of a table.

    The column that names files is the one that most files are found by: with or without
    folders, with or without the ending. The column of classes bears a usual name, or is the
    one with the fewest different words.

    Args:
        rows: of the table, with or without a head.
        paths: of the images.
        folder: that holds the table.
    """
    index = _Index(paths, folder)
    width = max(map(len, rows), default=0)
    column = max(range(width), key=lambda k: _hits(rows, k, index), default=0)
    if width < 2 or not _hits(rows, column, index):
        return Labels([None] * len(paths), dict.fromkeys(range(len(paths)), "No row names it."))
    head = None if index.find(_cell(rows[0], column)) else rows[0]
    body = rows[1:] if head else rows
    return _labeled(body, column, _label_column(head, body, column, width), index, len(paths))


def _labeled(
    rows: Sequence[Sequence[str]], column: int, label: int, index: _Index, count: int
) -> Labels:
    said: dict[int, set[str]] = defaultdict(set)
    labels = Labels([None] * count)
    for row in rows:
        numbers = index.find(_cell(row, column))
        if not numbers:
            labels.missing.append(clean(_cell(row, column)) or "an empty cell")
        elif len(numbers) > 1:
            for number in numbers:
                labels.why[number] = "The table names it without its folder, and so another file."
        else:
            said[numbers[0]].add(clean(_cell(row, label)))
    for number in range(count):
        names = sorted(said[number])
        if len(names) == 1 and names[0]:
            labels.classes[number] = names[0]
            labels.why.pop(number, None)
        elif len(names) > 1:
            labels.why[number] = f"The table names it twice, as {' and as '.join(names)}."
        else:
            labels.why.setdefault(number, "The table does not say its class.")
    return labels


def _label_column(
    head: Sequence[str] | None, rows: Sequence[Sequence[str]], files: int, width: int
) -> int:
    others = [k for k in range(width) if k != files]
    for k in others if head else ():
        if head and _cell(head, k).casefold() in LABEL_COLUMNS:
            return k
    different = {k: len({_cell(row, k) for row in rows} - {""}) for k in others}
    useful = [k for k in others if different[k] > 1] or others
    return min(useful, key=lambda k: different[k])


class _Index:
    """Finds images by what a table may call them."""

    def __init__(self, paths: Sequence[Path], folder: Path):
        self._numbers: list[dict[str, list[int]]] = [{} for _ in range(4)]
        for number, path in enumerate(paths):
            own = path[len(folder) :] if path[: len(folder)] == folder else path
            stem = path[-1].rpartition(".")[0] or path[-1]
            for names, name in zip(
                self._numbers, ("/".join(path), "/".join(own), path[-1], stem), strict=True
            ):
                names.setdefault(_folded(name), []).append(number)

    def find(self, text: str) -> list[int]:
        """Numbers of the images that a cell may mean, by its closest reading."""
        name = _folded(text.replace("\\", "/").removeprefix("./"))
        short = name.rpartition("/")[2]
        readings = (name, name, short, short) if "/" not in name else (name, name, short)
        for names, reading in zip(self._numbers, readings, strict=False):
            if reading and reading in names:
                return names[reading]
        return []


def _hits(rows: Sequence[Sequence[str]], column: int, index: _Index) -> int:
    return sum(bool(index.find(_cell(row, column))) for row in rows)


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
