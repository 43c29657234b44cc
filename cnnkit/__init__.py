"""Train, open up and question convolutional networks.

    import cnnkit

    recipe = cnnkit.get_recipe("lenet_tutorial", "fast")
    result = cnnkit.fit(recipe, print)

Importing this loads neither Keras nor TensorFlow: each name is imported from its module
when it is first touched. `__init__.pyi` beside this file lists them.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
