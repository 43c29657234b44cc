"""Feature visualization mosaics of sixteen channels a layer, for docs/mosaics.md.

    python -m benchmarks.mosaics vgg16 googlenet

Layers that were made before with the same settings are kept, so that a run which was cut short
goes on; `--again` makes them anew. VGG16's also ship with cnnkit, for the page Layers.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from benchmarks._measure import machine
from benchmarks._mosaics_document import read_results, save_image, save_results
from cnnkit.figures.rasters import mosaic
from cnnkit.networks import PRETRAINED, WITHOUT_TOP, NetworkRef
from cnnkit.published.mosaics import PHOTOS, read_card, write_card, write_images
from cnnkit.visualize.mosaics import LayerMosaic, MosaicBuilder, default_settings
from cnnkit.visualize.top_activations import Collection, collection_for, thumbnails

LAYERS = {
    "vgg16": tuple(
        f"block{block}_conv{number}"
        for block, count in enumerate((2, 2, 3, 3, 3), start=1)
        for number in range(1, count + 1)
    ),
    "googlenet": tuple(f"inception_{place}" for place in "3a 3b 4a 4b 4c 4d 4e 5a 5b".split()),
}
NETWORKS = {
    "vgg16": NetworkRef(WITHOUT_TOP, "vgg16"),
    "googlenet": NetworkRef(PRETRAINED, "googlenet"),
}
SHIPPED = ("vgg16",)
WIDTH = 480  # pixels, of a mosaic


class Mosaics:
    """The mosaics of one network: made one after the other, each written as soon as it is there.

    Args:
        name: of the network.
        again: make anew what is there.
    """

    def __init__(self, name: str, again: bool):
        """Read what is there; make nothing yet."""
        self.name, self.settings = name, default_settings(name)
        found = read_results().get(name, {})
        same = found.get("settings") == self.settings.to_dict() and not again
        self.done: list[dict[str, Any]] = found["layers"] if same else []
        self.shipped: list[dict[str, Any]] = []
        if same and self.done and name in SHIPPED:
            self.shipped = read_card(name)["layers"]

    def make(self) -> None:
        """Make what lacks."""
        there = {row["layer"] for row in self.done}
        lacking = [layer for layer in LAYERS[self.name] if layer not in there]
        if not lacking:
            return
        opened = NETWORKS[self.name].open()
        photos = collection_for(opened.card.input_shape) if self.name in SHIPPED else None
        builder = MosaicBuilder(opened, self.settings, lacking, photos)
        for layer in lacking:
            began = time.perf_counter()
            made = builder.finished(layer)
            seconds = round(time.perf_counter() - began, 1)
            print(f"  {layer}: {seconds:.0f} s", flush=True)
            self._add(made, seconds, photos)

    def _add(self, made: LayerMosaic, seconds: float, photos: Collection | None) -> None:
        grid = mosaic(made.images, columns=4, width=WIDTH)
        save_image(grid, f"filters-{self.name}-{made.layer}.jpg")
        side = made.images.shape[1]
        self.done.append(
            {"layer": made.layer, "units": made.units, "side": side, "seconds": seconds}
        )
        values = {"machine": "; ".join(machine()), "settings": self.settings.to_dict()}
        save_results(self.name, {**values, "layers": self.done})
        if photos is not None:
            self._ship(made, photos)

    def _ship(self, made: LayerMosaic, photos: Collection) -> None:
        """Put a layer among the files of the package."""
        places = _places_in(photos, made)
        row = {name: getattr(made, name) for name in ("layer", "shape", "field", "units")}
        values = np.round(made.values.astype(float), 1).tolist()
        self.shipped.append({**row, "places": places.tolist(), "values": values})
        write_images(self.name, made.layer, made.images)
        write_images(self.name, PHOTOS, thumbnails(photos.images))
        card = {
            "weights": NETWORKS[self.name].convolutions_digest(),
            "settings": self.settings.to_dict(),
            "collection": {"title": photos.title, "names": photos.names},
            "layers": self.shipped,
        }
        write_card(self.name, card)


def _places_in(photos: Collection, made: LayerMosaic) -> np.ndarray:
    """The places of a layer's top activating images in the whole collection."""
    whole = [image.tobytes() for image in thumbnails(photos.images)]
    return np.array([whole.index(image.tobytes()) for image in made.shown])[made.places]


def main() -> None:
    """Make the mosaics of the networks that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", choices=[[], *LAYERS], default=[])
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    for name in asked.networks or LAYERS:
        print(name, flush=True)
        Mosaics(name, asked.again).make()


if __name__ == "__main__":
    main()
