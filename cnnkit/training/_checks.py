"""Checks of the values of a recipe: each error names the field, what is allowed, what came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnnkit.errors import InvalidRecipeError, did_you_mean


def check_choice(name: str, value: Any, allowed: tuple) -> None:
    """Refuse what is not allowed with an `InvalidRecipeError` that names the field."""
    if value not in allowed:
        raise InvalidRecipeError(
            f"{name} must be one of {', '.join(map(str, allowed))}. Received: {value!r}."
        )


def check_range(name: str, value: Any, low: float, high: float) -> None:
    """Refuse what is no number from `low` to `high`."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise InvalidRecipeError(
            f"{name} must be a number from {low:g} to {high:g}. Received: {value!r}."
        )


def check_whole(name: str, value: Any, low: int, high: int, *, optional: bool = False) -> None:
    """Refuse what is no whole number from `low` to `high`, nor None where that is allowed."""
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRecipeError(
            f"{name} must be a whole number from {low} to {high}. Received: {value!r}."
        )


def check_kind(name: str, value: Any, kind: type, *, optional: bool = False) -> None:
    """Refuse what is no instance of a class, nor None where that is allowed."""
    if value is None and optional:
        return
    if not isinstance(value, kind):
        raise InvalidRecipeError(
            f"{name} must be {kind.__name__}(...){' or None' * optional}. Received: {value!r}."
        )


def check_fields(names: Iterable[str], fields: Iterable[str], of: str = "A recipe") -> None:
    """Refuse the first name that is no field of a recipe, or of a part of it."""
    fields = set(fields)
    for name in sorted(set(names) - fields):
        raise InvalidRecipeError(f"{of} has no field {name!r}.{did_you_mean(name, fields)}")
