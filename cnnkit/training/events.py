"""What `fit` reports while it works. Whoever listens decides what to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FeaturesCached:
    """Outputs of the frozen layers for some images are computed and cached."""

    done: int  # images, each variant counted, those that were there before included
    total: int
    images_per_second: float | None  # since the last report; None: none was computed


@dataclass(frozen=True, kw_only=True)
class Started:
    """The network is built; a phase of training begins."""

    epochs: int  # in all
    steps_per_epoch: int
    first_epoch: int  # 1-based; more than 1 after a resume
    parameters: int
    train_images: int
    device: str  # "CPU" or the names of the GPUs
    trainable: int = 0  # parameters
    validation_images: int = 0
    test_images: int = 0


@dataclass(frozen=True, kw_only=True)
class StepsEnded:
    """Some batches are done. Comes at most a few times a second."""

    step: int  # batches done since the first epoch began, 1-based
    steps: int  # batches in all
    epoch: int  # 1-based
    loss: float  # mean of this epoch so far
    accuracy: float  # 0 to 1, mean of this epoch so far
    learning_rate: float  # per step
    images_per_second: float  # over the steps since the last report


@dataclass(frozen=True, kw_only=True)
class EpochEnded:
    """An epoch and its validation are done, and its checkpoint is written."""

    epoch: int  # 1-based
    epochs: int
    logs: Mapping[str, float]  # loss, accuracy, val_loss, val_accuracy, learning_rate
    seconds: float  # training and validation of this epoch


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Training has ended."""

    reason: str  # "finished", "early", "paused" or "cancelled"
    epoch: int  # 1-based, the last one that was completed
    best_epoch: int | None  # 1-based, whose weights were restored; None: the last


Event = FeaturesCached | Started | StepsEnded | EpochEnded | Ended
Report = Callable[[Event], object]
