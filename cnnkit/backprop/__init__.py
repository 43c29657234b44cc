"""A convolutional network in plain NumPy, which keeps every number of both directions.

    network = Network.from_keras(model)
    found = trace(network, image, label)
    found["block1_conv1"].delta                  # what arrives there on the way back
    backward_sum(found["block1_conv1"], (3, 4, 0))    # and how one number of it comes about
    gradcheck(network, images, labels).worst     # against TensorFlow

Importing this loads neither Keras nor TensorFlow; `from_keras`, `to_keras` and `gradcheck`
do.
"""

from cnnkit.backprop.activations import ReLU, Sigmoid, Tanh
from cnnkit.backprop.convolution import Convolution
from cnnkit.backprop.dense import Dense
from cnnkit.backprop.gradcheck import Check, Report, awaken, gradcheck, relative_error
from cnnkit.backprop.layer import Layer
from cnnkit.backprop.loss import SoftmaxCrossEntropy
from cnnkit.backprop.network import Network
from cnnkit.backprop.pooling import AveragePooling, MaxPooling
from cnnkit.backprop.shaping import Dropout, Flatten, Scaling, ZeroPadding
from cnnkit.backprop.sums import Sum, backward_sum, bordered_delta, forward_sum, weight_sum
from cnnkit.backprop.tracing import Step, Trace, trace
from cnnkit.backprop.training import ALL, DENSE, Epoch, choose_learners, measure, train

__all__ = [
    "ALL",
    "DENSE",
    "AveragePooling",
    "Check",
    "Convolution",
    "Dense",
    "Dropout",
    "Epoch",
    "Flatten",
    "Layer",
    "MaxPooling",
    "Network",
    "ReLU",
    "Report",
    "Scaling",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Step",
    "Sum",
    "Tanh",
    "Trace",
    "ZeroPadding",
    "awaken",
    "backward_sum",
    "bordered_delta",
    "choose_learners",
    "forward_sum",
    "gradcheck",
    "measure",
    "relative_error",
    "trace",
    "train",
    "weight_sum",
]
