"""Data sets of images that one test has drawn or decoded, for the tests after it.

Drawing the flowers and decoding the photos of 17 kinds take ten seconds each. Their files are
shared by hard links: whoever damages one must not use this.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PREFIXES = ("drawn-40x", "flowers17-")  # of what is made from the same source in each home


def lend(kept: Path, images: Path) -> None:
    """Put what is kept into the image store of a home."""
    _link(kept, images)


def keep(images: Path, kept: Path) -> None:
    """Keep what was made in the image store of a home."""
    _link(images, kept)


def _link(source: Path, target: Path) -> None:
    entries = [one for one in source.glob("*") if one.name.startswith(PREFIXES)]
    for entry in entries:
        if not (target / entry.name).exists():
            target.mkdir(parents=True, exist_ok=True)
            aside = target / f".{os.getpid()}-{entry.name}"
            shutil.copytree(entry, aside, copy_function=os.link)
            try:
                aside.rename(target / entry.name)
            except OSError:  # another process was first
                shutil.rmtree(aside)
