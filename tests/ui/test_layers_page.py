"""Layers: what is there is shown at once, what lacks is made by one job, and what cannot be."""

from __future__ import annotations

import shutil
from functools import partial

import numpy as np
import pytest

from cnnkit.assets import ASSETS, without_top_asset
from cnnkit.models import convolutions_digest
from cnnkit.networks import NetworkRef
from cnnkit.published.mosaics import read_mosaics
from cnnkit.runs import Progress, Status
from cnnkit.settings import get_settings
from cnnkit.visualize.mosaics import LayerMosaic, MosaicSettings
from cnnkit.visualize.results import ResultCache
from tests.pages import opened, words_of
from tests.shipped import VGG16, write_mosaics, write_weights
from tests.workers import StillWorker

open_page = partial(opened, "pages/layers.py", network="run.starter")
LAYERS = StillWorker.layers


@pytest.fixture(autouse=True)
def still(monkeypatch, store, submitted) -> StillWorker:
    """The page's worker, without a process, and jobs that nobody starts."""
    worker = StillWorker(get_settings())
    monkeypatch.setattr("cnnkit.ui.common.cache.VisualizationWorker", lambda settings: worker)
    return worker


@pytest.fixture
def results() -> ResultCache:
    settings = get_settings()
    return ResultCache(settings.results, settings.results_memory)


@pytest.fixture
def starter() -> NetworkRef:
    return NetworkRef("run", "starter")


def keep(results, source, layer, way=None, collection="360 test images of digits"):
    """Prefill the store with a layer as a job would have made it."""
    way = way or MosaicSettings()
    count = dict((name, shape[-1]) for name, _, shape in LAYERS)[layer]
    units = way.channels(count)
    most = 9 if collection else 0
    LayerMosaic(
        layer=layer,
        shape=(8, 8, count),
        field=(14, 14),
        units=units,
        images=np.full((len(units), 28, 28, 1), 90, np.uint8),
        collection=collection,
        names=tuple("012345678"[:most]),
        shown=np.zeros((most, 28, 28, 1), np.uint8),
        places=np.tile(np.arange(most), (len(units), 1)),
        values=np.ones((len(units), most), np.float32),
    ).keep(results, way.key(source.digest(), layer))
    return units


def headings(at):
    return [m.value.removeprefix("##### ") for m in at.markdown if m.value.startswith("#####")]


def submit(at):
    at.button(key="make").click().run()
    assert not at.exception


def test_the_first_visit_says_what_to_do_and_one_click_submits_one_job(store, submitted):
    at = open_page()
    assert "Press **Make the mosaics**" in at.info[0].value
    assert "Example: the digit network that ships" in words_of(at)
    assert at.multiselect(key="choice_layers").value == ["conv1", "conv2", "logits"]
    submit(at)
    (run_id,) = submitted
    run = store.get(run_id)
    assert run.kind == "mosaic" and run.spec["layers"] == ["conv1", "conv2", "logits"]
    assert run.spec["network"] == "run.starter" and run.spec["units"] == 16
    assert any("Queued" in bar.text for bar in at.get("progress"))
    assert "make" not in {button.key for button in at.button}


def test_what_was_made_before_is_shown_from_shallow_to_deep(results, starter):
    keep(results, starter, "conv2")
    keep(results, starter, "conv1")
    at = open_page(layers="conv2,conv1")
    assert headings(at) == ["conv1", "conv2"]
    words = words_of(at)
    assert "8×8×50 · receptive field 14×14 of 28×28 pixels · 16 of 50 filters" in words
    assert (
        "Top activating image patches of 360 test images of digits: 0, 1, 2, 3 and others." in words
    )
    assert "make" not in {button.key for button in at.button}


def test_it_is_shown_while_the_layers_are_still_being_read(still, monkeypatch, results, starter):
    keep(results, starter, "conv1")
    still.reading = True
    at = open_page(layers="conv1")
    assert headings(at) == ["conv1"]
    assert "Reading the network's layers" in words_of(at)


