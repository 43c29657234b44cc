"""Images that cost nothing, and ways to pack them."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image


def image(number: int, form: str = "PNG", size: tuple[int, int] = (12, 10)) -> bytes:
    """A file of an image; each number has another one."""
    file = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 256, (2, 2, 3), np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.NEAREST).save(file, form)
    return file.getvalue()


def classes(*names: str, count: int = 4, ending: str = "png") -> dict[str, bytes]:
    """Files of so many different images in a folder for each name."""
    return {
        f"{name}/{n}.{ending}": image(100 * k + n)
        for k, name in enumerate(names)
        for n in range(count)
    }


@pytest.fixture
def pack(tmp_path):
    """Whoever packs files, by name or `ZipInfo`, as a ZIP."""

    def write(files, name="images.zip", compression=zipfile.ZIP_DEFLATED):
        path = tmp_path / name
        items = files.items() if isinstance(files, dict) else files
        with zipfile.ZipFile(path, "w", compression) as archive:
            for member, data in items:
                archive.writestr(member, data)
        return path

    return write


@pytest.fixture
def lay(tmp_path):
    """Whoever lays files into a folder."""

    def write(files, name="images"):
        for member, data in files.items():
            path = tmp_path / name / member
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / name

    return write
