"""Activation maximization that can be steered while it runs.

    from cnnkit.visualize import channel, maximize, presets

    plan = presets.get("post_total_variation").plan(channel("block3_conv1", 30))
    for step in maximize(model, plan):
        print(step.number, step.values)

A `Plan` combines an objective (`objectives`, `regularizers`), an image parametrization
(`parametrizations`), random transforms (`transforms`), an optimizer (`optimizers`) and image
regularizers (`regularizers`). It is data; only optimizing needs TensorFlow. Each component is one
decorated function, see `registry`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
