"""Finding or fetching data sets and weights, and never using half of a file.

A file is looked for in `CNNKIT_DATA_DIR` (weights in its folder `weights`), then in
Keras's own cache, then downloaded from its official origin into that cache. What the
operator put into `CNNKIT_DATA_DIR` is theirs and is not held to the official checksum;
its reader checks what is inside.
"""

from __future__ import annotations

import hashlib
import http
import http.client
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from cnnkit.errors import AssetUnavailableError, UnknownNameError
from cnnkit.files import replacing
from cnnkit.settings import get_settings

Progress = Callable[[int, int], object]  # bytes so far, bytes in all

ATTEMPTS = 4  # to get a file whose transfer breaks off; each goes on where the last one ended
PAUSE = 1.0  # seconds before the second attempt, twice as long before each further one
TIMEOUT = 20  # seconds without a byte


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One official file."""

    name: str  # "mnist", or for weights "<network>.imagenet"
    title: str  # shown to people
    filename: str  # as its publisher calls it, and as it is named in CNNKIT_DATA_DIR
    alternative: str | None = None  # name of a file with the same content, taken where it is
    url: str  # official address
    checksum: str | None = None  # "sha256:…", "sha1:…" or "md5:…" of the file; None: none published
    bytes: int  # size of the official file; of Keras's weights about, it is not published
    parameters: int = 0  # of the network whose weights it holds; 0: another file
    cache_folder: str  # folder of Keras's cache: "datasets" or "models"
    data_folder: str = ""  # folder within CNNKIT_DATA_DIR
    license: str
    source: str  # authors and title


def weights_asset(network: str) -> str:
    """Name of the asset that holds a network's ImageNet weights."""
    return f"{network}.imagenet"


def without_top_asset(network: str) -> str:
    """Name of the asset that holds them without the dense layers; few networks have one."""
    return f"{network}.imagenet.notop"


def _read_table() -> dict[str, Asset]:
    """The assets of `assets.toml`, by name."""
    table = tomllib.loads(Path(__file__).with_name("assets.toml").read_text("utf-8"))
    assets = [Asset(name=name, **values) for name, values in table["files"].items()]
    for network, values in table["weights"].items():
        assets.append(_weights(weights_asset(network), network, **values))
    for network, values in table["without_top"].items():
        assets.append(_weights(without_top_asset(network), f"{network}, no top", **values))
    return {asset.name: asset for asset in assets}


def _weights(name: str, title: str, **values: Any) -> Asset:
    usual = {
        "bytes": 4 * values["parameters"],
        "license": "as its publisher states",
        "source": "Keras Applications",
    }
    return Asset(
        name=name,
        title=f"ImageNet weights of {title}",
        cache_folder="models",
        data_folder="weights",
        **(usual | values),
    )


ASSETS = _read_table()


def find(name: str) -> Path | None:
    """The file of an asset if it is on this machine. Asks no network.

    In each folder the official file is looked for before its alternative.

    Raises:
        UnknownNameError: no asset has this name.
    """
    asset = _asset(name)
    for folder in (_data_folder(asset), _cache_folder(asset)):
        for filename in filter(None, (asset.filename, asset.alternative)):
            if folder and (folder / filename).is_file():
                return folder / filename
    return None


def fetch(name: str, progress: Progress | None = None) -> Path:
    """The file of an asset, downloaded when it is not on this machine.

    A download goes into a file of another name and takes its own only when size and
    checksum are right, so that a broken one is never used. A transfer that breaks off is
    taken up where it ended.

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


def _data_folder(asset: Asset) -> Path | None:
    folder = get_settings().data_dir
    return folder / asset.data_folder if folder else None


def _unavailable(asset: Asset, reason: str) -> AssetUnavailableError:
    return AssetUnavailableError(
        filename=asset.filename,
        url=asset.url,
        folder=_data_folder(asset) or _cache_folder(asset),
        reason=reason,
    )


def _download(asset: Asset, path: Path, progress: Progress | None) -> Path:
    # Two processes may fetch the same file: each writes its own, the last rename wins.
    with replacing(path) as partial:
        _transfer(asset, partial, progress)
        _check(asset, partial)
    return path


def _transfer(asset: Asset, partial: Path, progress: Progress | None) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _copy(asset, partial, progress)
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            if attempt == ATTEMPTS or _is_final(error, partial):
                raise _unavailable(asset, f"the download failed: {error}") from error
            time.sleep(PAUSE * 2 ** (attempt - 1))


def _is_final(error: Exception, partial: Path) -> bool:
    if isinstance(error, HTTPError):
        error.close()
        return error.code < 500
    # Whoever cannot be reached at the beginning is not there; later it may come back.
    return isinstance(error, URLError) and not partial.exists()


def _copy(asset: Asset, partial: Path, progress: Progress | None) -> None:
    done = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": "cnnkit"} | ({"Range": f"bytes={done}-"} if done else {})
    # The address comes from `assets.toml`, never from a visitor.
    with urlopen(Request(asset.url, headers=headers), timeout=TIMEOUT) as response:  # nosec B310
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0  # the origin sends all of it again
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else 0
        with partial.open("ab" if done else "wb") as file:
            while block := response.read(1 << 18):
                file.write(block)
                done += len(block)
                if progress:
                    progress(done, total or asset.bytes)
    if done < total:  # a connection that closes early raises nothing
        raise ConnectionError(f"{done:,} of {total:,} bytes came")


def _check(asset: Asset, partial: Path) -> None:
    if asset.checksum is None:
        return
    kind, official = asset.checksum.split(":")
    with partial.open("rb") as file:
        digest = hashlib.file_digest(file, kind).hexdigest()
    if digest != official:
        raise _unavailable(asset, f"what came is not the official file: {kind} {digest}")
