"""Classify any image: fit it to the network's input, and take the top-k predictions."""

from cnnkit.predict.images import FITS, example_photos, prepare
from cnnkit.predict.predictions import (
    FilePrediction,
    Prediction,
    no_answer,
    predict_files,
    softmax,
    top_k,
)

__all__ = [
    "FITS",
    "FilePrediction",
    "Prediction",
    "example_photos",
    "no_answer",
    "predict_files",
    "prepare",
    "softmax",
    "top_k",
]
