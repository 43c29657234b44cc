"""Environment variables: how their text is read, and what is said where it makes no sense."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cnnkit.errors import SettingsError

MOST_SHOWN = 100  # characters of a value in a message
SECURE_SCHEMES = ("tls", "wss")
SCHEDULER_SCHEMES = ("tcp", "ucx", "ws", *SECURE_SCHEMES)
RECORD_SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "http", "https", "file", "databricks")


@dataclass(frozen=True)
class Variable:
    """One environment variable.

    Args:
        name: of the variable.
        meaning: for README's table.
        read: makes the value of the text. It raises `ValueError` with what would work, as in
            "must be 1 or 0".
        default: text that is read where the variable is not set.
        shown: the default in words, where the text does not say it.
        former: names in earlier versions, still read.
    """

    name: str
    meaning: str
    read: Callable[[str], Any]
    default: str = ""
    shown: str = ""
    former: tuple[str, ...] = ()

    def value(self, environment: Mapping[str, str]) -> Any:
        """What the environment says, or the default.

        Raises:
            SettingsError: the text makes no sense; says what would.
        """
        name = self.name_in(environment)
        text = environment.get(name) or self.default
        try:
            return self.read(text)
        except (ValueError, RuntimeError, OSError) as error:
            raise self.error(name, str(error), text) from error

    @staticmethod
    def error(name: str, works: str, text: str) -> SettingsError:
        """What is said of a value that makes no sense, in one sentence of bearable length."""
        received = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
        return SettingsError(f"{name} {works}. Received: {received!r}.")

    def name_in(self, environment: Mapping[str, str]) -> str:
        """The name that is set, or the present one."""
        names = (self.name, *self.former)
        return next((name for name in names if environment.get(name)), self.name)


def variable(
    name: str,
    meaning: str,
    read: Callable[[str], Any],
    default: str = "",
    *,
    shown: str = "",
    former: tuple[str, ...] = (),
) -> Any:
    """A field of a dataclass that is read from an environment variable; see `Variable`."""
    made_of = Variable(name, meaning, read, default, shown, former)
    return dataclasses.field(metadata={"variable": made_of})


def variables(settings: type) -> dict[str, Variable]:
    """Field -> the variable it is read from."""
    return {field.name: field.metadata["variable"] for field in dataclasses.fields(settings)}


# What makes values of texts: functions that raise `ValueError` with what would work.


def flag(text: str) -> bool:
    """Yes or no."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be 1 or 0")


def count(most: int) -> Callable[[str], int]:
    """A reader of whole numbers from 1 to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or len(text) > 15 or not 1 <= int(text) <= most:
            raise ValueError(f"must be a whole number from 1 to {most:,}")
        return int(text)

    return read


def megabytes(text: str) -> int:
    """Bytes, given in MB."""
    return count(2**30)(text) * 2**20


def names(text: str) -> frozenset[str]:
    """Names with commas between them, in lower case."""
    words = (word.strip().casefold() for word in text.split(","))
    return frozenset(filter(None, words))


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of some words."""

    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return word

    return read


def path(text: str) -> Path:
    """A file or folder, which need not exist."""
    try:
        found = Path(text).expanduser().resolve()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            found.lstat()  # too long a name, or a loop of links, shows only here
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"must be a path on this machine ({_reason(error)})") from error
    return found


def folder(text: str) -> Path:
    """A folder that exists."""
    found = path(text)
    if not os.path.isdir(found):
        raise ValueError("must be a folder that exists and may be read")
    return found


def file(text: str) -> Path:
    """A file that exists and may be read."""
    found = path(text)
    if not found.is_file() or not os.access(found, os.R_OK):
        raise ValueError("must be a file that exists and may be read")
    return found


def writable_folder(text: str) -> Path:
    """A folder that may be written to, or that can be made."""
    found = path(text)
    nearest = found
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not os.path.isdir(nearest):
        raise ValueError(f"must be a folder, and {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"must be a folder that can be written to, and {nearest} cannot")
    return found


def optional(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader that makes None of no text."""
    return lambda text: read(text) if text else None


def scheduler_address(text: str) -> str:
    """Address of a Dask scheduler, with its protocol."""
    text = text if "://" in text else f"tcp://{text}"
    try:
        address = urlsplit(text)
        known = address.scheme in SCHEDULER_SCHEMES and address.hostname and address.port
    except ValueError:  # no number of a port, half an IPv6 address
        known = False
    if not known:
        raise ValueError("must be the address of a Dask scheduler, such as tcp://host:8786")
    return text


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as no other one can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def record_address(text: str) -> str:
    """Where MLflow keeps runs: a server, a database or a folder."""
    scheme = text.partition(":")[0].partition("+")[0] if ":" in text else "file"
    if scheme not in RECORD_SCHEMES:
        raise ValueError(
            f"must begin with one of {', '.join(RECORD_SCHEMES)}, "
            "such as http://host:5000 or postgresql://user@host/runs"
        )
    if scheme in ("http", "https") and not urlsplit(text).hostname:
        raise ValueError("must name a server, such as http://host:5000")
    return text


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")
