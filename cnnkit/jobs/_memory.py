"""How much memory this process may still take."""

from __future__ import annotations

from pathlib import Path

import psutil

_GROUP = Path("/sys/fs/cgroup")


def available_memory(group: Path = _GROUP) -> int:
    """Bytes that can be had without swapping, within a container's limit if there is one."""
    free = psutil.virtual_memory().available
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # Pages of files are given back when a process needs them.
        reclaimable = int(statistics.get("inactive_file", 0))
    except (OSError, ValueError):  # no container, no limit ("max"), or not Linux
        return free
    return min(free, limit - used + reclaimable)
