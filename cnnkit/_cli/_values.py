"""Values on the command line: `KEY=VALUE`, where the value is JSON or else a word."""

from __future__ import annotations

import json
from typing import Any

from cnnkit.errors import InvalidRecipeError


def assignment(flag: str, text: str) -> tuple[str, Any]:
    """Name and value of `epochs=3`, `model_options.activation=relu`.

    Raises:
        InvalidRecipeError: there is no equals sign.
    """
    field, equals, value = text.partition("=")
    if not equals:
        raise InvalidRecipeError(f"{flag} needs FIELD=VALUE. Received: {text!r}.")
    try:
        return field, json.loads(value)
    except json.JSONDecodeError:
        return field, value
