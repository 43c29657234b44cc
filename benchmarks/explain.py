"""Explanations: seconds for a map against tf-keras-vis and a plain loop with `model.predict`.

Both explain the same class of the same photo, have run once before, and do as much: the same
number of feature maps for Score-CAM, the same squares for occlusion. Score-CAM's peer takes the
batch size, of those tried, with which the network predicts fastest.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.scores import CategoricalScore

from benchmarks._measure import Row, ratio_text, save, take_turns
from cnnkit import explain
from cnnkit.explain.cam import default_layer
from cnnkit.explain.occluding import patches
from cnnkit.image_io import decode_image
from cnnkit.models import open_pretrained
from cnnkit.predict import example_photos, prepare
from cnnkit.settings import get_settings

NETWORKS = {"mobilenet_v2": "MobileNetV2", "googlenet": "GoogLeNet"}
SAMPLES, NOISE = 50, 0.15
CHANNELS = 128  # feature maps of Score-CAM, those of the largest variance
PATCH, STRIDE, GRAY = 32, 16, 127.5
BATCHES = (16, 32, 64)  # tried for the peers
TARGETS = {
    "Grad-CAM": "at least 2",
    f"SmoothGrad, {SAMPLES} samples": "at least 1.5",
    f"Score-CAM, {CHANNELS} feature maps": "at least 1.5",
    f"Occlusion, squares of {PATCH} pixels every {STRIDE}": "at least 1.5",
}


class Asked:
    """A network and a photo of which both explain the same class."""

    def __init__(self, name: str):
        """Open the network and the first example photo."""
        opened = open_pretrained(name)
        self.model = opened.model
        path = sorted(example_photos(get_settings().data_dir).values())[0]
        image = prepare(decode_image(path.read_bytes()), opened.card.input_shape)
        self.image = np.float32(image)[np.newaxis]
        self.label = int(opened.logits(self.image)[0].argmax())
        self.layer = default_layer(self.model)

    def ours(self) -> list[Callable[[], Any]]:
        """In the order of `TARGETS`."""
        model, image, label = self.model, self.image, self.label
        return [
            lambda: explain.grad_cam(model, image, label),
            lambda: explain.smoothgrad(model, image, label, samples=SAMPLES, noise=NOISE),
            lambda: explain.score_cam(model, image, label, channels=CHANNELS),
            lambda: explain.occlusion(model, image, label, patch=PATCH, stride=STRIDE),
        ]

    def theirs(self) -> list[Callable[[], Any]]:
        """In the order of `TARGETS`; the slow ones with their best batch size."""
        image, score = self.image, CategoricalScore(self.label)
        layer = {"penultimate_layer": self.layer, "seek_penultimate_conv_layer": False}
        gradcam, saliency, scorecam = (
            peer(self.model, clone=False) for peer in (Gradcam, Saliency, Scorecam)
        )
        smooth = {"smooth_samples": SAMPLES, "smooth_noise": NOISE}
        predict_batch = min(BATCHES, key=lambda size: self._seconds_to_predict(size))
        return [
            lambda: gradcam(score, image, **layer),
            lambda: saliency(score, image, **smooth),
            lambda: scorecam(score, image, batch_size=predict_batch, max_N=CHANNELS, **layer),
            self._occlusion_with_predict,
        ]

    def _seconds_to_predict(self, batch: int) -> float:
        images = np.repeat(self.image, 4 * max(BATCHES), 0)
        self.model.predict(images, batch_size=batch, verbose=0)
        return seconds_of(lambda: self.model.predict(images, batch_size=batch, verbose=0))

    def _occlusion_with_predict(self) -> np.ndarray:
        """As tf-explain does it: all hidden images in one array, batches of 32."""
        squares = patches(self.image.shape[1:3], PATCH, STRIDE)
        hidden = np.repeat(self.image, len(squares), 0)
        for image, (rows, columns) in zip(hidden, squares, strict=True):
            image[rows, columns] = GRAY
        scores = self.model.predict(hidden, batch_size=32, verbose=0)[:, self.label]
        full = self.model.predict(self.image, verbose=0)[0, self.label]
        total, count = np.zeros((2, *self.image.shape[1:3]))
        for score, (rows, columns) in zip(scores, squares, strict=True):
            total[rows, columns] += full - score
            count[rows, columns] += 1
        return total / count


def seconds_of(function: Callable[[], Any]) -> float:
    """Seconds for one call."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def rows_of(name: str, rounds: int) -> list[Row]:
    """The rows of one network."""
    asked, rows = Asked(name), []
    for (what, target), ours, theirs in zip(
        TARGETS.items(), asked.ours(), asked.theirs(), strict=True
    ):
        ours(), theirs()  # compile
        times = take_turns(
            {"ours": lambda f=ours: seconds_of(f), "peer": lambda f=theirs: seconds_of(f)}, rounds
        )
        peer = "`model.predict`, batches of 32" if what.startswith("Occlusion") else "tf-keras-vis"
        rows.append(
            Row(
                what=f"{NETWORKS[name]}, {what}",
                ours=_seconds(times["ours"]),
                peer=f"{_seconds(times['peer'])} ({peer})",
                ratio=ratio_text(times["peer"], times["ours"]),
                target=target,
            )
        )
    return rows


def _seconds(times: list[float]) -> str:
    value = statistics.median(times)
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.0f} ms"


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    options = parser.parse_args()
    rows = [row for name in options.networks for row in rows_of(name, options.rounds)]
    save(
        rows,
        [
            "A map of one photo in 224×224 pixels, from the image as an array; everything is "
            f"compiled before. Score-CAM's peer has the best of batches of {BATCHES}.",
        ],
    )


if __name__ == "__main__":
    main()
