"""What an uploaded file holds, before anything of it is built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnkit.models._uploads.tensorflowjs import WebModel


@dataclass(frozen=True)
class Unpacked:
    """The parts of a network's file.

    Args:
        config: the description, as config.json of a `.keras` file has it; not checked yet.
        weights: where they are; `legacy.FILE` is of the older format, and also not checked yet.
        class_names: that came with it, in the order of the classes.
        web: how weights of TensorFlow.js lie in their shards; None: they are HDF5.
    """

    config: bytes
    weights: Path
    class_names: tuple[str, ...] = ()
    web: WebModel | None = None
