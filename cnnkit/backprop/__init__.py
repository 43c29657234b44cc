"""A convolutional network in plain NumPy, which keeps every number of both directions.

    network = NumpyModel.from_keras(model)
    steps = trace(network, image, label)
    steps["block1_conv1"].delta                  # what arrives there on the way back
    backward_sum(steps["block1_conv1"], (3, 4, 0))    # and how one number of it comes about
    gradcheck(network, images, labels).worst     # against TensorFlow

Importing this loads neither Keras nor TensorFlow; `from_keras`, `to_keras` and `gradcheck`
do.
"""

from cnnkit.backprop.dense import Dense, Dropout, Flatten, ReLU, Scaling, Sigmoid, Tanh
from cnnkit.backprop.gradcheck import (
    GradientCheck,
    GradientCheckReport,
    gradcheck,
    randomize_zero_kernels,
    relative_error,
)
from cnnkit.backprop.layer import Layer
from cnnkit.backprop.network import NumpyModel, SoftmaxCrossEntropy
from cnnkit.backprop.spatial import AveragePooling, Convolution, MaxPooling, ZeroPadding
from cnnkit.backprop.tracing import (
    BackpropTrace,
    LayerTrace,
    WeightedSum,
    backward_sum,
    bordered_delta,
    forward_sum,
    trace,
    weight_sum,
)
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
