"""A bar on standard error while one waits, so that output stays clean."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from cnnkit.assets import Progress


@contextmanager
def counting(title: str) -> Iterator[Progress]:
    """A function to report how many of how many to; the bar appears with the first of them."""
    bars = []

    def show(done: int, total: int) -> None:
        if not bars or bars[-1].length != total:
            bars.append(click.progressbar(length=total, label=title, file=sys.stderr))
        bars[-1].update(done - bars[-1].pos)

    try:
        yield show
    finally:
        for bar in bars:
            bar.render_finish()
