"""Names as people write them, made fit to be shown."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 60  # letters of a name


def clean(text: str) -> str:
    """A name in one line, composed letters, no control characters, not endless.

    What looks the same becomes the same: "é" is one letter however it was typed.
    """
    composed = unicodedata.normalize("NFC", text)
    # Cc: control; Cf: invisible, among them those that turn the direction of writing; Co
    # and Cs have no shape at all.
    visible = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") else letter
        for letter in composed
    )
    return " ".join(visible.split())[:LONGEST].strip()


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts "2" before "10", and letters whatever their case."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]
