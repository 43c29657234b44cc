"""What a network says to any image: fitted to its input, asked, and its best answers."""

from cnnkit.predict.answers import Answer, softmax, top_k
from cnnkit.predict.examples import example_photos
from cnnkit.predict.many import Prediction, predict_files
from cnnkit.predict.preparing import FITS, prepare

__all__ = [
    "FITS",
    "Answer",
    "Prediction",
    "example_photos",
    "predict_files",
    "prepare",
    "softmax",
    "top_k",
]
