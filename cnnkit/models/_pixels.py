"""Scaling of the pixels, as the ImageNet networks do it: a mean is subtracted."""

from __future__ import annotations

from cnnkit._lazy import keras

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
