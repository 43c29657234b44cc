"""Fair comparison on a machine whose speed swings: take turns, then medians."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ("keras", "tensorflow", "streamlit", "mlflow", "distributed", "numpy")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    what: str  # what was measured
    ours: str  # with its unit
    peer: str  # what it is compared with, with its unit
    ratio: str  # of the two medians, or of pairs
    target: str = ""  # what it should be, and whether it is


def take_turns(contenders: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each contender once per round, so that a slow minute slows them all.

    The order is turned by one place each round: nobody always comes after the same one.
    """
    results: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            results[name].append(contenders[name]())
            print(f"  round {number + 1}/{rounds} {name}: {results[name][-1]}", file=sys.stderr)
    return results


def ratio_of_pairs(ours: Iterable[float], peers: Iterable[float]) -> tuple[float, float, float]:
    """Median, smallest and largest of the ratios ours/peer within each round."""
    ratios = [mine / other for mine, other in zip(ours, peers, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def ratio_text(ours: Iterable[float], peers: Iterable[float]) -> str:
    """The same as tables have it: "1.33 (1.29 to 1.34)"."""
    return "{:.2f} ({:.2f} to {:.2f})".format(*ratio_of_pairs(ours, peers))


def save(rows: list[Row], notes: list[str]) -> None:
    """Print the rows as JSON on standard output, for `benchmarks.__main__`."""
    print(json.dumps({"rows": [asdict(row) for row in rows], "notes": notes}))


def machine() -> list[str]:
    """What the figures were taken on."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    gpu = "with a GPU" if Path("/dev/nvidia0").exists() else "no GPU"
    return [
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, {gpu}",
        f"{platform.system()}, Python {platform.python_version()}, {versions}",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
