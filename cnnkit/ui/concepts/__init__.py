"""The experiments of the Concepts page."""

from cnnkit.ui.concepts.convolution import show_convolution
from cnnkit.ui.concepts.optimizers import show_optimizers
from cnnkit.ui.concepts.perceptron import show_dropout, show_initialization
from cnnkit.ui.concepts.pooling import show_pooling_orders
from cnnkit.ui.concepts.softmax import show_softmax

# Name in the address → (title, function that shows it).
CONCEPTS = {
    "noise": ("Weight initialization", show_initialization),
    "softmax": ("Softmax and cross-entropy", show_softmax),
    "descent": ("Optimizers", show_optimizers),
    "dropout": ("Dropout", show_dropout),
    "convolution": ("Convolution arithmetic", show_convolution),
    "pooling": ("Activation and pooling", show_pooling_orders),
}

__all__ = ["CONCEPTS"]
