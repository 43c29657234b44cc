"""Names of classes as they come beside a network: a list of lines, or Teachable Machine's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from cnnkit.errors import InvalidModelError

METADATA = "metadata.json"  # of Teachable Machine, and of others who hold no names in it
LABEL_FILES = ("labels.txt", "classes.txt", "class_names.txt", "labels.json", METADATA)
MOST_BYTES = 2**20
MOST_NAMES = 100_000
LONGEST = 200  # characters of a name
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def read_class_names(data: bytes) -> tuple[str, ...]:
    """The names in a file, in the order of the classes.

    Of lines that all begin with their number, as Teachable Machine writes them ("0 Cat"), the
    number is left out.

    Args:
        data: the whole file: one name a line, or JSON: a list of names, {"0": "cat", …}, or an
            object with such a list under "labels".

    Raises:
        InvalidModelError: it holds no names; says what would work.
    """
    if len(data) > MOST_BYTES:
        raise InvalidModelError(
            f"The file of class names has {len(data) / 2**20:.0f} MiB; at most "
            f"{MOST_BYTES // 2**20} is read."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_names("it is no text in UTF-8") from error
    if text.lstrip().startswith(("{", "[")):
        return clean_names(_in_json(text))
    return clean_names(without_numbers([line for line in text.splitlines() if line.strip()]))


def without_numbers(lines: Sequence[str]) -> list[str]:
    """Lines without the numbers that they begin with, if each begins with its own, from 0."""
    numbered = [
        re.fullmatch(rf"\s*{number}(?:[ \t]*[:,;\t][ \t]*|[ ]+)(\S.*)", line)
        for number, line in enumerate(lines)
    ]
    return [found[1] for found in numbered if found] if all(numbered) else list(lines)


def clean_names(names: Iterable[str]) -> tuple[str, ...]:
    """Names without what is no text and of bounded length.

    Raises:
        InvalidModelError: there is none, or there are too many.
    """
    clean = tuple(_CONTROL.sub(" ", name).strip()[:LONGEST] for name in names)
    if not any(clean):
        raise _no_names("it is empty")
    if len(clean) > MOST_NAMES:
        raise _no_names(f"it has {len(clean):,} of them")
    return tuple(name or f"class {number}" for number, name in enumerate(clean))


def _in_json(text: str) -> list[str]:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_names("it is no JSON") from error
    if isinstance(value, dict) and isinstance(value.get("labels"), list):
        value = value["labels"]
    if isinstance(value, dict) and set(value) == {str(n) for n in range(len(value))}:
        value = [value[str(number)] for number in range(len(value))]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _no_names("its JSON holds no list of names")
    return value


def _no_names(why: str) -> InvalidModelError:
    return InvalidModelError(
        f"The file of class names cannot be read: {why}. One name a line works, as in the "
        "labels.txt of Teachable Machine."
    )
