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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from cnnkit.errors import AssetUnavailableError, UnknownNameError
from cnnkit.files import replacing
from cnnkit.settings import get_settings
from cnnkit.weight_files import WEIGHT_FILES, WITHOUT_TOP_FILES, WeightFile

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
    url: str | None  # official address; None: there is none, users provide the file
    checksum: str | None  # "sha256:…" or "md5:…" of the official file; None: none published
    bytes: int  # size of the official file; for weights about, the exact one is not published
    cache_folder: str  # folder of Keras's cache: "datasets" or "models"
    data_folder: str = ""  # folder within CNNKIT_DATA_DIR
    licence: str
    source: str  # authors and title


def weights_asset(network: str) -> str:
    """Name of the asset that holds a network's ImageNet weights."""
    return f"{network}.imagenet"


def without_top_asset(network: str) -> str:
    """Name of the asset that holds them without the dense layers; few networks have one."""
    return f"{network}.imagenet.notop"


def _weights(name: str, title: str, file: WeightFile) -> Asset:
    return Asset(
        name=name,
        title=title,
        filename=file.filename,
        url=file.url,
        checksum=file.checksum,
        bytes=4 * file.parameters,
        cache_folder="models",
        data_folder="weights",
        licence="as its publisher states",
        source="Keras Applications" if file.url else "see docs/pretrained.md",
    )


ASSETS = {
    asset.name: asset
    for asset in (
        Asset(
            name="mnist",
            title="MNIST handwritten digits",
            filename="mnist.npz",
            url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            checksum="sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            bytes=11_490_434,
            cache_folder="datasets",
            licence="CC BY-SA 3.0",
            source="Yann LeCun, Corinna Cortes: The MNIST database of handwritten digits",
        ),
        Asset(
            name="flowers17",
            title="17 kinds of flowers",
            filename="17flowers.tgz",
            url="https://www.robots.ox.ac.uk/~vgg/data/flowers/17/17flowers.tgz",
            checksum="sha256:fe38a60f8b4a95e657551247d3e7d799a3fafcdbc595be504b12839967823d70",
            bytes=60_270_631,
            cache_folder="datasets",
            licence="research use; the photos belong to their owners",
            source="Maria-Elena Nilsback, Andrew Zisserman: A Visual Vocabulary for Flower "
            "Classification (17 Category Flower Dataset)",
        ),
        Asset(
            name="imagenet_classes",
            title="names of the 1,000 ImageNet classes",
            filename="imagenet_class_index.json",
            url="https://storage.googleapis.com/download.tensorflow.org/data/"
            "imagenet_class_index.json",
            checksum="md5:c2c37ea517e94d9795004a39431a14cb",
            bytes=35_363,
            cache_folder="models",
            licence="Apache-2.0",
            source="Keras",
        ),
        *(
            _weights(weights_asset(network), f"ImageNet weights of {network}", file)
            for network, file in WEIGHT_FILES.items()
        ),
        *(
            _weights(without_top_asset(network), f"ImageNet weights of {network}, no top", file)
            for network, file in WITHOUT_TOP_FILES.items()
        ),
    )
}


def find(name: str) -> Path | None:
    """The file of an asset if it is on this machine. Asks no network.

    Raises:
        UnknownNameError: no asset has this name.
    """
    asset = _asset(name)
    for folder in (_data_folder(asset), _cache_folder(asset)):
        if folder and (folder / asset.filename).is_file():
            return folder / asset.filename
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
    if asset.url is None:
        raise _unavailable(asset, "nobody publishes it in this form; see docs/pretrained.md")
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
    with urlopen(Request(str(asset.url), headers=headers), timeout=TIMEOUT) as response:  # noqa: S310
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
