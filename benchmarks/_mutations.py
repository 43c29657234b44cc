"""Files of every kind that a door takes, and what chance makes of them; nothing is downloaded."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, TiffImagePlugin

Mutate = Callable[[random.Random, bytearray], bytearray]
CHANGES = (1, 1, 1, 2, 4)  # how many of a file
ODD_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**9, 10**30, 1e308, "", "x", "orthogonal", "float8", "cnnkit>Other"),
    *([], {}, [[]], {"class_name": "Dense"}, {"class_name": "Lambda", "config": {}}),
)


def image_files() -> dict[str, bytes]:
    """Small valid images in all formats and their variants."""
    pillow_heif.register_heif_opener()
    shades = np.add.outer(np.arange(40) * 3, np.arange(60) * 2)
    gray = Image.fromarray(np.uint8(shades))
    color = Image.fromarray(
        np.stack(
            [
                np.uint8(shades),
                np.uint8(shades.T[:40, :40].repeat(2, 1)[:, :60]),
                np.uint8(255 - shades % 256),
            ],
            -1,
        )
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    palette, clear = color.convert("P"), color.convert("RGBA")
    clear.putalpha(gray)
    deep = Image.fromarray(np.uint16(shades * 100))
    kinds: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("JPEG", color, {"exif": exif}),
        ("JPEG", gray, {"progressive": True}),
        ("JPEG", color.convert("CMYK"), {}),
        ("PNG", clear, {"exif": exif}),
        ("PNG", palette, {"transparency": 0}),
        ("PNG", deep, {}),
        ("WEBP", color, {}),
        ("WEBP", clear, {"lossless": True, "exif": exif}),
        ("WEBP", color, {"save_all": True, "append_images": [color, clear.convert("RGB")]}),
        ("HEIF", color, {"exif": exif}),
        ("HEIF", clear, {"quality": 60}),
        ("AVIF", color, {"exif": exif}),
        ("AVIF", clear, {"quality": 60}),
        ("BMP", palette, {}),
        ("BMP", color, {}),
        ("GIF", palette, {"save_all": True, "append_images": [palette.rotate(90)]}),
        ("TIFF", color, {"compression": "tiff_lzw"}),
        ("TIFF", gray, {"compression": "jpeg"}),
        ("TIFF", deep, {"save_all": True, "append_images": [deep]}),
        ("TIFF", color, {"compression": "packbits", "tiffinfo": _tags()}),
    ]
    return {
        f"{form} {number}": _saved(image, form, **options)
        for number, (form, image, options) in enumerate(kinds)
    }


def table_files() -> dict[str, bytes]:
    """Tables with the classes of images."""
    rows = [f"{n}.png{{0}}{'cat' if n % 2 else 'dog'}{{0}}{n / 3:.3f}" for n in range(40)]
    head = "file{0}label{0}weight\n"
    return {
        f"table {name}": (head + "\n".join(rows)).format(separator).encode(encoding)
        for name, separator, encoding in (
            ("commas", ",", "utf-8"),
            ("tabs", "\t", "utf-16"),
            ("semicolons", ";", "cp1252"),
        )
    }


def archive_files() -> dict[str, bytes]:
    """ZIP archives of images in folders, and of images with a table."""
    small = {
        f"{one}/{n}.png": _saved(_noise(4 * k + n), "PNG")
        for k, one in enumerate("ab")
        for n in range(4)
    }
    flat = {name.replace("/", ""): data for name, data in small.items()}
    table = "".join(f"{name},{name[0]}\n" for name in flat).encode()
    return {
        "folders": _packed(small),
        "stored": _packed(small, zipfile.ZIP_STORED),
        "table": _packed(flat | {"labels.csv": table}),
    }


def network_files() -> dict[str, bytes]:
    """Small networks, `.keras` and `.h5`. Imports Keras."""
    import keras

    layers = keras.layers
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, activation="relu", padding="same", name="conv")(
        image[..., ::-1] / 127.5
    )
    x = layers.Add(name="add")([layers.BatchNormalization(name="bn")(x), x])
    graph = keras.Model(
        image, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    )
    chain = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, kernel_regularizer="l2"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )
    return {
        f"{name} {suffix}": _network(model, suffix)
        for name, model in (("graph", graph), ("chain", chain))
        for suffix in ("keras", "h5")
    }


def mutants(files: dict[str, bytes], random_: random.Random) -> Iterator[tuple[str, bytes]]:
    """Endlessly: the name of a valid file, and what chance has made of it."""
    names = list(files)
    while True:
        name = random_.choice(names)
        data = files[name]
        if name.endswith("keras") and random_.random() < 0.6:
            yield name, _with_other_description(random_, data)
            continue
        changed = bytearray(data)
        for _ in range(random_.choice(CHANGES)):
            changed = random_.choice(MUTATIONS)(random_, changed or bytearray(1))
        if random_.random() < 0.05:  # two files in one
            other = files[random_.choice(names)]
            changed = (
                changed[: random_.randrange(len(changed) + 1)]
                + other[random_.randrange(len(other)) :]
            )
        yield name, bytes(changed)


def flip_bits(random_: random.Random, data: bytearray) -> bytearray:
    """Turn some bits over."""
    for _ in range(random_.randint(1, 8)):
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    return data


def truncate(random_: random.Random, data: bytearray) -> bytearray:
    """Lose the end, or the beginning."""
    at = random_.randrange(len(data))
    return data[:at] if random_.random() < 0.8 else data[at:]


def splice(random_: random.Random, data: bytearray) -> bytearray:
    """Have a piece again, elsewhere, some times."""
    start = random_.randrange(len(data))
    piece = data[start : start + random_.randint(1, 200)] * random_.choice((1, 1, 2, 50))
    at = random_.randrange(len(data))
    return data[:at] + piece + data[at + random_.choice((0, len(piece))) :]


def edit_number(random_: random.Random, data: bytearray) -> bytearray:
    """Write an odd number where a field may be."""
    width = random_.choice((1, 2, 4))
    number = random_.choice(ODD_NUMBERS) % (1 << 8 * width)
    # Headers stand at the beginning, and a ZIP's directory at the end.
    region = random_.choice((min(len(data), 128), len(data)))
    at = (
        random_.randrange(region)
        if random_.random() < 0.7
        else len(data) - 1 - random_.randrange(region)
    )
    data[at : at + width] = number.to_bytes(width, random_.choice(("little", "big")))
    return data


def delete(random_: random.Random, data: bytearray) -> bytearray:
    """Lose some bytes within."""
    at = random_.randrange(len(data))
    del data[at : at + random_.randint(1, 40)]
    return data


MUTATIONS: tuple[Mutate, ...] = (flip_bits, truncate, splice, edit_number, edit_number, delete)


def _with_other_description(random_: random.Random, data: bytes) -> bytes:
    """A `.keras` file whose description says something else at one to three places."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    for _ in range(random_.randint(1, 3)):
        holder, key = random_.choice(list(_places(config)))
        holder[key] = random_.choice(ODD_VALUES)
    return _packed(parts | {"config.json": json.dumps(config).encode()})


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _network(model: Any, suffix: str) -> bytes:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"network.{suffix}"
        model.save(path)
        return path.read_bytes()


def _packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def _noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 10, 3), np.uint8))


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def _tags() -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = "a description"
    return tags
