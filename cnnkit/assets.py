"""Finding or fetching data files, and never using half of one.

A file is looked for in `CNNKIT_DATA_DIR`, then in Keras's own cache, then downloaded
from its official origin into that cache. What the operator put into `CNNKIT_DATA_DIR`
is theirs and is not held to the official hash; its reader checks what is inside.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cnnkit.errors import AssetUnavailableError, UnknownNameError
from cnnkit.settings import get_settings

Progress = Callable[[int, int], object]  # bytes so far, bytes in all


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One official file."""

    name: str  # "mnist"
    title: str  # shown to people
    filename: str  # as its publisher calls it, and as it is named in CNNKIT_DATA_DIR
    url: str  # official address
    sha256: str  # of the official file
    bytes: int  # size of the official file
    cache_folder: str  # folder of Keras's cache: "datasets" or "models"
    licence: str
    source: str  # authors and title


ASSETS = {
    asset.name: asset
    for asset in (
        Asset(
            name="mnist",
            title="MNIST handwritten digits",
            filename="mnist.npz",
            url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            bytes=11_490_434,
            cache_folder="datasets",
            licence="CC BY-SA 3.0",
            source="Yann LeCun, Corinna Cortes: The MNIST database of handwritten digits",
        ),
    )
}


def find(name: str) -> Path | None:
    """The file of an asset if it is on this machine. Asks no network.

    Raises:
        UnknownNameError: no asset has this name.
    """
    asset = _asset(name)
    for folder in (get_settings().data_dir, _cache_folder(asset)):
        if folder and (folder / asset.filename).is_file():
            return folder / asset.filename
    return None


def fetch(name: str, progress: Progress | None = None) -> Path:
    """The file of an asset, downloaded when it is not on this machine.

    A download goes into a file of another name and takes its own only when size and
    SHA-256 are right, so that a broken one is never used.

    Args:
        name: key of `ASSETS`.
        progress: called with the bytes so far and the bytes in all.

    Raises:
        AssetUnavailableError: it cannot be had; says where to put it by hand.
    """
    asset = _asset(name)
    path = find(name)
    if path:
        return path
    if get_settings().offline:
        raise _unavailable(asset, "CNNKIT_OFFLINE is set")
    return _download(asset, _cache_folder(asset) / asset.filename, progress)


def _asset(name: str) -> Asset:
    if name not in ASSETS:
        raise UnknownNameError(name, ASSETS)
    return ASSETS[name]


def _cache_folder(asset: Asset) -> Path:
    return get_settings().keras_home / asset.cache_folder


def _unavailable(asset: Asset, reason: str) -> AssetUnavailableError:
    folder = get_settings().data_dir or _cache_folder(asset)
    return AssetUnavailableError(
        filename=asset.filename, url=asset.url, folder=folder, reason=reason
    )


def _download(asset: Asset, path: Path, progress: Progress | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may fetch the same file: each writes its own, the last rename wins.
    partial = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        digest = _copy_from(asset, partial, progress)
        if digest != asset.sha256:
            raise _unavailable(asset, f"what came is not the official file: SHA-256 {digest}")
        partial.replace(path)
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        if isinstance(error, HTTPError):
            error.close()
        raise _unavailable(asset, f"the download failed: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def _copy_from(asset: Asset, partial: Path, progress: Progress | None) -> str:
    digest, done = hashlib.sha256(), 0
    request = Request(asset.url, headers={"User-Agent": "cnnkit"})
    with urlopen(request, timeout=20) as response, partial.open("wb") as file:  # noqa: S310
        total = int(response.headers.get("Content-Length") or asset.bytes)
        while block := response.read(1 << 18):
            file.write(block)
            digest.update(block)
            done += len(block)
            if progress:
                progress(done, total)
    return digest.hexdigest()
