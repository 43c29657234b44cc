"""The weights' file of an uploaded network: numbers of its own, no way to other files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit.errors import InvalidModelError, UnsafeModelError

if TYPE_CHECKING:
    from cnnkit.models._uploads import UploadLimits

OBJECTS = 50_000  # groups and arrays


def check_weights(path: Path, limits: UploadLimits) -> None:
    """Walk through an HDF5 file by its links, following only those that stay inside.

    Raises:
        UnsafeModelError: a link or an array leads to another file, or the arrays are
            larger than the limit when read.
        InvalidModelError: the file is no HDF5 file.
    """
    import h5py

    if not h5py.is_hdf5(path):
        raise InvalidModelError("The weights are no HDF5 file.")
    declared, seen, waiting = 0, set(), ["/"]
    with h5py.File(path, "r") as file:
        while waiting:
            name = waiting.pop()
            member = file[name]
            address = h5py.h5o.get_info(member.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > OBJECTS:
                raise UnsafeModelError(f"The weights hold more than {OBJECTS:,} arrays.")
            if isinstance(member, h5py.Group):
                waiting += _children(member, name)
            else:
                declared += _bytes_of(member, name)
            if declared > limits.weights_bytes:
                raise UnsafeModelError(
                    f"The weights take more than {limits.weights_bytes / 2**20:,.0f} MiB when read."
                )


def _children(group: Any, name: str) -> list[str]:
    import h5py

    children = []
    for child in group:
        link = group.get(child, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise UnsafeModelError(
                f"The weights hold a link at {name.rstrip('/')}/{child} that may lead out of the "
                f"file ({type(link).__name__})."
            )
        children.append(f"{name.rstrip('/')}/{child}")
    return children


def _bytes_of(array: Any, name: str) -> int:
    import h5py

    if not isinstance(array, h5py.Dataset):
        raise UnsafeModelError(f"{name} in the weights is no array.")
    if array.external or array.is_virtual:
        raise UnsafeModelError(f"The array {name} in the weights would be read from another file.")
    if array.dtype.kind not in "fiubV" or array.dtype.names:
        raise UnsafeModelError(f"The array {name} in the weights does not hold plain numbers.")
    return math.prod(array.shape) * array.dtype.itemsize
