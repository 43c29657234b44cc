"""Fine-tuning: a network that has learnt one thing learns another, from few images.

Recipes load neither Keras nor TensorFlow; `fine_tune` and its companions do, at their
first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
