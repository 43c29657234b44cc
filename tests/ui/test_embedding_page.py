"""Embedding: one job makes it, what is there is shown at once, the address restores all of it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl

import numpy as np
import pytest

from cnnkit.datasets import load_dataset
from cnnkit.embedding import Embedding, EmbeddingSettings
from cnnkit.embedding.sample import draw_sample, pack_thumbnails
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress, Status
from cnnkit.settings import get_settings
from cnnkit.visualize.results import ResultCache
from tests.pages import opened, words_of
from tests.workers import StillWorker

STARTER = NetworkRef("run", "starter")
SETTINGS = EmbeddingSettings(layer="conv2", dataset="digits", count=100)
open_page = partial(
    opened, "pages/embedding.py", network=str(STARTER), dataset="digits", count="100"
)


@pytest.fixture(autouse=True)
def still(monkeypatch, store, submitted) -> StillWorker:
    """The page's worker, without a process, and jobs that nobody starts."""
    worker = StillWorker(get_settings())
    monkeypatch.setattr("cnnkit.ui.common.cache.VisualizationWorker", lambda settings: worker)
    return worker


def keep(settings: EmbeddingSettings = SETTINGS, classes=tuple("0123456789"), **facts) -> Embedding:
    """Prefill the results with an embedding as a job would have made it."""
    dataset = load_dataset(settings.dataset)
    sample = draw_sample(dataset, settings)
    count = len(sample.rows)
    thumbnails = pack_thumbnails(dataset.images[sample.rows])
    predicted = sample.labels.copy()
    predicted[:4] = (predicted[:4] + 1) % 10
    made = Embedding(
        settings=settings,
        class_names=dataset.class_names,
        network_classes=classes,
        rows=sample.rows,
        labels=sample.labels,
        predicted=predicted,
        confidence=np.full(count, 0.9, np.float32),
        coordinates=np.float32(
            np.random.default_rng(list(settings.layer.encode())).normal(size=(count, 2))
        ),
        thumbnails=np.frombuffer(thumbnails, np.uint8),
        facts={"features": 50, "seconds": 4.0, **facts},
    )
    settings_of_app = get_settings()
    results = ResultCache(settings_of_app.results, settings_of_app.results_memory)
    made.keep(results, settings.key(STARTER.digest()))
    return made


def charts_of(at) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def test_the_first_visit_says_what_to_do_and_one_click_submits_one_job(store, submitted):
    at = open_page()
    assert "Press **Compute**" in at.info[0].value
    assert at.selectbox(key="choice_layer").value == "conv2"
    at.button(key="compute").click().run()
    assert not at.exception
    run = store.get(submitted[0])
    assert run.kind == "embedding" and run.spec["network"] == "run.starter"
    assert EmbeddingSettings.from_dict(run.spec) == SETTINGS
    assert [bar.text for bar in at.get("progress")] == ["Queued"]
    assert "compute" not in {button.key for button in at.button}


@pytest.mark.parametrize(
    ("progress", "words"),
    (
        (Progress(stage="images"), "Reading the images"),
        (
            Progress(stage="features", step=32, steps=100, seconds_left=61.0),
            "Features of 32 of 100 images · about 1 min 1 s left",
        ),
        (Progress(stage="projection", step=50, steps=750), "t-SNE: iteration 50 of at most 750"),
        (Progress(stage="projection"), "t-SNE, which does not report how far it is"),
    ),
)
def test_a_running_job_says_how_far_it_is_and_can_be_stopped(store, submitted, progress, words):
    open_page().button(key="compute").click().run()
    store.update(submitted[0], status=Status.RUNNING, progress=progress)
    at = open_page()
    assert [bar.text for bar in at.get("progress")] == [words]
    at.button(key=f"stop_{submitted[0]}").click().run()
    assert store.get(submitted[0]).wish == "cancel"


def test_a_failed_job_says_why_and_can_be_resumed(store, submitted):
    open_page().button(key="compute").click().run()
    store.update(submitted[0], status=Status.FAILED, reason="The same features.\nTraceback …")
    at = open_page()
    assert [error.value for error in at.error] == ["The same features."]
    assert f"resume_{submitted[0]}" in {button.key for button in at.button}


def test_an_embedding_that_is_there_is_shown_at_once_with_its_files():
    made = keep()
    at = open_page()
    assert "compute" not in {button.key for button in at.button}
    (chart,) = charts_of(at)
    points = {point[0] for trace in chart["data"] for point in trace["customdata"]}
    assert points == set(range(100)) and len(chart["data"]) == len(np.unique(made.labels))
    assert chart["layout"]["dragmode"] == "lasso"
    words = words_of(at)
    assert "100 images, 50 features each" in words and "classifies 96.0% correctly" in words
    files = {button.proto.label for button in at.get("download_button")}
    assert files == {"CSV", "Features", "Script"}


