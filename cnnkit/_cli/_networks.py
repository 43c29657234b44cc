"""Networks as the command line names them."""

from __future__ import annotations

from pathlib import Path

import click

from cnnkit._cli._progress import counting
from cnnkit.models import (
    UPLOAD_SUFFIXES,
    Predictor,
    list_pretrained,
    open_pretrained,
    open_uploaded,
)
from cnnkit.networks import BUILT, NetworkRef
from cnnkit.settings import get_settings


def open_network(name: str, *, untrained: bool = False) -> Predictor:
    """A pretrained network, that of a run, or a `.keras` or `.h5` file.

    Args:
        name: of the network, (the beginning of) a run's id, or a path.
        untrained: give a pretrained network's architecture random weights.

    Raises:
        UnknownModelError: it is none of them; lists what there is.
        CnnkitError: it cannot be opened; says why.
    """
    if untrained:
        return NetworkRef.parse(name, bare=BUILT).open()
    if name in list_pretrained():
        with counting(name) as progress:
            return open_pretrained(name, progress)
    if name.endswith(UPLOAD_SUFFIXES):
        return open_uploaded(read_bytes(Path(name)), title=name)
    return _open_run(name)


def read_bytes(path: Path) -> bytes:
    """The whole file, or one sentence why not."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error


def _open_run(name: str) -> Predictor:
    from cnnkit._cli.runs import find
    from cnnkit.errors import RunNotFoundError, UnknownModelError
    from cnnkit.models import load_model
    from cnnkit.runs import RunStore

    store = RunStore(get_settings())
    try:
        run = find(store, name)
    except RunNotFoundError as error:
        raise UnknownModelError(
            name, [*list_pretrained(), "a run's id", "a .keras or .h5 file"]
        ) from error
    return Predictor(*load_model(store.model_folder(run.id)))
