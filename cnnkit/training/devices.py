"""What a network learns on: one device, or a copy on each of several; in which precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import keras
import tensorflow as tf


@cache
def strategy() -> tf.distribute.Strategy | None:
    """One copy of the network on each GPU where several are visible; None: on the one device.

    Several logical CPUs count like several GPUs: nobody has them who does not ask for them.
    """
    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        return None
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def copied() -> Any:
    """Within this, new networks and optimizers have a copy on every device."""
    several = strategy()
    return several.scope() if several else nullcontext()


def policy(precision: str) -> str:
    """The dtype policy of a precision: "auto" is mixed on GPUs, whose matrix units gain by it."""
    if precision != "auto":
        return precision
    return "mixed_float16" if tf.config.list_physical_devices("GPU") else "float32"


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Within this, new layers compute as said; weights are float32 always. Of this thread only."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy(precision))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
