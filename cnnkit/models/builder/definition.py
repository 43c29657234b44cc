"""A network as data: a list of layers with their settings, in JSON and in an address."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cnnkit.errors import InvalidDefinitionError
from cnnkit.models.builder.kinds import KINDS, OUTPUT, LayerKind
from cnnkit.models.builder.names import automatic_names

VERSION = 1
MOST_LAYERS = 100  # entries of a definition
MOST_TEXT = 200_000  # characters of its JSON
MOST_CODE = 4_000  # characters of its form in an address, which runs record too
_CODE = re.compile(r"v(\d{1,3})-([A-Za-z0-9_-]+)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,62}")
_TITLE = re.compile(r"[^\W_][\w .,()+×'&/-]{0,59}")


@dataclass(frozen=True)
class LayerEntry:
    """One entry of a definition.

    Args:
        kind: key of `KINDS`.
        name: of the layer; empty: by its place.
        values: of its fields; those that are missing get their defaults.

    Raises:
        InvalidDefinitionError: it has no such field, or the field no such value.
    """

    kind: str
    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        kind = kind_of(self.kind)
        fields = {one.name: one for one in kind.fields}
        for name, value in self.values.items():
            if name not in fields:
                known = ", ".join(fields) or "none"
                raise InvalidDefinitionError(
                    f"{self.kind} has no field {_quoted(name)}. It has: {known}."
                )
            problem = fields[name].problem(value)
            if problem:
                raise InvalidDefinitionError(
                    f"{name} of {self.kind} {problem}. Received: {_quoted(value)}."
                )
        object.__setattr__(self, "values", kind.defaults | dict(self.values))

    def to_dict(self) -> dict[str, Any]:
        """Plain values: kind, name, and what differs from the defaults."""
        defaults = kind_of(self.kind).defaults
        changed = {name: v for name, v in self.values.items() if v != defaults[name]}
        return {"kind": self.kind, "name": self.name} | changed


@dataclass(frozen=True, kw_only=True)
class NetworkDefinition:
    """A network as a list of layers, each of which reads the one before it.

    It is no more than data, and may be impossible: `check_definition` says where.

    Args:
        title: shown to people.
        input_shape: (height, width, channels) of the images that it was made for.
        classes: that it was made for.
        layers: from the image to what the logits read; names are filled in.
        logits: initial weights of the last layer, an entry of kind "Logits".

    Raises:
        InvalidDefinitionError: a value cannot be meant; names it.

    Example:
        >>> small = NetworkDefinition(layers=[LayerEntry("Rescaling"), LayerEntry("Flatten")])
        >>> NetworkDefinition.from_code(small.code) == small
        True
    """

    title: str = "My network"
    input_shape: tuple[int, int, int] = (28, 28, 1)
    classes: int = 10
    layers: Sequence[LayerEntry] = ()
    logits: LayerEntry = field(default_factory=lambda: LayerEntry(OUTPUT.name, "logits"))

    def __post_init__(self):
        _check_title(self.title)
        object.__setattr__(self, "input_shape", _input_shape(self.input_shape))
        if not _is_whole(self.classes, 1, 10_000):
            raise InvalidDefinitionError(
                "classes must be a whole number from 1 to 10000. "
                f"Received: {_quoted(self.classes)}."
            )
        _check_count(len(self.layers))
        for entry in self.layers:
            _check_name(entry.name)
        names = automatic_names([(one.kind, one.name, one.values) for one in self.layers])
        named = tuple(replace(e, name=n) for e, n in zip(self.layers, names, strict=True))
        object.__setattr__(self, "layers", named)

    @property
    def entries(self) -> tuple[LayerEntry, ...]:
        """The layers, and the logits at the end."""
        return (*self.layers, self.logits)

    @property
    def code(self) -> str:
        """The definition in a form that may stand in an address: see `from_code`.

        Raises:
            InvalidDefinitionError: it would be too long.
        """
        text = json.dumps(self.to_dict(), separators=(",", ":"), sort_keys=True)
        packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode()
        code = f"v{VERSION}-{packed.rstrip('=')}"
        if len(code) > MOST_CODE:
            raise InvalidDefinitionError(
                f"The network takes {len(code):,} characters in an address, at most "
                f"{MOST_CODE:,} are allowed: give its layers shorter names, or remove some."
            )
        return code

    def on(self, input_shape: tuple[int, int, int], classes: int) -> NetworkDefinition:
        """The same layers for other images and classes."""
        return replace(self, input_shape=input_shape, classes=classes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they go into JSON."""
        logits = self.logits.to_dict()
        return {
            "version": VERSION,
            "title": self.title,
            "input_shape": list(self.input_shape),
            "classes": self.classes,
            "layers": [entry.to_dict() for entry in self.layers],
            "logits": {k: v for k, v in logits.items() if k not in ("kind", "name")},
        }

    def to_json(self) -> str:
        """As people read and write it: one layer a line."""
        values = self.to_dict()
        layers = ",\n".join(f"  {json.dumps(entry)}" for entry in values.pop("layers"))
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
        lines.insert(-1, f' "layers": [\n{layers}\n ]' if layers else ' "layers": []')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_dict(cls, values: Any) -> NetworkDefinition:
        """The inverse of `to_dict`.

        Raises:
            InvalidDefinitionError: it is no definition; says what is wrong, and where.
        """
        if not isinstance(values, Mapping):
            raise InvalidDefinitionError(
                "A network definition must be a JSON object with a list of layers. "
                f"Received: {type(values).__name__}."
            )
        known = ("version", "title", "input_shape", "classes", "layers", "logits")
        _refuse_unknown(values, known, "A network definition")
        version = values.get("version")
        if version != VERSION or isinstance(version, bool):
            raise InvalidDefinitionError(
                f"version of a network definition must be {VERSION}. Received: {_quoted(version)}."
            )
        layers = values.get("layers")
        if not isinstance(layers, Sequence) or isinstance(layers, str):
            raise InvalidDefinitionError(
                f"layers must be a list. Received: {type(layers).__name__}."
            )
        _check_count(len(layers))
        logits = values.get("logits", {})
        others = {k: values[k] for k in ("title", "input_shape", "classes") if k in values}
        return cls(
            layers=[_entry(one, number) for number, one in enumerate(layers, start=1)],
            logits=_logits(logits),
            **others,
        )

    @classmethod
    def from_json(cls, text: str) -> NetworkDefinition:
        """The inverse of `to_json`."""
        if len(text) > MOST_TEXT:
            raise InvalidDefinitionError(
                f"A network definition has at most {MOST_TEXT:,} characters. "
                f"Received: {len(text):,}."
            )
        try:
            return cls.from_dict(json.loads(text, parse_constant=_refuse_constant))
        except RecursionError as error:
            raise InvalidDefinitionError("A network definition must not be nested deeper.") from (
                error
            )
        except ValueError as error:
            if isinstance(error, InvalidDefinitionError):
                raise
            raise InvalidDefinitionError(
                f"A network definition must be JSON: {str(error)[:120]}."
            ) from error

    @classmethod
    def from_code(cls, code: str) -> NetworkDefinition:
        """The inverse of `code`.

        Raises:
            InvalidDefinitionError: it was cut off or changed, or is of another version.
        """
        match = _CODE.fullmatch(code) if is_code(code) else None
        if match is None:
            raise InvalidDefinitionError(
                "The address holds no network definition that this version can read: copy the "
                "whole link."
            )
        try:
            packed = base64.urlsafe_b64decode(match[2] + "=" * (-len(match[2]) % 4))
            reader = zlib.decompressobj()
            text = reader.decompress(packed, MOST_TEXT)
            if not reader.eof:
                raise ValueError("it goes on")
            return cls.from_json(text.decode())
        except (binascii.Error, zlib.error, ValueError) as error:
            if isinstance(error, InvalidDefinitionError):
                raise
            raise InvalidDefinitionError(
                "The network definition in the address is damaged: copy the whole link."
            ) from error


