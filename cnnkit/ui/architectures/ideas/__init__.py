"""The experiments of the Architectures page, one module each with a `draw` function."""

from cnnkit.ui.architectures.ideas import bottleneck, projection, residual

# Name in the address -> (short title, draw).
IDEAS = {
    "bottleneck": ("1×1 bottleneck", bottleneck.draw),
    "projection": ("1×1 after pooling", projection.draw),
    "residual": ("Skip connection", residual.draw),
}

__all__ = ["IDEAS"]
