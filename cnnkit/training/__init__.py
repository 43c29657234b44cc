"""Training: a frozen `Recipe` goes into `fit`, events come out while it learns.

Recipes and events load neither Keras nor TensorFlow; `fit` and its companions do, at
their first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
