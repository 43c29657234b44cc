"""Mosaics as a job: optimized images of the filters of some layers, layer after layer.

Each finished layer is kept among the results. That is the checkpoint: what is there is not
made again, by this run or by any other.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnkit.jobs._sharing import result_cache
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress, Status
from cnnkit.visualize.mosaics import MosaicSettings
from cnnkit.visualize.results import ResultCache

if TYPE_CHECKING:
    from cnnkit.jobs._context import JobContext
    from cnnkit.visualize.mosaics import LayerMosaic, MosaicBuilder


def run(job: JobContext) -> Status:
    """Make the missing layers; a pause waits for the end of a layer, cancelling does not."""
    spec, settings = job.run.spec, job.store.settings
    network, options = NetworkRef.from_spec(spec), MosaicSettings.from_dict(spec)
    layers = spec["layers"]
    job.params({"network": network.title(), "layers": len(layers), **options.to_dict()})
    results = result_cache(settings, job.shared)
    keys = {layer: options.key(network.digest(), layer) for layer in layers}
    if all(map(results.has, keys.values())):
        return Status.FINISHED
    return job.drive(_make(job, _builder(job, network, options), results, keys))


def _make(
    job: JobContext, builder: MosaicBuilder, results: ResultCache, keys: Mapping[str, str]
) -> Iterator[Progress | None]:
    """Make one layer after the other; see `JobContext.drive`."""
    steps = builder.steps
    missing = [layer for layer in keys if not results.has(keys[layer])]
    done = sum(steps[layer] for layer in keys if layer not in missing)
    for number, layer in enumerate(missing, start=len(keys) - len(missing) + 1):
        yield None
        began = time.monotonic()
        if not results.has(keys[layer]):  # another run may have made it meanwhile
            progress = Progress(
                epoch=number, epochs=len(keys), step=done, steps=sum(steps.values())
            )
            mosaic = yield from _layer(builder.make(layer), progress)
            mosaic.keep(results, keys[layer])
            job.share_result(results, keys[layer])
            job.log(number, {"layer_seconds": time.monotonic() - began})
        done += steps[layer]


def _layer(
    steps: Generator[int, None, LayerMosaic], before: Progress
) -> Generator[Progress, None, LayerMosaic]:
    """One layer, with the progress of the whole job."""
    yield before
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        yield replace(before, step=before.step + step)


def _builder(job: JobContext, network: NetworkRef, options: MosaicSettings) -> MosaicBuilder:
    from cnnkit.models import ModelCache
    from cnnkit.visualize.mosaics import MosaicBuilder
    from cnnkit.visualize.top_activations import collection_for

    settings = job.store.settings
    opened = network.open(ModelCache(settings.model_memory))
    card = opened.card
    collection = collection_for(card.input_shape, card.dataset, settings.data_dir)
    return MosaicBuilder(opened, options, job.run.spec["layers"], collection)
