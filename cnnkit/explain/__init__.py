"""Attribution methods: which pixels of an image speak for an answer.

    from cnnkit import explain

    maps = explain.grad_cam(model, images, target=281)
    maps = explain.integrated_gradients(model, images, explain.contrast(281, 285), steps=64)

Every method takes a network, images and a target, and returns float32 maps (images, height, width).
It is one decorated function, see `registry`; networks are read as in `cnnkit.visualize`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
