"""The experiments of the Ideas page, one module each with a `draw` function."""

from cnnkit.ui.concepts import descent, dropout, noise, pooling, softmax

# Name in the address -> (short title, draw).
IDEAS = {
    "noise": ("Small noise", noise.draw),
    "softmax": ("Softmax & loss", softmax.draw),
    "descent": ("Ways downhill", descent.draw),
    "dropout": ("Dropout", dropout.draw),
    "pooling": ("Before or after pooling", pooling.draw),
}

__all__ = ["IDEAS"]