def is_code(text: str) -> bool:
    """Whether a text is a definition in the form of an address."""
    match = _CODE.fullmatch(text) if isinstance(text, str) and len(text) <= MOST_CODE else None
    return match is not None and int(match[1]) == VERSION


def kind_of(name: str) -> LayerKind:
    """A kind of layers by its name, that of the logits among them.

    Raises:
        InvalidDefinitionError: lists the kinds there are.
    """
    if name == OUTPUT.name:
        return OUTPUT
    if not isinstance(name, str) or name not in KINDS:
        raise InvalidDefinitionError(
            f"Unknown kind of layer {_quoted(name)}. Known kinds: {', '.join(KINDS)}."
        )
    return KINDS[name]


def _entry(values: Any, number: int) -> LayerEntry:
    if not isinstance(values, Mapping):
        raise InvalidDefinitionError(
            f"Layer {number} must be a JSON object with its kind. "
            f"Received: {type(values).__name__}."
        )
    others = {str(name): v for name, v in values.items() if name not in ("kind", "name")}
    name = values.get("name", "")
    try:
        if values.get("kind") == OUTPUT.name:
            raise InvalidDefinitionError("the logits are added by themselves")
        _check_name(name)
        return LayerEntry(values.get("kind", ""), name, others)
    except InvalidDefinitionError as error:
        raise InvalidDefinitionError(f"Layer {number}: {error}") from error


def _logits(values: Any) -> LayerEntry:
    if not isinstance(values, Mapping):
        raise InvalidDefinitionError(
            f"logits must be a JSON object. Received: {type(values).__name__}."
        )
    return LayerEntry(OUTPUT.name, "logits", dict(values))


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or (name and not _NAME.fullmatch(name)):
        raise InvalidDefinitionError(
            "the name of a layer must be at most 63 letters, digits, points and underscores, "
            f"beginning with a letter. Received: {_quoted(name)}."
        )


def _check_title(title: Any) -> None:
    if not isinstance(title, str) or not _TITLE.fullmatch(title):
        raise InvalidDefinitionError(
            "The name of a network must be at most 60 letters, digits, spaces and . , ( ) + - & "
            f"beginning with a letter or digit. Received: {_quoted(title)}."
        )


def _check_count(count: int) -> None:
    if count > MOST_LAYERS:
        raise InvalidDefinitionError(
            f"A network may have at most {MOST_LAYERS} layers and blocks here. Received: {count:,}."
        )


def _input_shape(shape: Any) -> tuple[int, int, int]:
    right = isinstance(shape, list | tuple) and len(shape) == 3
    if not right or not all(map(_is_whole, shape, (1, 1, 1), (1024, 1024, 16))):
        raise InvalidDefinitionError(
            "input_shape must be [height, width, channels], at most [1024, 1024, 16]. "
            f"Received: {_quoted(shape)}."
        )
    return tuple(shape)


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _refuse_unknown(values: Mapping[Any, Any], known: Sequence[str], what: str) -> None:
    unknown = [key for key in values if key not in known]
    if unknown:
        raise InvalidDefinitionError(
            f"{what} has no field {_quoted(unknown[0])}. It has: {', '.join(known)}."
        )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _quoted(value: Any) -> str:
    """A value as it came, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
