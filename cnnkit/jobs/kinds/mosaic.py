"""Mosaics as a job: optimized images of the filters of some layers, layer after layer.

Each layer is kept among the results as soon as it is finished. That is the checkpoint: what
is there is not made again, by this run or by any other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress, Status
from cnnkit.visualize.mosaics import MosaicSettings
from cnnkit.visualize.results import ResultCache

if TYPE_CHECKING:
    from cnnkit.jobs._context import JobContext
    from cnnkit.visualize.mosaics import LayerMosaic, MosaicBuilder


def run(job: JobContext) -> Status:
    """Make the layers that lack; a pause waits for the end of a layer, cancelling does not."""
    spec, settings = job.run.spec, job.store.settings
    network, way, layers = (
        NetworkRef.from_spec(spec),
        MosaicSettings.from_dict(spec),
        spec["layers"],
    )
    job.params({"network": network.title(), "layers": len(layers), **way.to_dict()})
    results = ResultCache(settings.results, settings.results_memory)
    keys = {layer: way.key(network.digest(), layer) for layer in layers}
    if all(map(results.has, keys.values())):
        return Status.FINISHED
    work = MosaicRun(job, _gallery(job, network, way))
    for number, (layer, key) in enumerate(keys.items(), start=1):
        if results.has(key):
            work.skip(layer)
            continue
        made = work.make(number, layer)
        if made is None:
            return Status.CANCELLED
        made.keep(results, key)
        job.log(number, {"layer_seconds": work.seconds})
        if job.control() == "pause" and number < len(layers):
            return Status.PAUSED
    return Status.FINISHED


class MosaicRun:
    """Makes one layer after the other, and tells how far it is.

    Args:
        job: that is told.
        gallery: of its network and its layers.
    """

    def __init__(self, job: JobContext, gallery: MosaicBuilder):
        """Nothing is done yet."""
        self.job, self.gallery = job, gallery
        self.seconds = 0.0  # that the last layer took
        self._done = 0  # steps of the layers before
        self._skipped = 0  # of these, not made now
        self._began = time.monotonic()

    def skip(self, layer: str) -> None:
        """Count a layer as done that was there already."""
        self._skipped += self.gallery.steps[layer]
        self._done += self.gallery.steps[layer]

    def make(self, number: int, layer: str) -> LayerMosaic | None:
        """Make one layer; None: cancelled meanwhile.

        Args:
            number: of the layer in the job, 1-based.
            layer: its name.
        """
        began = time.monotonic()
        steps = self.gallery.make(layer)
        self._tell(number, 0)
        try:
            while self.job.control() != "cancel":
                self._tell(number, next(steps))
        except StopIteration as end:
            self._done += self.gallery.steps[layer]
            self.seconds = time.monotonic() - began
            return end.value
        return None

    def _tell(self, number: int, done: int) -> None:
        """Report steps of the running layer, and what is left at the pace so far."""
        total, all_done = sum(self.gallery.steps.values()), self._done + done
        now_made = all_done - self._skipped
        pace = (time.monotonic() - self._began) / now_made if now_made else None
        self.job.progress(
            Progress(
                epoch=number,
                epochs=len(self.gallery.steps),
                step=all_done,
                steps=total,
                seconds_left=None if pace is None else pace * (total - all_done),
            )
        )


def _gallery(job: JobContext, network: NetworkRef, way: MosaicSettings) -> MosaicBuilder:
    from cnnkit.models import ModelCache
    from cnnkit.visualize.mosaics import MosaicBuilder
    from cnnkit.visualize.top_activations import collection_for

    settings = job.store.settings
    opened = network.open(ModelCache(settings.model_memory))
    card = opened.card
    collection = collection_for(card.input_shape, card.dataset, settings.data_dir)
    return MosaicBuilder(opened, way, job.run.spec["layers"], collection)
