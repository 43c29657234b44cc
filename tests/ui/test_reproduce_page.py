"""The Reproduce page as a person uses it."""

from __future__ import annotations

import time
from functools import partial
from statistics import mean

import pytest

from cnnkit.published.measurements import measurements
from cnnkit.published.reproductions import (
    EXAMPLE_ANSWERS,
    get_reproduction,
    list_reproductions,
)
from cnnkit.runs import Progress, Status
from cnnkit.settings import get_settings
from cnnkit.training import ALL, Head, Phase, Recipe, recipe_dataset
from cnnkit.ui.reproduce.example_answers import PARTS
from tests.finished import finished_run
from tests.pages import opened

pytestmark = pytest.mark.usefixtures("decoded")

open_page = partial(opened, "pages/reproduce.py")


def add_run(store, name, *, seed=0, status=Status.FINISHED, metrics=None, progress=None):
    recipe = get_reproduction(name).recipe.replace(seed=seed)
    run = store.create("train", recipe.to_dict(), "by hand")
    store.set_metrics(run.id, metrics or {})
    store.update(run.id, status=status, progress=progress)
    return run


def metrics_of(at):
    return {metric.label: metric.value for metric in at.metric}


def text_of(at):
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.info))


def test_without_any_run_every_published_figure_is_there_with_a_button_and_its_source(store):
    at = open_page()
    assert metrics_of(at)["Published"] == str(len(list_reproductions()))
    assert {button.key for button in at.button} >= {f"run_{r.name}" for r in list_reproductions()}
    words = text_of(at)
    for row in list_reproductions():
        assert row.title in words and row.source in words and row.published in words


def test_a_run_of_this_machine_stands_beside_the_published_figure(store):
    shipped = measurements(get_reproduction("deep_mnist").recipe)
    ours = mean([*(one.metrics["test_accuracy"] for one in shipped), 0.9951])
    add_run(store, "deep_mnist", seed=77, metrics={"test_accuracy": 0.9951, "seconds": 61.0})
    at = open_page(row="deep_mnist")
    assert "once on this machine" in text_of(at)
    assert f"Reproduced: **{100 * ours:.2f} %**" in text_of(at)


def test_a_figure_that_falls_short_is_said_plainly(store):
    before = int(metrics_of(open_page())["Target not reached"])
    add_run(store, "mlp", seed=77, metrics={"test_error": 0.9})
    at = open_page()
    assert int(metrics_of(at)["Target not reached"]) == before + 1


def test_runs_of_other_recipes_and_unfinished_ones_count_for_nothing(store):
    before = metrics_of(open_page())
    recipe = get_reproduction("deep_mnist").recipe.replace(learning_rate=0.5)
    run = store.create("train", recipe.to_dict(), "another")
    store.set_metrics(run.id, {"test_accuracy": 0.1})
    store.update(run.id, status=Status.FINISHED)
    add_run(store, "mlp", status=Status.CANCELLED, metrics={"test_error": 0.01})
    assert metrics_of(open_page()) == before


def test_pressing_run_submits_the_published_recipe_with_a_seed_not_used_before(store, submitted):
    add_run(store, "toy_all", seed=0, metrics={"test_true_probability": 0.97})
    at = open_page(row="toy_all")
    at.button("run_toy_all").click().run()
    assert not at.exception
    (run,) = [run for run in store.list() if run.status is Status.QUEUED]
    assert submitted == [run.id]
    assert run.spec == get_reproduction("toy_all").recipe.replace(seed=1).to_dict()
    assert at.button("run_toy_all").disabled


def test_a_running_row_shows_how_far_it_is_and_cannot_be_started_twice(store):
    progress = Progress(epoch=50, epochs=200, step=50, steps=200, seconds_left=12.0)
    add_run(store, "toy_all", status=Status.RUNNING, progress=progress)
    at = open_page(row="toy_all")
    assert at.button("run_toy_all").disabled
    assert any("Epoch 50 of 200 · 12 s left" in bar.proto.text for bar in at.get("progress"))


