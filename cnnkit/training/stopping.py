"""When to stop, and which weights to keep: rules that know nothing of Keras."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cnnkit.training.recipe import Stopping


@dataclass
class StoppingRule:
    """Told each epoch's validation, it says whether to go on.

    Args:
        stopping: the rule; None: never stop.
        steps_per_epoch: mini-batches between two validations.
    """

    stopping: Stopping | None
    steps_per_epoch: int
    best: float = math.inf
    waited: int = 0  # epochs without improvement
    patience: float = field(init=False)  # mini-batches to look at; grows

    def __post_init__(self):
        """Start with the patience of the rule."""
        self.patience = self.stopping.patience if self.stopping else math.inf

    def should_stop(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Whether training ends after this epoch.

        Args:
            epoch: 1-based number of the epoch that ended.
            logs: its `val_loss` and `val_error`.
        """
        if self.stopping is None:
            return False
        value = logs[self.stopping.monitor]
        if self.stopping.kind == "tutorial":
            return self._tutorial(self.stopping, epoch, value)
        return self._keras(self.stopping, value)

    def _keras(self, stopping: Stopping, value: float) -> bool:
        if value < self.best - stopping.min_delta:
            self.best, self.waited = value, 0
            return False
        self.waited += 1
        return self.waited >= max(1, stopping.patience)

    def _tutorial(self, stopping: Stopping, epoch: int, value: float) -> bool:
        # The tutorial counts mini-batches from 0 and validates after the last of each
        # epoch; it then stops at the first mini-batch whose number reaches the patience.
        seen = epoch * self.steps_per_epoch - 1
        if value < self.best:
            if value < self.best * stopping.improvement_threshold:
                self.patience = max(self.patience, seen * stopping.patience_increase)
            self.best = value
        # Stopping in the middle of the next epoch would come before its validation and
        # change nothing that is kept, so the epoch is not begun.
        next_validation = seen + self.steps_per_epoch
        return self.patience < next_validation

    def state(self) -> dict[str, float]:
        """What must be kept to go on later exactly like this. JSON."""
        return {"best": self.best, "waited": self.waited, "patience": self.patience}

    def restore(self, state: Mapping[str, float]) -> None:
        """The inverse of `state`."""
        self.best = float(state["best"])
        self.waited = int(state["waited"])
        self.patience = float(state["patience"])
