"""Networks and runs as the command line names them."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cnnkit._cli._console import assignment, counting
from cnnkit.errors import InvalidRecipeError, RunNotFoundError, UnknownModelError
from cnnkit.models import (
    PREPROCESSINGS,
    UPLOAD_SUFFIXES,
    Predictor,
    list_pretrained,
    open_uploaded,
    read_class_names,
)
from cnnkit.models.builder import NetworkDefinition
from cnnkit.networks import BUILT, PRETRAINED, RUN, NetworkRef
from cnnkit.runs import Run, RunStore
from cnnkit.settings import get_settings


def open_network(
    name: str, *, untrained: bool = False, class_names: Sequence[str] = (), preprocessing: str = ""
) -> Predictor:
    """A pretrained network, that of a run, or a file.

    Args:
        name: a `NetworkRef` as text, the name of a pretrained network, (the beginning of) a
            run's id, or a path.
        untrained: give a pretrained network's architecture random weights.
        class_names: of a file, in the order of its logits; none: those in it.
        preprocessing: of a file, key of `models.PREPROCESSINGS`; "": what its layers tell.

    Raises:
        UnknownModelError: it is none of them; lists what there is.
        CnnkitError: it cannot be opened; says why.
    """
    if untrained:
        return NetworkRef.parse(name, bare=BUILT).open()
    ref = find_network(name)
    if ref is None:
        return open_uploaded(
            Path(name), title=name, class_names=class_names, preprocessing=preprocessing
        )
    if ref.kind != PRETRAINED:
        return ref.open()
    with counting(ref.name) as progress:
        return ref.open(progress=progress)


def find_network(name: str) -> NetworkRef | None:
    """The reference to a network that is named as in `open_network`; None: it is a file.

    Raises:
        UnknownModelError: there is none of this name; lists what there is.
    """
    is_file = name.lower().endswith(UPLOAD_SUFFIXES) or Path(name).is_file()
    return None if is_file else _parsed(name)


labels_option = click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="Class names of a file: one a line, such as the labels.txt of Teachable Machine.",
)
preprocessing_option = click.option(
    "--preprocessing",
    type=click.Choice(list(PREPROCESSINGS)),
    help="Pixels that the network of a file was trained on. [default: what its layers tell]",
)


def read_labels(path: Path | None) -> tuple[str, ...]:
    """The class names in a file; none without one."""
    return read_class_names(read_bytes(path)) if path else ()


def read_definition(path: Path) -> NetworkDefinition:
    """The network definition of a JSON file.

    Raises:
        InvalidDefinitionError: it is none; says what is wrong.
    """
    return NetworkDefinition.from_json(read_text(path))


def read_text(path: Path) -> str:
    """The whole file as UTF-8, or one sentence why not."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} is no text in UTF-8.") from error


def read_options(texts: Sequence[str]) -> dict[str, Any]:
    """The options of a network by name, from texts such as "dropout=.5".

    Raises:
        InvalidRecipeError: one is no assignment, or would rename the network.
    """
    values = dict(assignment("--option", text) for text in texts)
    if "name" in values:
        raise InvalidRecipeError("--option changes the named network: it has no option 'name'.")
    return values


def read_bytes(path: Path) -> bytes:
    """The whole file, or one sentence why not."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error


def class_number(names: Sequence[str], name: str) -> int:
    """A class by its name or its number; one sentence where there is none."""
    if name in names:
        return names.index(name)
    if name.isdecimal() and int(name) < len(names):
        return int(name)
    near = difflib.get_close_matches(name, names, n=5, cutoff=0.4)
    hint = f"Did you mean {', '.join(near)}?" if near else "See the names with `cnnkit predict`."
    raise click.ClickException(f"The network has no class {name!r} among its {len(names)}. {hint}")


def find_run(store: RunStore, beginning: str) -> Run:
    """The run of this id, or the only one whose id begins so.

    Raises:
        RunNotFoundError: there is none.
        ClickException: there are several.
    """
    alike = [run for run in store.list(limit=10_000) if run.id.startswith(beginning)]
    if len(alike) == 1 and beginning:
        return alike[0]
    if len(alike) > 1 and beginning and beginning not in (run.id for run in alike):
        raise click.ClickException(
            f"{len(alike)} runs have an id that begins with {beginning!r}: give more of it. "
            f"{', '.join(run.id for run in alike[:5])}{', …' if len(alike) > 5 else ''}"
        )
    return store.get(beginning)


def _parsed(name: str) -> NetworkRef:
    with contextlib.suppress(UnknownModelError):
        return NetworkRef.parse(name)
    try:
        return NetworkRef(RUN, find_run(RunStore(get_settings()), name).id)
    except RunNotFoundError as error:
        raise UnknownModelError(
            name, [*list_pretrained(), "a run's id", "a .keras, .h5 or .zip file"]
        ) from error