def test_it_is_shown_while_the_layers_are_still_being_read(still):
    keep()
    still.reading = True
    assert len(charts_of(open_page(layer="conv2"))) == 1
    assert "Reading the network's layers" in words_of(open_page(layer="conv1"))


def test_misclassified_images_are_a_group_where_the_network_knows_the_classes(store):
    keep()
    (chart,) = charts_of(open_page(color="correct"))
    assert {t["name"]: len(t["customdata"]) for t in chart["data"]} == {
        "correct": 96,
        "misclassified": 4,
    }
    other = replace(SETTINGS, layer="conv1")
    keep(other, classes=("cat", "dog", *map(str, range(8))))
    at = open_page(layer="conv1")
    assert "choice_color" not in {one.key for one in at.segmented_control}
    assert "classifies" not in words_of(at)


def test_a_link_restores_method_and_numbers():
    wanted = replace(SETTINGS, split="all", pooling="flatten", perplexity=10.0, seed=3)
    keep(wanted)
    at = open_page(split="all", pooling="flatten", perplexity="10", seed="3")
    assert len(charts_of(at)) == 1
    keep(replace(SETTINGS, method="pca"), explained=[0.5, 0.25])
    (chart,) = charts_of(open_page(method="pca"))
    assert "50% of the variance" in chart["layout"]["xaxis"]["title"]["text"]


def test_two_layers_are_compared_by_points_that_move():
    first = keep()
    assert "Both are the same" in words_of(
        open_page(compare="network", other_network=str(STARTER), other_layer="conv2")
    )
    at = open_page(compare="layer", other_layer="conv1")
    assert "compute_other" in {button.key for button in at.button}
    second = keep(replace(SETTINGS, layer="conv1"))
    at = open_page(compare="layer", other_layer="conv1")
    chart = charts_of(at)[-1]
    assert [frame["name"] for frame in chart["frames"]] == ["conv2", "conv1"]
    buttons = chart["layout"]["updatemenus"][0]["buttons"]
    assert [button["args"][0] for button in buttons] == [["conv2"], ["conv1"]]
    assert "Procrustes" in words_of(at)
    assert not np.array_equal(first.coordinates, second.coordinates)


def test_a_clicked_point_leads_to_the_pages_that_look_at_its_image(monkeypatch):
    made = keep()
    clicked = [{"customdata": [7, "words"]}]
    monkeypatch.setattr("cnnkit.ui.common.charts.selected_points", lambda *_, **__: clicked)
    at = open_page()
    protos = [link.proto for link in at.get("page_link")]
    links = {link.page: dict(parse_qsl(link.query_string)) for link in protos if link.query_string}
    dataset = load_dataset("digits")
    images, labels = dataset.part("test")
    query = links["inside"]
    same = np.flatnonzero(labels == int(query["class"]))
    number = int(query["image"])
    assert np.array_equal(images[same[number]], dataset.images[made.rows[7]])
    assert query["data"] == "digits" and links["explain"]["networks"] == str(STARTER)


def test_an_image_without_kept_features_offers_to_compute_them_again(store, submitted):
    keep()
    at = open_page(place="true", **{"from": "test", "class": "3"})
    assert any("no longer kept" in warning.value for warning in at.warning)
    at.button(key="features_again").click().run()
    assert store.get(submitted[0]).kind == "embedding"


def test_a_layer_that_is_not_there_and_a_network_that_was_deleted_are_named():
    assert any("“conv9”" in warning.value for warning in open_page(layer="conv9").warning)
    at = opened("pages/embedding.py", network="run.0123456789abcdef0123456789abcdef")
    assert any("0123456789abcdef" in warning.value for warning in at.warning)
    at = open_page(perplexity="1000")
    assert any("Perplexity must be 5 to 100" in warning.value for warning in at.warning)


def test_a_damaged_result_is_removed_and_can_be_made_again():
    keep()
    results = ResultCache(get_settings().results, get_settings().results_memory)
    path = results.path(SETTINGS.key(STARTER.digest())) / "coordinates.npy"
    path.write_bytes(b"damaged")
    assert "compute" in {button.key for button in open_page().button}


def test_an_unknown_network_of_the_address_is_said_and_the_usual_one_stays():
    at = opened("pages/embedding.py", network="run.nosuch", dataset="digits", count="100")
    assert not at.exception and not at.error
    assert ["nosuch" in warning.value for warning in at.warning] == [True]
    assert at.selectbox(key="choice_network").value == str(STARTER)
