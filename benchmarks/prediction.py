"""Predicting: one photo from bytes to bars, and a hundred files in one go, against Keras.

Both sides ask MobileNetV2. For one photo the peer does all that we do, as people write it:
decode and resize with Pillow, `preprocess_input`, `model.predict`, names of the best. For
many files the peer is `model.predict` alone, on arrays that lie ready: it decodes nothing.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from benchmarks._measure import Row, ratio_text, save, take_turns
from cnnkit.figures.bars import top_k_bars
from cnnkit.image_io import read_image
from cnnkit.models import ModelCard, Predictor, load_pretrained, open_pretrained, pretrained_info
from cnnkit.predict import predict_files, prepare, top_k
from cnnkit.settings import get_settings

NAME = "mobilenet_v2"
BATCHES = (8, 16, 32, 64)  # of the peer, the best of which counts
FILES = 100


def photos() -> list[Path]:
    """The operator's own photos, or the two that scikit-learn ships."""
    folder = get_settings().data_dir
    own = sorted((folder / "photos").glob("*.jpg")) if folder else []
    shipped = Path(str(resources.files("sklearn.datasets") / "images"))
    return own or sorted(shipped.glob("*.jpg"))


def network() -> tuple[Predictor, str]:
    """MobileNetV2, with random weights where the official ones are missing, and which it is."""
    if pretrained_info(NAME).available:
        return open_pretrained(NAME), "official weights"
    names = tuple(f"class {i}" for i in range(1000))
    card = ModelCard(
        model=NAME, title=NAME, class_names=names, input_shape=(224, 224, 3), dataset="none"
    )
    return Predictor(load_pretrained(NAME, weights=None), card), "random weights"


def our_bars(data: bytes, opened: Predictor) -> float:
    """Seconds from the bytes of a photo to the drawn bars' description."""
    began = time.perf_counter()
    image = read_image(data)
    seen = prepare(image.array, opened.card.input_shape)
    answers = top_k(opened.logits(seen[None])[0], opened.card.class_names)
    top_k_bars([one.probability for one in answers], [one.name for one in answers]).to_json()
    return time.perf_counter() - began


def their_answers(data: bytes, model: keras.Model, names: Sequence[str]) -> float:
    """The same with Keras alone, up to the names: it draws nothing."""
    library = keras.applications.mobilenet_v2
    began = time.perf_counter()
    image = Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224))
    given = library.preprocess_input(np.asarray(image, np.float32)[None])
    # What `decode_predictions` does once it has downloaded the names.
    [names[i] for i in np.argsort(model.predict(given, verbose=0)[0])[-5:][::-1]]
    return time.perf_counter() - began


def our_rate(files: list[tuple[str, Callable[[], bytes]]], opened: Predictor) -> float:
    """Files a second, from their bytes."""
    began = time.perf_counter()
    answered = sum(one.error is None for one in predict_files(files, opened))
    return answered / (time.perf_counter() - began)


def their_rate(given: np.ndarray, model: keras.Model, batch: int) -> float:
    """Images per second of `model.predict`, from arrays that lie ready."""
    began = time.perf_counter()
    model.predict(given, batch_size=batch, verbose=0)
    return len(given) / (time.perf_counter() - began)


def one_photo(opened: Predictor, model: keras.Model, rounds: int) -> tuple[Row, str]:
    """The row for a single photo, and how much of our time the network takes."""
    path = max(photos(), key=lambda one: one.stat().st_size)
    data, names, alone = path.read_bytes(), opened.card.class_names, []
    zeros = np.zeros((1, *opened.card.input_shape), np.uint8)

    def ours() -> float:
        alone.append(opened.timed_logits(zeros)[1])
        return our_bars(data, opened)

    contenders = {"ours": ours, "peer": lambda: their_answers(data, model, names)}
    take_turns(contenders, 2)  # to warm up
    alone.clear()
    times = take_turns(contenders, rounds)
    row = Row(
        what="MobileNet V2, one photo, from its bytes to bars",
        ours=f"{1000 * statistics.median(times['ours']):.0f} ms",
        peer=f"{1000 * statistics.median(times['peer']):.0f} ms",
        ratio=ratio_text(times["ours"], times["peer"]),
        target="under 150 ms",
    )
    width, height = Image.open(path).size
    note = (
        f"One photo of {width}×{height} pixels. The network alone takes "
        f"{1000 * statistics.median(alone):.0f} ms of ours. The peer: Pillow, `preprocess_input`, "
        "`model.predict`, names of the five best; it draws nothing."
    )
    return row, note


def many_files(opened: Predictor, model: keras.Model, rounds: int) -> tuple[Row, str]:
    """The row for a hundred files against the best batch size of `model.predict`."""
    bytes_of = [path.read_bytes() for path in photos()]
    files = [(f"{i}.jpg", lambda i=i: bytes_of[i % len(bytes_of)]) for i in range(FILES)]
    seen = [prepare(read_image(data).array, opened.card.input_shape) for data in bytes_of]
    given = keras.applications.mobilenet_v2.preprocess_input(
        np.stack([seen[i % len(seen)] for i in range(FILES)]).astype(np.float32)
    )
    peers = {str(b): lambda b=b: their_rate(given, model, b) for b in BATCHES}
    take_turns(peers, 1)  # to warm up: a first batch of a size is slow
    tried = take_turns(peers, 3)
    best = max(tried, key=lambda batch: max(tried[batch]))
    contenders = {
        "ours": lambda: our_rate(files, opened),
        "peer": lambda: their_rate(given, model, int(best)),
    }
    take_turns(contenders, 1)
    rates = take_turns(contenders, rounds)
    row = Row(
        what=f"MobileNet V2, {FILES} files in one go, decoding included",
        ours=f"{statistics.median(rates['ours']):.0f} images/s",
        peer=f"{statistics.median(rates['peer']):.0f} images/s",
        ratio=ratio_text(rates["ours"], rates["peer"]),
        target="at least 0.80",
    )
    note = (
        f"{FILES} files: {len(bytes_of)} photos in turn, "
        f"{statistics.mean(map(len, bytes_of)) / 1024:.0f} kB on average. The peer is "
        f"`model.predict` on arrays that lie ready, with batches of {best}, the best of "
        f"{', '.join(map(str, BATCHES))}; it decodes nothing."
    )
    return row, note


def main() -> None:
    """Measure both and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    opened, weights = network()
    model = keras.applications.MobileNetV2(weights=None)
    model.set_weights(opened.model.get_weights())
    single, about_one = one_photo(opened, model, arguments.rounds)
    many, about_many = many_files(opened, model, max(3, arguments.rounds // 2))
    save([single, many], [f"{about_one} {weights.capitalize()}.", about_many])


if __name__ == "__main__":
    main()
