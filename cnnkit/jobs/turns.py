"""A fair queue: people take turns, whoever asks for how much.

What waits is numbered by rounds (start-time fair queuing, Goyal et al. 1996): the first that
somebody asks for belongs to the round that is served now, the next one to the round after.
Lower rounds are served first, within a round who came first. So the eleventh wish of one person
waits for nobody's first, and the number is fixed from the beginning: wherever the queue is kept,
and whoever takes it over, its order is the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from cnnkit.runs import Run, RunStore, Status


def next_turn(served: Iterable[int], own: Iterable[int]) -> int:
    """The round that somebody's next wish belongs to, 0 being the first.

    Args:
        served: rounds of what runs now, of all people.
        own: rounds of what the same person has running or waiting.
    """
    return max(max(served, default=0), 1 + max(own, default=-1))


def place_in_queue(run: Run) -> tuple[int, float, str]:
    """Sorts runs that wait: the lowest round first, within a round who came first."""
    queued = run.queued or run.created
    return run.turn, queued.timestamp() if queued else 0.0, run.id


def position_in_queue(run_id: str, queued: Iterable[Run]) -> int | None:
    """Position of a run among those that are queued, 1 being next; None: it is not queued."""
    ids = [run.id for run in sorted(queued, key=place_in_queue)]
    return ids.index(run_id) + 1 if run_id in ids else None


def waiting_runs(store: RunStore) -> list[Run]:
    """The runs that a slot may begin, the next one first."""
    queued = store.list(statuses=[Status.QUEUED], limit=10_000)
    return sorted((run for run in queued if run.offered == run.ticket), key=place_in_queue)