def test_only_what_lacks_is_made_and_a_running_job_is_followed(store, results, starter, submitted):
    keep(results, starter, "conv1")
    at = open_page(layers="conv1,conv2")
    submit(at)
    run = store.get(submitted[0])
    assert run.spec["layers"] == ["conv2"] and headings(at) == ["conv1"]
    progress = Progress(epoch=1, epochs=1, step=64, steps=128, seconds_left=61.0)
    store.update(run.id, status=Status.RUNNING, progress=progress)
    at = open_page(layers="conv1,conv2")
    assert any("conv2, layer 1 of 1 · about 1 min 1 s" in bar.text for bar in at.get("progress"))
    assert {f"pause_{run.id}", f"cancel_{run.id}"} <= {button.key for button in at.button}


def test_a_failed_job_says_why_and_can_be_resumed(store, results, starter, submitted):
    at = open_page()
    submit(at)
    store.update(submitted[0], status=Status.FAILED, reason="No memory is left.\nTraceback …")
    at = open_page()
    assert [error.value for error in at.error] == ["No memory is left."]
    assert f"resume_{submitted[0]}" in {button.key for button in at.button}


def test_a_link_restores_layers_the_way_and_the_chosen_filter(results, starter):
    way = MosaicSettings(units="all", preset="quick", steps=9, seed=3)
    keep(results, starter, "conv2", way)
    query = {"all_filters": "true", "preset": "quick", "steps": "9", "seed": "3"}
    at = open_page(**query, layers="conv2", layer="conv2", unit="41")
    assert at.selectbox(key="filter_conv2").value == 41
    links = [link.proto for link in at.get("page_link")]
    (link,) = [one for one in links if one.label == "Continue with filter 41 in Visualize"]
    assert {"layer=conv2", "unit=41", "network=run.starter"} <= set(link.query_string.split("&"))


def test_choosing_a_filter_is_kept_in_the_address(results, starter):
    units = keep(results, starter, "conv1")
    at = open_page(layers="conv1")
    assert at.selectbox(key="filter_conv1").value == units[0]
    at.selectbox(key="filter_conv1").set_value(units[5]).run()
    assert not at.exception
    assert (at.query_params["layer"], at.query_params["unit"]) == ("conv1", str(units[5]))
    assert f"Activation maximization of filter {units[5]}." in words_of(at)


def test_another_draw_forgets_the_chosen_filter(results, starter):
    units = keep(results, starter, "conv1")
    at = open_page(layers="conv1", layer="conv1", unit=str(units[1]))
    at.number_input(key="number_seed").set_value(4).run()
    assert not at.exception and not at.warning
    assert "unit" not in at.query_params


def test_a_network_that_no_images_fit_says_so(results, starter):
    keep(results, starter, "conv1", collection="")
    at = open_page(layers="conv1")
    assert "No images on this machine fit this network's input" in words_of(at)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"layers": "conv1,conv9"}, "does not have: conv9"),
        ({"layer": "conv1", "unit": "99"}, "filter “99” of layer “conv1”"),
        ({"layer": "conv1", "unit": "many"}, "filter “many” of layer “conv1”"),
        ({"layer": "logits", "unit": "1"}, "layer “logits”, which is not in these mosaics"),
        ({"seed": "many"}, "Random seed must be 0 to"),
        ({"network": "imagenet.nothing"}, "network “pretrained.nothing”"),
    ],
)
def test_a_bad_link_is_said_in_one_sentence(results, starter, query, words):
    keep(results, starter, "conv1")
    at = opened("pages/layers.py", **({"network": "run.starter", "layers": "conv1"} | query))
    assert len(at.warning) == 1 and words in at.warning[0].value


def test_no_layer_at_all_is_asked_for_one():
    at = open_page()
    at.multiselect(key="choice_layers").set_value([]).run()
    assert [info.value for info in at.info] == ["Choose at least one layer."]


