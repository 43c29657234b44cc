"""A convolutional network in plain NumPy, which keeps every number of both directions.

    network = NumpyModel.from_keras(model)
    found = trace(network, image, label)
    found["block1_conv1"].delta                  # what arrives there on the way back
    backward_sum(found["block1_conv1"], (3, 4, 0))    # and how one number of it comes about
    gradcheck(network, images, labels).worst     # against TensorFlow

Importing this loads neither Keras nor TensorFlow; `from_keras`, `to_keras` and `gradcheck`
do.
"""

from cnnkit.backprop.convolution import Convolution
from cnnkit.backprop.dense import Dense, ReLU, Sigmoid, Tanh
from cnnkit.backprop.gradcheck import (
    GradientCheck,
    GradientCheckReport,
    gradcheck,
    randomize_zero_kernels,
    relative_error,
)
from cnnkit.backprop.layer import Layer
from cnnkit.backprop.network import NumpyModel, SoftmaxCrossEntropy
from cnnkit.backprop.pooling import AveragePooling, MaxPooling
from cnnkit.backprop.shaping import Dropout, Flatten, Scaling, ZeroPadding
from cnnkit.backprop.sums import WeightedSum, backward_sum, bordered_delta, forward_sum, weight_sum
from cnnkit.backprop.tracing import BackpropTrace, LayerTrace, trace
from cnnkit.backprop.training import ALL, DENSE, Epoch, measure, set_trainable, train

__all__ = [
    "ALL",
    "DENSE",
    "AveragePooling",
    "BackpropTrace",
    "Convolution",
    "Dense",
    "Dropout",
    "Epoch",
    "Flatten",
    "GradientCheck",
    "GradientCheckReport",
    "Layer",
    "LayerTrace",
    "MaxPooling",
    "NumpyModel",
    "ReLU",
    "Scaling",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Tanh",
    "WeightedSum",
    "ZeroPadding",
    "backward_sum",
    "bordered_delta",
    "forward_sum",
    "gradcheck",
    "measure",
    "randomize_zero_kernels",
    "relative_error",
    "set_trainable",
    "trace",
    "train",
    "weight_sum",
]
