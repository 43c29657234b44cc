"""The Runs page as a person uses it. Nothing is trained: runs are written by hand."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from cnnkit.datasets import load_dataset
from cnnkit.models.builder import get_template, set_value
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.training import get_recipe
from tests.pages import opened

open_page = partial(opened, "pages/runs.py")

RECIPE = get_recipe("lenet_tutorial", "fast").on("digits")


@pytest.fixture
def add_run(store, tmp_path):
    """Write a finished run that took three ones for sevens."""

    def add(name="By hand", recipe=RECIPE, error=0.0083):
        labels = load_dataset("digits").part("test")[1]
        answers = labels.copy()
        answers[np.flatnonzero(labels == 1)[:3]] = 7
        path = tmp_path / "predictions.npz"
        np.savez(path, logits=np.float32(9 * np.eye(10)[answers]), labels=labels)
        run = store.create("train", recipe.to_dict(), name)
        store.add_artifact(run.id, path)
        store.set_metrics(run.id, {"test_error": error, "test_loss": 0.02, "seconds": 61.0})
        store.update(run.id, status=Status.FINISHED)
        return run.id

    return add


def metrics_of(at):
    return {metric.label: metric.value for metric in at.metric}


def words_of(at):
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.subheader))


def test_the_first_visitor_sees_the_starter_with_its_mistakes(store):
    at = open_page()
    assert at.dataframe[0].value["Name"].str.startswith("Starter").all()
    assert "Most confident errors" in words_of(at)
    assert not at.error


def test_the_starter_shows_its_mistakes_where_mnist_is_absent(store, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    at = open_page(run="starter")
    assert not at.error
    assert len(at.image) == 16


def test_a_run_shows_its_figures_mistakes_and_classes(store, add_run):
    at = open_page(run=add_run())
    assert metrics_of(at)["Test accuracy"] == "99.17 %"
    assert "1 → **7** >99 %" in [words for image in at.image for words in image.captions]
    classes = at.dataframe[1].value.set_index("Class")
    assert classes.loc["1", ["Misclassified", "Most often confused with"]].tolist() == [3, "7"]
    assert classes["Misclassified"].sum() == 3


def test_the_command_that_opens_mlflow_names_the_very_record(store, add_run):
    assert f"mlflow ui --backend-store-uri {get_settings().tracking_uri}" in [
        code.value for code in open_page(run=add_run()).code
    ]


def test_text_network_and_status_filter_the_list(store, add_run):
    add_run("Apple")
    add_run("Pear")
    store.update(store.create("train", RECIPE.to_dict(), "Plum").id, status=Status.CANCELLED)
    at = open_page()
    at.text_input("find").input("pear").run()
    assert at.dataframe[0].value["Name"].tolist() == ["Pear"]
    at.text_input("find").input("").run()
    at.multiselect("runs_status").set_value([Status.CANCELLED]).run()
    assert at.dataframe[0].value["Name"].tolist() == ["Plum"]
    at.selectbox("runs_network").set_value("deep_mnist").run()
    assert "No run matches" in words_of(at)


def test_several_runs_are_compared_by_what_differs_only(store, add_run):
    slow = RECIPE.replace(learning_rate=0.001)
    at = open_page(run=f"{add_run('Quick')},{add_run('Slow', slow, error=0.5)}")
    figures, settings = (table.value for table in at.dataframe[1:3])
    assert figures["Test accuracy"].tolist() == pytest.approx([99.17, 50.0])
    assert settings["Setting"].tolist() == ["Learning rate"]
    assert settings[["Quick", "Slow"]].values.tolist() == [["0.05", "0.001"]]


def test_pressing_delete_asks_first(store, add_run):
    run_id = add_run()
    at = open_page(run=run_id)
    at.button("delete").click().run()
    at.run()  # as a page does by itself when something in the background is ready
    assert at.button("delete_now") and at.button("keep")
    at.button("keep").click().run()
    assert "keep" not in {button.key for button in at.button}
    assert store.get(run_id)


def test_a_question_left_open_is_not_asked_of_another_run(store, add_run):
    first, other = add_run("First"), add_run("Other")
    at = open_page(run=first)
    at.button("delete").click().run()
    at.query_params["run"] = other  # as the browser's back button does
    at.run()
    assert not at.exception and "delete_now" not in {button.key for button in at.button}


def test_the_starter_can_be_neither_renamed_nor_deleted(store):
    keys = {button.key for button in open_page(run="starter").button}
    assert not keys & {"rename", "delete"}


def test_weights_curves_and_a_script_can_be_taken_away(store):
    at = open_page(run="starter")
    assert {b.key for b in at.get("download_button")} == {
        "download_keras",
        "download_csv",
        "download_script",
    }


def test_a_run_whose_predictions_are_gone_still_shows_the_rest(store):
    run = store.create("train", RECIPE.to_dict(), "Halved")
    store.set_metrics(run.id, {"test_error": 0.01, "test_loss": 0.1})
    store.update(run.id, status=Status.FINISHED)
    at = open_page(run=run.id)
    assert "predictions.npz" in at.error[0].value
    assert metrics_of(at)["Test accuracy"] == "99.00 %"


def test_a_link_to_a_run_that_is_gone_says_so_and_shows_another(store):
    at = open_page(run="gone")
    assert "'gone'" in at.error[0].value
    assert "Starter" in words_of(at)


def test_a_run_of_another_version_of_cnnkit_does_not_break_the_list(store):
    run = store.create("train", {"model": "vanished", "dataset": "lost"}, "Old")
    store.update(run.id, status=Status.CANCELLED)
    assert "Old" in words_of(open_page(run=run.id))


def test_frozen_parameters_are_not_counted_as_trainable(store, add_run):
    tuned, whole, old = add_run("Tuned"), add_run("Whole"), add_run("Before it was recorded")
    store.set_metrics(tuned, {"parameters": 14_723_073, "trainable": 8_721})
    store.set_metrics(whole, {"parameters": 431_080, "trainable": 431_080})
    store.set_metrics(old, {"parameters": 431_080})
    figures = metrics_of(open_page(run=tuned))
    assert figures["Trainable parameters"] == "8,721" and figures["Parameters"] == "14,723,073"
    figures = metrics_of(open_page(run=whole))
    assert figures["Trainable parameters"] == "431,080" and "Parameters" not in figures
    figures = metrics_of(open_page(run=old))
    assert figures["Parameters"] == "431,080" and "Trainable parameters" not in figures
    table = open_page(run=f"{tuned},{whole},{old}").dataframe[1].value
    assert table["Trainable parameters"].tolist()[:2] == [8_721, 431_080]
    assert table["Parameters"].tolist() == [14_723_073, 431_080, 431_080]


def test_networks_of_one_s_making_are_compared_layer_by_layer(store, add_run):
    mine = get_template("small_cnn")
    wider = set_value(mine, 1, "filters", 24)
    runs = [add_run(name, get_recipe(one.code, "fast").on("digits")) for name, one in
            (("Mine", mine), ("Wider", wider))]  # fmt: skip
    at = open_page(run=",".join(runs))
    assert not at.exception and not at.error
    table = at.dataframe[-1].value
    assert list(table["Mine"])[1] == "Convolution, filters 16, kernel size 3"
    assert list(table["Wider"])[1] == "Convolution, filters 24, kernel size 3"
    assert list(table[""]) == ["", "≠", *[""] * 6]
    settings = at.dataframe[-2].value
    assert list(settings["Setting"]) == ["Network"]
    at = open_page(run=",".join([runs[0], add_run()]))
    assert "≠" in list(at.dataframe[-1].value[""])
