"""The experiments of the Architectures page, one module each with a `draw` function."""

from cnnkit.ui.architectures.concepts import auxiliary, bottleneck, depth, projection, residual

# Name in the address -> (short title, draw).
IDEAS = {
    "bottleneck": ("1×1 bottleneck", bottleneck.draw),
    "projection": ("1×1 after pooling", projection.draw),
    "residual": ("Skip connection", residual.draw),
    "depth": ("Deep and plain, deep and residual", depth.draw),
    "auxiliary": ("Auxiliary classifiers", auxiliary.draw),
}

__all__ = ["IDEAS"]
