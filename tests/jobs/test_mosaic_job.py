"""A real job of mosaics: what it keeps, and that a stop loses no layer."""

from pathlib import Path

import pytest

from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.visualize.mosaics import LayerMosaic, MosaicSettings
from cnnkit.visualize.results import ResultCache

LAYERS = ("block1_conv1", "block2_conv1")
WAY = MosaicSettings(units=3, preset="quick", steps=400)


@pytest.fixture
def starter() -> NetworkRef:
    return NetworkRef("run", "starter")


@pytest.fixture
def results(settings) -> ResultCache:
    return ResultCache(settings.results, settings.results_memory)


def spec(source, layers=LAYERS, way=WAY):
    return {"network": str(source), "layers": list(layers), **way.to_dict()}


@pytest.mark.endurance
@pytest.mark.faults
def test_a_cancelled_job_goes_on_without_making_the_first_layer_again(
    pool, until, results, starter
):
    first, second = (WAY.key(starter.digest(), layer) for layer in LAYERS)
    run = pool.submit(kind="mosaic", spec=spec(starter))
    until(run, lambda run: results.has(first))
    pool.cancel(run.id)
    assert until(run, lambda run: run.status.over).status is Status.CANCELLED
    assert results.has(first) and not results.has(second)
    made = inode(results, first)

    pool.resume(run.id)
    run = until(run, lambda run: run.status.over)
    assert (run.status, run.reason, run.attempt) == (Status.FINISHED, "", 2)
    assert run.progress.fraction == 1 and run.progress.epochs == 2
    assert inode(results, first) == made
    for key, layer, filters in ((first, LAYERS[0], 20), (second, LAYERS[1], 50)):
        found = LayerMosaic.read(results, key)
        assert found.layer == layer and found.units == WAY.channels(filters)
        assert found.images.shape == (3, 28, 28, 1)
        assert found.places.shape == (3, 9) and "test images of" in found.collection


def inode(results: ResultCache, key: str) -> int:
    return (Path(results.folder) / key / "images.npy").stat().st_ino
