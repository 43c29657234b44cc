"""Pooling as Caffe does it: the last window may hang over the edge."""

from __future__ import annotations

from cnnkit._lazy import keras


def overlapping_pool(x, name):
    """The largest of 3×3 at every second pixel, sizes rounded up: 112 → 56, 113 → 56.

    Keras rounds down ("valid"), or pads both sides ("same": 113 → 57). A side with an
    odd number of pixels needs no padding; an even one needs a row behind its end, which
    is just what "same" adds. An image with a side of each kind gets a layer of zeros:
    after ReLU no zero is larger than what is there.
    """
    height, width = x.shape[1:3]
    odd = (height % 2 == 1, width % 2 == 1)
    if odd[0] != odd[1]:
        missing = ((0, int(not odd[0])), (0, int(not odd[1])))
        x = keras.layers.ZeroPadding2D(missing, name=f"{name}_pad")(x)
        height, width = x.shape[1:3]
    fits = min(height, width) >= 3 and height % 2 == 1
    return keras.layers.MaxPooling2D(3, 2, padding="valid" if fits else "same", name=name)(x)
