"""What does a unit want to see? Activation maximisation that can be steered while it runs.

    from cnnkit.visualize import channel, maximize, presets

    plan = presets.get("post_total_variation").plan(channel("block3_conv1", 30))
    for step in maximize(model, plan):
        print(step.number, step.values)

Four parts can be combined freely: an objective (`terms`), how the image is stored
(`parametrizations`), what it is put through (`transforms`) and how it moves (`updates`,
`operators`). Together they are a `Plan`, which is data; only carrying one out needs
TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
