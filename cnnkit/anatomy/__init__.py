"""What a network is made of: its stages, its filters, and what they answer to an image."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
