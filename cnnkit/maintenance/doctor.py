"""What is wrong in a home, from its record down to temporary files."""

from __future__ import annotations

from cnnkit.errors import CnnkitError, StorageError
from cnnkit.maintenance.findings import Finding
from cnnkit.maintenance.leftovers import IDLE_SECONDS, examine_leftovers
from cnnkit.maintenance.record import examine_record
from cnnkit.maintenance.runs import examine_runs
from cnnkit.runs import RunStore
from cnnkit.settings import Settings

PASSES = 3  # a repaired record shows what else is wrong


def examine(settings: Settings, idle: float = IDLE_SECONDS) -> list[Finding]:
    """Everything that is wrong; an empty list means that the home is in order.

    A damaged record comes alone: its runs can be examined once it is repaired.

    Args:
        settings: of the home.
        idle: seconds since somebody wrote to an unfinished file, after which it is a leftover.
    """
    damaged = examine_record(settings)
    if damaged:
        return damaged
    store = RunStore(settings)
    try:
        store.list(limit=1)
    except CnnkitError as error:
        return [Finding(what=str(error), advice="Nothing else can be examined until then.")]
    return [*examine_runs(settings, store), *examine_leftovers(settings, idle)]


def repair(settings: Settings, idle: float = IDLE_SECONDS) -> tuple[list[Finding], list[Finding]]:
    """Repair what can be repaired.

    Returns:
        What was repaired, and what is still wrong.

    Raises:
        StorageError: the system refuses a repair.
    """
    repaired: list[Finding] = []
    findings = examine(settings, idle)
    for _ in range(PASSES):
        for finding in findings:
            if finding.repair:
                try:
                    finding.repair()
                except OSError as error:
                    raise StorageError(f"{finding.what} Repairing it failed: {error}.") from error
                repaired.append(finding)
        findings = examine(settings, idle)
        if not any(finding.repair for finding in findings):
            break
    return [one for one in repaired if one not in findings], findings