def test_a_failed_run_says_why_and_can_be_tried_again(store):
    run = add_run(store, "toy_all", status=Status.FAILED)
    store.update(run.id, reason="The disk is full.\nTraceback …")
    at = open_page(row="toy_all")
    assert "The disk is full." in text_of(at) and "Traceback" not in text_of(at)
    assert not at.button("run_toy_all").disabled


def test_a_deep_link_opens_on_one_row(store):
    at = open_page(row="lenet")
    assert [b.key for b in at.button if (b.key or "").startswith("run_")] == ["run_lenet"]


def test_a_link_to_an_unknown_row_says_so_and_shows_them_all(store):
    at = open_page(row="alexnet")
    assert any("alexnet" in warning.value for warning in at.warning)
    assert sum((b.key or "").startswith("run_") for b in at.button) == len(list_reproductions())


def test_the_toy_rows_explain_what_their_author_called_accuracy(store):
    assert "mean predicted probability of the true class" in text_of(open_page(row="toy_dense"))
    assert not open_page(row="lenet").info


def test_without_mnist_only_what_can_run_can_be_started(store, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    at = open_page()
    assert at.button("run_lenet").disabled and not at.button("run_toy_all").disabled
    assert "MNIST is not on this machine" in at.warning[0].value


@pytest.mark.flowers
@pytest.mark.endurance  # decodes all photos twice
def test_the_five_images_of_the_author_are_shown_to_a_network_of_ours(store, tmp_path):
    recipe = Recipe(
        model="compact_photo_cnn",
        weights="random",
        dataset="flowers17",
        per_class=1,
        size=32,
        head=Head(),
        phases=(Phase(train_from=ALL, epochs=1),),
        cached=False,
    )
    data = recipe_dataset(recipe)
    run = finished_run(store, recipe, tmp_path, name="Two looks", kind="fine_tune")
    store.update(run.id, status=Status.QUEUED)
    before = text_of(_with_images(open_page(row="flowers_vgg16")))
    assert before.count("Published VGG16") == 5 and "Two looks" not in before
    store.update(run.id, status=Status.FINISHED)

    at = _with_images(open_page(row="flowers_vgg16"))
    captions = [one.value for one in at.caption]
    assert captions.count("Two looks") == captions.count("Published VGG16") == 5
    told = [one for one in captions if one in PARTS.values()]
    parts = {name: data.indices(name) for name in ("train", "validation")}
    expected = [
        PARTS[next((name for name, rows in parts.items() if one.row in rows), "test")]
        for one in EXAMPLE_ANSWERS
    ]
    assert told == expected


def _with_images(at):
    """The page once the images are there: a thread reads them."""
    deadline = time.monotonic() + 60
    while "Preparing the images" in text_of(at) and time.monotonic() < deadline:
        time.sleep(0.1)
        at.run()
    return at


def test_without_the_flowers_the_authors_answers_are_there(store, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    at = open_page(row="flowers_vgg16")
    words = text_of(at)
    assert "image_0966.jpg" in words and "The images themselves are not on this" in words
    assert "Published VGG16" not in text_of(open_page(row="lenet"))


def test_a_row_whose_features_are_being_computed_counts_images_and_not_epochs(store):
    row = next(row for row in list_reproductions() if row.recipe.head)
    run = store.create("fine_tune", row.recipe.replace(seed=0).to_dict(), "by hand")
    progress = Progress(stage="features", step=300, steps=4_000, seconds_left=90.0)
    store.update(run.id, status=Status.RUNNING, progress=progress)
    bars = [bar.proto.text for bar in open_page(row=row.name).get("progress")]
    assert any("300 of 4,000" in bar and "1 min 30 s left" in bar for bar in bars)
    assert not any("epoch 0" in bar.casefold() for bar in bars)
