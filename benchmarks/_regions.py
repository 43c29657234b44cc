"""Documents of which a command writes only parts: each stands between two comments.

    <!-- table: networks -->
    | network | parameters |
    <!-- end -->

`<!-- part: faults -->` begins one of several paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

REGION = re.compile(r"(<!-- (?:table|part): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def render(text: str, makers: Mapping[str, Callable[[], str]]) -> str:
    """The text with each region made anew.

    Raises:
        KeyError: the text names a region that nobody makes.
    """
    return REGION.sub(lambda found: f"{found[1]}{makers[found[2]]()}{found[3]}", text)


def write_part(document: Path, name: str, content: str) -> None:
    """Write one region of a document anew, and leave the others.

    Raises:
        ValueError: the document has no such region.
    """
    text = document.read_text("utf-8")
    found = {region[2]: region for region in REGION.finditer(text)}
    if name not in found:
        raise ValueError(f"{document} has no part {name!r}; it has {', '.join(found)}.")
    start, end = found[name].end(1), found[name].start(3)
    document.write_text(f"{text[:start]}{content.strip()}\n{text[end:]}", "utf-8")
