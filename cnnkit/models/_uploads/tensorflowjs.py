"""TensorFlow.js layers models: `model.json`, and shards of weights beside it.

The description is that of Keras 2 and passes the same list. Weights are taken from the shards by
the manifest; nothing else of the file is used.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import InvalidModelError, UnsafeModelError
from cnnkit.models._uploads.legacy import modern_network
from cnnkit.models._uploads.old_weights import StoredArray, assign

if TYPE_CHECKING:
    from cnnkit.models._uploads import UploadLimits

SHARDS = "shards.bin"  # all of them, one after the other
TYPES = {"float32": "<f4", "int32": "<i4", "bool": "|b1", "uint8": "|u1"}
QUANTIZED = {"uint8": "|u1", "uint16": "<u2", "float16": "<f2"}
MOST_SHARDS, MOST_ARRAYS = 1000, 20_000


@dataclass(frozen=True)
class WebArray:
    """An array of the manifest, and where it stands.

    Args:
        name: "conv1/kernel".
        shape: of the array.
        dtype: as stored.
        scale: by which a stored number is multiplied; None: it is not quantized to integers.
        least: what is added then.
        start: bytes from the beginning of all shards.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: float | None
    least: float
    start: int

    @property
    def bytes(self) -> int:
        """That it takes in the shards."""
        return math.prod(self.shape) * self.dtype.itemsize

    def values(self, stored: np.ndarray) -> np.ndarray:
        """The array, from the bytes of all shards."""
        part = stored[self.start : self.start + self.bytes]
        numbers = part.view(self.dtype).reshape(self.shape)
        if self.scale is not None:
            return (numbers * np.float64(self.scale) + self.least).astype(np.float32)
        return numbers.astype(np.float32) if numbers.dtype.kind == "f" else numbers


@dataclass(frozen=True)
class WebModel:
    """What a `model.json` says.

    Args:
        config: the description, as a `.keras` file has it.
        paths: of the shards, relative to the file, in their order.
        entries: arrays in their order.
    """

    config: bytes
    paths: tuple[str, ...]
    entries: tuple[WebArray, ...]

    @property
    def bytes(self) -> int:
        """Of all shards together."""
        return sum(entry.bytes for entry in self.entries)


def read_model_json(text: bytes, limits: UploadLimits) -> WebModel:
    """What a `model.json` says of a network and of its weights.

    Raises:
        InvalidModelError: it is no layers model, or is damaged.
        UnsafeModelError: its weights are too large.
    """
    try:
        model = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidModelError("The model.json in the archive is no JSON.") from error
    if not isinstance(model, dict) or model.get("format") == "graph-model":
        raise InvalidModelError(
            "The model.json is a graph of TensorFlow, not a layers model. Export the network as a "
            "layers model (tfjs_layers_model), or save the Keras network itself."
        )
    try:
        paths, entries = _manifest(model["weightsManifest"])
        described = model["modelTopology"]
        described = described.get("model_config", described)
        config = modern_network(described)
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidModelError(
            f"The model.json is no layers model of TensorFlow.js: it lacks {error}."
        ) from error
    web = WebModel(config, tuple(paths), tuple(entries))
    if web.bytes > limits.weights_bytes:
        raise UnsafeModelError(
            f"The weights take more than {limits.weights_bytes / 2**20:,.0f} MiB when read."
        )
    return web


def write_shards(web: WebModel, open_shard: Callable[[str], IO[bytes]], folder: Path) -> Path:
    """Write all shards into one file of a folder.

    Args:
        web: what the `model.json` says.
        open_shard: by its path in there.
        folder: to write to.

    Raises:
        InvalidModelError: they have another size than the manifest says.
    """
    path, written = folder / SHARDS, 0
    with path.open("wb") as out:
        for name in web.paths:
            with open_shard(name) as shard:
                while block := shard.read(2**20):
                    written += len(block)
                    if written > web.bytes:
                        break
                    out.write(block)
    if written != web.bytes:
        more = "more" if written > web.bytes else f"{written:,}"
        raise InvalidModelError(
            f"The shards of the archive hold {more} bytes of weights, and model.json says "
            f"{web.bytes:,}. Export the network again."
        )
    return path


def read_shards(web: WebModel, path: Path, model: Any) -> None:
    """Give a network its weights.

    Raises:
        InvalidModelError: they are not those of this network.
    """
    stored = np.memmap(path, np.uint8, "r") if web.bytes else np.zeros(0, np.uint8)
    arrays = [
        StoredArray(entry.name, lambda entry=entry: entry.values(stored)) for entry in web.entries
    ]
    assign(model, arrays)


def _manifest(groups: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[WebArray]]:
    paths, entries, start = [], [], 0
    for group in groups:
        paths += [str(path) for path in group["paths"]]
        for weight in group["weights"]:
            entries.append(_entry(weight, start))
            start += entries[-1].bytes
    if len(paths) > MOST_SHARDS or len(entries) > MOST_ARRAYS:
        raise UnsafeModelError(
            f"The model.json lists {len(paths):,} shards and {len(entries):,} arrays; at most "
            f"{MOST_SHARDS:,} and {MOST_ARRAYS:,} are read."
        )
    return paths, entries


def _entry(weight: Mapping[str, Any], start: int) -> WebArray:
    name, shape, dtype = str(weight["name"]), weight["shape"], weight["dtype"]
    sizes = isinstance(shape, list) and all(
        isinstance(side, int) and not isinstance(side, bool) and 0 <= side < 2**31 for side in shape
    )
    quantization = weight.get("quantization") or {}
    stored = QUANTIZED.get(quantization["dtype"]) if quantization else TYPES.get(dtype)
    if not sizes or stored is None:
        raise InvalidModelError(
            f"The array {name[:80]!r} in model.json has the shape {str(shape)[:60]} and the type "
            f"{str(quantization.get('dtype', dtype))[:20]!r}, which cannot be read."
        )
    scaled = "scale" in quantization
    return WebArray(
        name=name,
        shape=tuple(shape),
        dtype=np.dtype(stored),
        scale=float(quantization["scale"]) if scaled else None,
        least=float(quantization.get("min", 0.0)),
        start=start,
    )
