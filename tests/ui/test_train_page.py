"""The Train page as a person uses it. Nothing is trained: runs are written by hand."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets.folders import labeled_images
from cnnkit.runs import Point, Progress, Status
from cnnkit.settings import get_settings
from cnnkit.training import Recipe, get_recipe, recipe_dataset
from tests.pages import opened

pytestmark = pytest.mark.usefixtures("submitted")

open_page = partial(opened, "pages/train.py")

RECIPE = get_recipe("lenet_tutorial", "fast").on("digits")
SCOPE = "digits.lenet_tutorial.fast"


def metrics_of(at):
    return {metric.label: metric.value for metric in at.metric}


def words_of(at):
    return "\n".join(element.value for element in (*at.markdown, *at.caption))


def test_a_first_visitor_sees_the_data_set_and_the_measured_training_time(store):
    at = open_page(dataset="digits")
    figures = metrics_of(at)
    assert figures["Trainable parameters"] == "431,080"
    assert figures["Images an epoch"] == "1,198"
    assert figures["Time"].endswith(" s")
    assert "As measured on 2 cores, no GPU; the first epoch will tell." in words_of(at)


def test_a_time_that_nothing_tells_is_unknown(store, monkeypatch):
    monkeypatch.setattr("cnnkit.ui.train.forecast.measurements", lambda: [])
    assert metrics_of(open_page(dataset="digits"))["Time"] == "unknown yet"


def test_pressing_train_submits_the_recipe_and_shows_the_run(store, submitted):
    at = open_page(dataset="digits")
    at.text_input("run_name").input("My first")
    at.button("train").click().run()
    assert not at.exception
    (run,) = store.list(statuses=[Status.QUEUED])
    assert submitted == [run.id]
    assert (run.name, dict(run.spec)) == ("My first", RECIPE.to_dict())
    assert at.query_params["run"] == run.id
    assert "My first" in [heading.value for heading in at.subheader]


def test_a_changed_hyperparameter_is_submitted_marked_and_undone_by_one_click(store):
    at = open_page(dataset="digits")
    at.number_input(f"{SCOPE}.learning_rate").set_value(0.5).run()
    assert "Learning rate" in words_of(at) and "→ 0.5" in words_of(at)
    at.button("train").click().run()
    (run,) = store.list(statuses=[Status.QUEUED])
    assert run.spec["learning_rate"] == 0.5
    assert run.spec["name"] == "fast, changed"

    at = open_page(dataset="digits")
    at.number_input(f"{SCOPE}.learning_rate").set_value(0.5).run()
    at.button(f"{SCOPE}.learning_rate.published").click().run()
    assert at.number_input(f"{SCOPE}.learning_rate").value == 0.1
    at.button("undo_all").click().run()
    assert at.number_input(f"{SCOPE}.learning_rate").value == RECIPE.learning_rate


def test_values_that_do_not_go_together_are_refused_by_name(store):
    at = open_page(dataset="digits")
    at.number_input(f"{SCOPE}.warmup_epochs").set_value(99.0).run()
    assert "warmup_epochs" in at.error[0].value


def test_a_rule_to_stop_brings_its_own_settings(store):
    at = open_page(dataset="digits")
    at.selectbox(f"{SCOPE}.stopping.kind").set_value("tutorial").run()
    assert at.number_input(f"{SCOPE}.stopping.patience.tutorial").value == 10_000
    at.button("train").click().run()
    (run,) = store.list(statuses=[Status.QUEUED])
    assert run.spec["stopping"]["kind"] == "tutorial"


def test_an_earlier_run_of_the_network_gives_the_time(store):
    run = store.create("train", RECIPE.to_dict(), "Yesterday")
    store.log(run.id, points(epoch_seconds=2.0, val_loss=0.5))
    store.update(run.id, status=Status.FINISHED)
    at = open_page(dataset="digits")
    assert metrics_of(at)["Time"] == f"{2 * RECIPE.epochs} s"
    assert "Yesterday" in words_of(at)


def test_a_link_finds_a_running_run_with_its_progress_and_its_buttons(store):
    run = store.create("train", RECIPE.to_dict(), "Linked")
    progress = Progress(
        epoch=2, epochs=5, step=15, steps=50, images_per_second=1234.0, seconds_left=65.0,
        learning_rate=0.1,
    )  # fmt: skip
    store.update(run.id, status=Status.RUNNING, progress=progress)
    at = open_page(run=run.id)
    assert metrics_of(at)["Time left"] == "1 min 5 s"
    assert metrics_of(at)["Images per second"] == "1,234"
    assert metrics_of(at)["Learning rate"] == "0.1"
    at.button(f"pause_{run.id}").click().run()
    assert store.get(run.id).wish == "pause"
    assert at.button(f"pause_{run.id}").disabled


@pytest.mark.parametrize("half", ["val_loss", "loss"])  # of the second epoch is there already
def test_an_epoch_that_is_half_written_does_not_disturb_the_page(store, half):
    run = store.create("train", RECIPE.to_dict(), "Half")
    progress = Progress(epoch=2, epochs=5, step=20, steps=50)
    store.update(run.id, status=Status.RUNNING, progress=progress)
    whole = points(loss=0.5, accuracy=0.8, val_loss=0.625, val_accuracy=0.75)
    store.log(run.id, [p for p in whole if p.step == 1 or (p.step, p.metric) == (2, half)])
    at = open_page(run=run.id)
    assert not at.exception and not at.error
    descriptions = [chart.proto.alt for chart in at.get("plotly_chart")]
    assert "Loss after epoch 1: 0.5 on training images, 0.625 on" in "".join(descriptions)


def test_a_paused_run_can_be_resumed(store, submitted):
    run = store.create("train", RECIPE.to_dict(), "Paused")
    store.update(run.id, status=Status.PAUSED)
    at = open_page(run=run.id)
    at.button(f"resume_{run.id}").click().run()
    assert not at.exception
    assert submitted == [run.id]
    assert store.get(run.id).status is Status.QUEUED


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.INTERRUPTED, Status.PAUSED])
def test_resuming_promises_only_the_epochs_that_were_finished(store, status):
    run = store.create("train", RECIPE.to_dict(), "Stopped")
    store.update(run.id, status=status)
    words = words_of(open_page(run=run.id))
    assert "Resume begins with the first epoch, as none was finished." in words
    checkpoint = store.settings.jobs / run.id / "checkpoint.npz"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert "Resume goes on from the last finished epoch." in words_of(open_page(run=run.id))


def test_a_failed_run_says_why_in_one_sentence_and_keeps_the_rest_folded(store):
    run = store.create("train", RECIPE.to_dict(), "Failed")
    store.update(run.id, status=Status.FAILED, reason="The disk is full.\nTraceback: line 1")
    at = open_page(run=run.id)
    assert at.error[0].value == "The disk is full."
    assert "Traceback" in at.expander[0].code[0].value


def test_queued_runs_know_their_place_and_can_be_reached(store):
    first, second = (store.create("train", RECIPE.to_dict(), name) for name in ("A", "B"))
    at = open_page(run=second.id)
    assert "1 ahead of you" in words_of(at)
    links = [link.proto.query_string for link in at.get("page_link")]
    assert any(first.id in link for link in links)


def test_a_link_to_a_run_that_is_gone_says_so_and_leads_back(store):
    at = open_page(run="gone")
    assert "'gone'" in at.error[0].value
    at.button("another").click().run()
    assert at.button("train")


def test_the_settings_of_an_earlier_run_are_a_starting_point(store):
    recipe = RECIPE.replace(learning_rate=0.25, model_options={"activation": "relu"})
    run = store.create("train", recipe.to_dict(), "Earlier")
    at = open_page(like=run.id)
    assert at.number_input(f"like.{run.id}.learning_rate").value == 0.25
    assert at.selectbox(f"like.{run.id}.model_options.activation").value == "relu"


def test_without_mnist_the_page_says_so_and_offers_what_is_there(store, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    at = open_page(dataset="mnist")
    assert "MNIST is not on this machine" in words_of(at)
    at.button("download_mnist").click().run()
    assert "storage.googleapis.com" in at.error[0].value and str(tmp_path) in at.error[0].value
    at.button("embedded").click().run()
    assert at.button("train")


def test_the_preview_shows_images_before_and_after(store):
    at = open_page(dataset="digits")
    assert len(at.image) == 1
    before = at.session_state["preview_seed"]
    at.button("reshuffle").click().run()
    assert at.session_state["preview_seed"] != before


def points(**values):
    from cnnkit.runs import Point

    return [
        Point(metric=name, value=value, step=epoch, when=1.7e9 + epoch)
        for name, value in values.items()
        for epoch in range(1, RECIPE.epochs + 1)
    ]


def test_a_poor_result_offers_more_epochs_by_a_button(store, submitted):
    run = store.create("train", RECIPE.replace(epochs=3).to_dict(), "Short")
    store.log(run.id, [Point(metric="test_error", value=0.63, step=0, when=1)])
    store.update(run.id, status=Status.FINISHED)
    at = open_page(run=run.id)
    assert "**63%** error after 3 epochs." in words_of(at)
    button = at.button("more_epochs")
    assert button.label == "Train 20 epochs"
    button.click().run()
    (longer,) = store.list(statuses=[Status.QUEUED])
    assert longer.spec["epochs"] == 20 and submitted == [longer.id]
    assert at.query_params["run"] == longer.id


@pytest.mark.parametrize(("error", "epochs"), [(0.02, 3), (0.63, 20)])
def test_a_good_result_and_a_long_training_offer_none(store, error, epochs):
    run = store.create("train", RECIPE.replace(epochs=epochs).to_dict(), "Long")
    store.log(run.id, [Point(metric="test_error", value=error, step=0, when=1)])
    store.update(run.id, status=Status.FINISHED)
    assert not [b for b in open_page(run=run.id).button if b.key == "more_epochs"]


def own_set():
    def image(number):
        stream = io.BytesIO()
        noise = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(noise).resize((16, 16)).save(stream, "PNG")
        return stream.getvalue()

    images = {name: [image(10 * k + n) for n in range(6)] for k, name in enumerate(("cup", "pen"))}
    return labeled_images(images, title="*Desk*").name


def test_own_images_are_trained_from_scratch_by_the_networks_for_photos(store, monkeypatch):
    monkeypatch.setattr("cnnkit.ui.train.forecast.count_parameters", lambda recipe: 986_000)
    name = own_set()
    at = open_page(dataset=name)
    assert at.selectbox(key="choice_model").value == "compact_photo_cnn"
    assert len(at.selectbox(key="choice_model").options) == 2
    assert r"It is trained on **\*Desk\***:" in words_of(at)
    assert metrics_of(at)["Images an epoch"] == "8", "12, without 2 for validation and 2 tests"
    at.button("train").click().run()
    (run,) = store.list(statuses=[Status.QUEUED])
    recipe = get_recipe("compact_photo_cnn", "fast")
    assert dict(run.spec) == recipe.on(name).to_dict() and run.spec["size"] == 150
    assert recipe_dataset(Recipe.from_dict(run.spec)).size("train") == 8


def test_published_figures_are_named_and_a_set_that_is_not_here_is_offered(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    at = open_page(dataset="cifar10")
    assert at.selectbox(key="choice_model").value == "resnet_digits"
    assert at.selectbox(key="choice_recipe").value == "cifar10"
    assert "not repeated here: 91.25 %, ResNet-20 (He" in words_of(at)
    assert "CIFAR-10 is not on this machine yet" in words_of(at)
    at = open_page(dataset="kmnist")
    assert at.button(key="download_kmnist_train_images").label == "Download Kuzushiji-MNIST (21 MB)"
    assert at.selectbox(key="choice_model").value == "lenet_tutorial"
