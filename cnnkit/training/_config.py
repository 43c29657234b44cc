"""Settings that can be written as JSON and read again, and the checks of their values."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from cnnkit.errors import InvalidRecipeError

_MAY_BE_NONE = ("size", "per_class", "train_size", "validation_size", "steps_per_epoch")


@dataclass(frozen=True)
class Written:
    """What every frozen dataclass of settings can do; its `name` says nothing of its effect."""

    what: ClassVar[str] = "recipe"  # in words, for errors

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, as they go into JSON."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """Sorted keys, so that equal settings give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            InvalidRecipeError: a field is unknown or has a value that cannot work.
        """
        unknown = sorted(set(values) - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            raise InvalidRecipeError(f"A {cls.what} has no field {unknown[0]!r}.")
        try:
            return cls(**cls._parts(dict(values)))
        except TypeError as error:
            raise InvalidRecipeError(f"This is not a {cls.what}: {error}.") from error

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InvalidRecipeError(f"A {cls.what} must be JSON: {error}.") from error
        if not isinstance(values, dict):
            raise InvalidRecipeError(
                f"A {cls.what} must be a JSON object. Received: {type(values).__name__}."
            )
        return cls.from_dict(values)

    @classmethod
    def _parts(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Plain values of parts that are dataclasses themselves, made into them."""
        return values

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that are equal for settings that train alike."""
        values = self.to_dict()
        del values["name"]
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


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


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Accept a whole number within its range, and None where there may be none.

    Raises:
        InvalidRecipeError: the value cannot work; names the field.
    """
    if value is None and name in _MAY_BE_NONE:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRecipeError(
            f"{name} must be a whole number from {low} to {high}. Received: {value!r}."
        )
