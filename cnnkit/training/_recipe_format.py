"""Stored recipes of earlier versions: what their fields meant, and which they lacked."""

from __future__ import annotations

from typing import Any

# Fields that a stored recipe may lack: with their defaults they mean what it meant.
ADDED_TO_TRAINING = (
    "weights", "run", "head", "phases", "cached", "variants", "feature_type", "balanced",
    "precision", "preprocessing", "loss_epsilon",
)  # fmt: skip
ADDED_TO_FINE_TUNING = (
    "model_options", "train_size", "validation_size", "validation_from", "steps_per_epoch",
    "drop_remainder", "shuffle", "loss_reduction", "l1", "l2", "preprocessing", "loss_epsilon",
)  # fmt: skip
_OLD_PHASE = {
    "train_from": "head", "epochs": 10, "optimizer": "adamw", "learning_rate": 1e-3,
    "momentum": 0.0, "nesterov": False, "schedule": "cosine", "warmup_epochs": 0.0,
    "final_learning_rate": 0.0, "weight_decay": 0.0,
}  # fmt: skip
_OLD_FINE_TUNING = {
    "weights": "imagenet", "dataset": "flowers17", "head": {}, "batch_size": 32,
    "precision": "auto",
}  # fmt: skip


def upgraded(values: dict[str, Any]) -> dict[str, Any]:
    """Values of a recipe as this version writes them, from those of any version's `to_dict`.

    Earlier versions had a recipe of its own for fine-tuning, in which each phase held all its
    settings. It is recognized by phases without an optimizer beside them.
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
