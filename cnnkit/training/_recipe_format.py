"""How recipes are checked, and how those that earlier versions stored are read.

Earlier versions had a recipe of its own for fine-tuning, in which each phase held all its
settings. It is recognized by phases without an optimizer beside them.
"""

from __future__ import annotations

from typing import Any

from cnnkit.errors import InvalidRecipeError

# Fields that a stored recipe may lack: with their defaults they mean what it meant.
ADDED_TO_TRAINING = (
    "weights", "run", "head", "phases", "cached", "variants", "feature_type", "balanced",
    "precision",
)  # fmt: skip
ADDED_TO_FINE_TUNING = (
    "model_options", "train_size", "validation_size", "validation_from", "steps_per_epoch",
    "drop_remainder", "shuffle", "loss_reduction", "l1", "l2",
)  # fmt: skip
_OLD_PHASE = {
    "train_from": "head",
    "epochs": 10,
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "momentum": 0.0,
    "nesterov": False,
    "schedule": "cosine",
    "warmup_epochs": 0.0,
    "final_learning_rate": 0.0,
    "weight_decay": 0.0,
}
_OLD_FINE_TUNING = {
    "weights": "imagenet",
    "dataset": "flowers17",
    "head": {},
    "batch_size": 32,
    "precision": "auto",
}


def upgraded(values: dict[str, Any]) -> dict[str, Any]:
    """Values of a recipe as this version writes them.

    Args:
        values: of any version's `to_dict`.
    """
    if not values.get("phases") or "optimizer" in values:
        return values
    phases = [_OLD_PHASE | phase for phase in values["phases"]]
    shared = {
        name: phases[0][name]
        for name in _OLD_PHASE
        if name not in ("train_from", "epochs")
        and all(phase[name] == phases[0][name] for phase in phases)
    }
    own = [{k: v for k, v in phase.items() if k not in shared} for phase in phases]
    return _OLD_FINE_TUNING | shared | values | {"phases": own}


def check_choice(name: str, value: Any, allowed: tuple) -> None:
    """Accept a value that is allowed.

    Raises:
        InvalidRecipeError: the value cannot work; names the field.
    """
    if value not in allowed:
        raise InvalidRecipeError(
            f"{name} must be one of {', '.join(map(str, allowed))}. Received: {value!r}."
        )


def check_range(name: str, value: Any, low: float, high: float) -> None:
    """Accept a number within its range.

    Raises:
        InvalidRecipeError: the value cannot work; names the field.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise InvalidRecipeError(
            f"{name} must be a number from {low:g} to {high:g}. Received: {value!r}."
        )


def check_whole(name: str, value: Any, low: int, high: int, *, optional: bool = False) -> None:
    """Accept a whole number within its range, and None where it is optional.

    Raises:
        InvalidRecipeError: the value cannot work; names the field.
    """
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRecipeError(
            f"{name} must be a whole number from {low} to {high}. Received: {value!r}."
        )
