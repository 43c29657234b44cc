"""Networks held in memory, ready to answer: compiled once, shared by threads, bounded."""

from __future__ import annotations

import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnkit.errors import IncompatibleError, LimitError

if TYPE_CHECKING:
    from keras import Model

    from cnnkit.models._storage import ModelCard

CHUNK = 32  # images at once: more needs more memory and is no faster on a CPU


class Predictor:
    """A network that many share: read it, never train or change it.

    Args:
        model: from (batch, height, width, channels), 0 to 255, to logits.
        card: what it is.
    """

    def __init__(self, model: Model, card: ModelCard):
        """Compile the network and let it answer once: the first answer is the slow one."""
        import tensorflow as tf

        self.model = model
        self.card = card
        self.lock = threading.Lock()  # whoever asks the layers themselves takes it too
        # Called layer by layer, MobileNetV2 takes four times as long; `predict` takes 60 ms
        # more and leaks memory with every call.
        self._answer = tf.function(
            lambda images: model(images, training=False),
            input_signature=[tf.TensorSpec((None, *card.input_shape), tf.float32)],
        )
        self.logits(np.zeros((1, *card.input_shape), np.float32))

    def logits(self, images: np.ndarray) -> np.ndarray:
        """What the network answers.

        Args:
            images: (images, height, width, channels), 0 to 255.

        Returns:
            float32 (images, classes).

        Raises:
            IncompatibleError: the images have another size than the network takes.
        """
        return self.timed_logits(images)[0]

    def timed_logits(self, images: np.ndarray) -> tuple[np.ndarray, float]:
        """`logits`, and the seconds that they took, without the wait for another's turn."""
        self.check_images(images)
        starts = range(0, len(images), CHUNK)
        with self.lock:
            began = time.perf_counter()
            chunks = [np.asarray(self._answer(np.float32(images[i : i + CHUNK]))) for i in starts]
            seconds = time.perf_counter() - began
        return np.concatenate(chunks), seconds

    def check_images(self, images: np.ndarray) -> None:
        """Refuse images of another size than the network takes.

        Raises:
            IncompatibleError: see there.
        """
        if images.shape[1:] != self.card.input_shape:
            raise IncompatibleError(
                f"{self.card.title} takes images of {self.card.input_shape}. "
                f"Received: {images.shape[1:]}."
            )


class _Entry(NamedTuple):
    bytes: int
    opened: Future[Predictor]


class ModelCache:
    """The networks used last, as many as fit into a bound.

    Args:
        max_bytes: of all weights together.
    """

    def __init__(self, max_bytes: int):
        """Start empty."""
        self.max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._opening = threading.Lock()

    @property
    def bytes(self) -> int:
        """Weights held now."""
        with self._lock:
            return sum(entry.bytes for entry in self._entries.values())

    def get(self, key: Hashable, open_model: Callable[[], Predictor], size: int) -> Predictor:
        """The network for a key, opened when it is not here; whoever asks meanwhile waits.

        Args:
            key: equal keys share one network.
            open_model: opens it.
            size: bytes of its weights. So much is made free before, the least used first.

        Raises:
            LimitError: it alone is larger than the bound.
        """
        if size > self.max_bytes:
            raise LimitError(
                f"The network takes {size / 2**20:.0f} MB, and {self.max_bytes / 2**20:.0f} MB are "
                "allowed for networks in memory. Raise CNNKIT_MODEL_MEMORY or take a smaller one."
            )
        with self._lock:
            entry = self._entries.get(key)
            if entry:
                self._entries.move_to_end(key)
            else:
                self._make_room(size)
                mine = self._entries[key] = _Entry(size, Future())
        return entry.opened.result() if entry else self._open(key, mine, open_model)

    def _make_room(self, size: int) -> None:
        dropped = False
        held = sum(entry.bytes for entry in self._entries.values())
        while held + size > self.max_bytes:
            held -= self._entries.popitem(last=False)[1].bytes
            dropped = True
        if dropped:
            gc.collect()  # a network is a net of references that only this finds

    def _open(self, key: Hashable, entry: _Entry, open_model: Callable[[], Predictor]) -> Predictor:
        try:
            # One at a time: two that load at once need twice the memory.
            with self._opening:
                opened = open_model()
        except BaseException as error:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            entry.opened.set_exception(error)
            raise
        entry.opened.set_result(opened)
        return opened