def test_a_layer_that_was_pushed_out_of_the_store_is_offered_again(results, starter):
    keep(results, starter, "conv1")
    shutil.rmtree(results.folder)
    assert "conv1" not in headings(open_page(layers="conv1"))


@pytest.fixture
def vgg16(tmp_path, monkeypatch) -> str:
    """A weight file in the place of VGG16's without top; its digest."""
    path = tmp_path / "weights" / ASSETS[without_top_asset("vgg16")].filename
    path.parent.mkdir()
    write_weights(path)
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    return convolutions_digest(path)


@pytest.fixture
def ship(tmp_path, monkeypatch):
    """Let thirteen mosaics ship that were made with some weights."""
    monkeypatch.setattr("cnnkit.published.mosaics.FOLDER", tmp_path / "mosaics")
    images = np.full((16, 8, 8, 3), 90, np.uint8)

    def write(weights: str) -> None:
        layers = dict.fromkeys(VGG16, images)
        read_mosaics.cache_clear()
        write_mosaics(tmp_path / "mosaics", "vgg16", layers, weights=weights)

    return write


def test_shipped_mosaics_are_shown_at_once_without_a_job(still, vgg16, ship, submitted):
    ship(vgg16)
    still.reading = True
    at = opened("pages/layers.py", network="without_top.vgg16")
    assert headings(at) == VGG16 and submitted == []
    assert "made with these settings from exactly the weights of this network" in words_of(at)
    assert "Top activating image patches of photos: dog." in words_of(at)
    still.reading = False
    still.layers = tuple((name, "Conv2D", (8, 8, 16)) for name in [*VGG16, "block5_pool"])
    at = opened("pages/layers.py", network="without_top.vgg16")
    assert headings(at) == VGG16 and at.multiselect(key="choice_layers").value == VGG16
    assert "make" not in {button.key for button in at.button}
    at.multiselect(key="choice_layers").set_value([VGG16[0], "block5_pool"]).run()
    assert headings(at) == VGG16[:1]
    assert at.button(key="make").label == "Make the mosaics of block5_pool"


def test_shipped_mosaics_are_not_shown_for_other_weights_or_settings(still, vgg16, ship):
    still.layers = tuple((name, "Conv2D", (8, 8, 16)) for name in VGG16)
    ship(vgg16)
    assert (
        headings(opened("pages/layers.py", network="without_top.vgg16", seed="1"))[0] not in VGG16
    )
    ship("of other weights")
    shipped_again = opened("pages/layers.py", network="without_top.vgg16")
    assert not set(headings(shipped_again)) & set(VGG16)
    assert "ship with cnnkit" not in words_of(shipped_again)


def test_who_has_no_weights_sees_what_ships_and_which_weights_it_is_of(still, ship):
    still.layers = tuple((name, "Conv2D", (8, 8, 16)) for name in VGG16)
    ship("published")
    at = opened("pages/layers.py", network="built.vgg16")
    words = words_of(at)
    assert headings(at) == ["Example: the same architecture with its official weights"]
    assert "not with the random ones of the network chosen above" in words
    assert all(f"16 filters of {layer}" in words for layer in VGG16)


def test_each_network_has_its_own_usual_preset_until_one_is_chosen(still, vgg16, ship):
    ship(vgg16)
    still.layers = tuple((name, "Conv2D", (8, 8, 16)) for name in VGG16)
    at = open_page()
    assert at.selectbox(key="choice_preset").value == "all"
    at.selectbox(key="choice_network").set_value("without_top.vgg16").run()
    assert not at.exception and at.selectbox(key="choice_preset").value == "vgg_filters"
    assert headings(at) == VGG16
    at.selectbox(key="choice_preset").set_value("quick").run()
    at.selectbox(key="choice_network").set_value("run.starter").run()
    assert not at.exception and at.selectbox(key="choice_preset").value == "quick"
