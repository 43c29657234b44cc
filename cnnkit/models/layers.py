"""Layers that the ImageNet networks share: subtracting a mean, and pooling as Caffe does it."""

from __future__ import annotations

from cnnkit._lazy import keras


def overlapping_pool(x, name):
    """Max pooling 3×3 with stride 2, sizes rounded up: 112 → 56, 113 → 56.

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


IMAGENET_MEAN = (123.68, 116.779, 103.939)  # red, green, blue of the training images
CAFFE_MEAN = (123.0, 117.0, 104.0)  # the same, as Caffe's networks round it


def subtract_mean(image, mean=IMAGENET_MEAN):
    """Move pixels of 0 to 255 around zero; their range stays.

    The mean is one number a channel. The papers' mean of every single pixel would tie
    a network to one size of image. Gray images have the mean of the three subtracted.
    """
    fits = image.shape[-1] == len(mean)
    offset = [-value for value in mean] if fits else -sum(mean) / len(mean)
    return keras.layers.Rescaling(1.0, offset=offset, name="rescaling")(image)
