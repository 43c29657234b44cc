"""Words that people typed, shown as they are: no Markdown, no tags."""

from __future__ import annotations

import html
import re


def literal(text: str) -> str:
    """Text for Markdown that means nothing but itself."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", text)


def label(text: str) -> str:
    """Text for a chart, in which Plotly would take tags for form."""
    return html.escape(text, quote=False)
