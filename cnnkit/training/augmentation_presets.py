"""Augmentations by name."""

from __future__ import annotations

import math

from cnnkit.training.recipe import Augmentation

# The 17-flowers experiment of aidiary gave Keras shear_range=.2, which Keras 1 took for radians,
# zoom_range=.2 and horizontal_flip=True; what came in from outside was the nearest pixel.
POST_MIX = Augmentation(shear=math.degrees(0.2), zoom=0.2, flip=True, fill="nearest")

MIXES = {
    "none": Augmentation(),
    "flip": Augmentation(flip=True),
    "post": POST_MIX,
    "photos": Augmentation(flip=True, crop=0.3, rotation=10, brightness=0.1, contrast=0.2,
                           fill="nearest"),
    "flowers": Augmentation(
        flip=True, crop=0.35, rotation=8, brightness=0.08, contrast=0.15, fill="nearest"
    ),
    "AlexNet": Augmentation(flip=True, crop=0.125, pca=0.1),
    "strong": Augmentation(flip=True, crop=0.4, rotation=15, shear=10, brightness=0.15,
                           contrast=0.3, pca=0.1, cutout=0.3, fill="nearest"),
}  # fmt: skip
