"""Equal convolutions are recognized in any weight file of Keras, without Keras."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from cnnkit.errors import CorruptAssetError


def convolutions_digest(path: Path) -> str:
    """SHA-256 of the convolutions in a weight file: of VGG16 equal with top and without.

    The bytes of a file differ where its weights do not: by dense layers, names and wrapper.

    Args:
        path: an HDF5 file as `keras.applications` publishes them.

    Returns:
        Hexadecimal digest of the layers' names, kernels and biases, in their order.

    Raises:
        CorruptAssetError: it is no such file.
    """
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    import h5py  # .1 s, where Keras takes 5

    digest = hashlib.sha256()
    try:
        with h5py.File(path, "r") as file:
            for layer in file.attrs["layer_names"]:
                group = file[layer]
                arrays = [group[name] for name in group.attrs["weight_names"]]
                if arrays and arrays[0].ndim == 4:  # the kernel of a convolution
                    digest.update(layer if isinstance(layer, bytes) else layer.encode())
                    for array in arrays:
                        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    except (OSError, KeyError, TypeError) as error:
        raise CorruptAssetError(path, f"holds no weights of Keras ({error})") from error
    return digest.hexdigest()
