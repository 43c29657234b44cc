"""The Fine-tune page's data: flowers, own images imported in every way, names, and their end."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnkit.assets import ASSETS
from cnnkit.datasets import dataset_info, load_dataset
from cnnkit.datasets.folders import image_folder, list_own, versions
from cnnkit.datasets.near_duplicates import near_duplicates
from cnnkit.errors import StorageError
from cnnkit.published.flowers import FlowerResult
from cnnkit.runs import Point, Progress, Status
from cnnkit.settings import get_settings
from cnnkit.training import ALL, Head, Phase, Recipe, get_recipe
from cnnkit.ui.common import cache
from cnnkit.ui.fine_tune import result
from tests.finished import finished_run
from tests.pages import opened, words_of

pytestmark = pytest.mark.usefixtures("decoded")

open_page = partial(opened, "pages/fine_tune.py")


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Few and small drawn flowers, no photos, and nobody in a hurry."""
    monkeypatch.setattr("cnnkit.datasets.drawn.PER_CLASS", 3)
    monkeypatch.setattr("cnnkit.datasets._images.SIDE", 32)
    monkeypatch.setattr("cnnkit.ui.common.tasks.PATIENCE", 60)
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()


def image(number, side=3):
    stream = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 256, (3, 3, 3), np.uint8)
    Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def packed(*names, count=4, more=()):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for k, name in enumerate(names):
            for n in range(count):
                archive.writestr(f"{name}/{n}.png", image(100 * k + n))
        for name, data in more:
            archive.writestr(name, data)
    return stream.getvalue()


def upload(at, data, name="mine.zip"):
    at.file_uploader(key="import_file_0").set_value((name, data, "application/zip")).run()
    at.button(key="import_now").click().run()
    assert not at.exception
    return at


def test_drawn_flowers_are_shown_class_by_class_with_their_division():
    at = open_page(data="drawn_flowers")
    assert "**51** images in **17** classes: 17 training, 17 validation, 17 test" in (words_of(at))
    assert "Sunflower :gray[3]" in words_of(at)
    assert [chart.key for chart in at.get("plotly_chart")] == ["split", "flower_results"]
    assert [tab.label for tab in at.tabs][:2] == ["Images", "Split"]
    assert not [button for button in at.button if button.key == "delete_set"]


def test_one_class_can_be_looked_at_closer():
    at = open_page(data="drawn_flowers")
    closer = next(box for box in at.selectbox if box.label == "Look closer at a class")
    closer.select("Iris").run()
    assert "3 of 3 images, Iris 1 to Iris 3" in words_of(at)


def test_the_split_is_in_the_address():
    at = open_page(data="drawn_flowers", split="7")
    assert at.number_input(key="number_split").value == 7


def test_without_the_photos_it_says_so_and_offers_them():
    at = open_page(data="flowers17")
    assert "not on this machine" in at.info[0].value
    assert at.button(key="download_flowers17")


def test_an_uploaded_zip_becomes_a_set_with_a_report():
    more = [("../evil.png", image(7)), ("a/copy.png", image(1)), ("b/also.png", image(1))]
    at = upload(open_page(data="drawn_flowers"), packed("a", "b", more=more))
    (name,) = list_own()
    assert r"9 images of mine\.zip are here. 2 files were left out" in at.success[0].value
    assert at.query_params["data"] in (name, [name])
    assert at.selectbox(key="choice_data").value == name
    assert [tab.label for tab in at.tabs][:3] == ["Images", "Split", "Left out (2)"]
    assert at.dataframe[0].value["file"].tolist() == ["../evil.png", "a/copy.png"]
    assert "**1** image stands in more than one class" in words_of(at)
    assert not open_page(data=name).success, "told once"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packed("only"), "All images of mine.zip are of one class"),
        (packed("a", "b", count=1), "2 classes, none of them with 3"),
        (packed(), "holds no image that can be used"),
        (b"PK no archive", "is no ZIP archive"),
    ],
    ids=["one class", "one image each", "empty", "no ZIP"],
)
def test_what_cannot_be_trained_on_is_refused_in_a_sentence(data, words):
    at = upload(open_page(data="drawn_flowers"), data)
    assert words in at.error[0].value
    assert list_own() == [] and "**51** images" in words_of(at), "the page stays as it was"


def test_a_folder_of_the_server_is_imported_from_within_one_place_only(monkeypatch, tmp_path):
    for name in ("inside", "outside"):
        with zipfile.ZipFile(io.BytesIO(packed("a", "b"))) as archive:
            archive.extractall(tmp_path / name / "images")
    monkeypatch.setenv("CNNKIT_IMPORT_FOLDER", str(tmp_path / "inside"))
    get_settings.cache_clear()
    at = open_page(data="drawn_flowers")
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "outside")
    answers = set()
    for path in (
        "../outside/images",
        str(tmp_path / "outside" / "images"),
        str(tmp_path / "outside" / "nothing"),
        "link/images",
        "~nosuchuser/images",
        "~root",
        "a\0b",
    ):
        at.text_input(key="import_path").set_value(path).run()
        at.button(key="import_now").click().run()
        answers.add(at.error[0].value)
    (answer,) = answers
    assert "imported from within" in answer, "the same words, whatever is there"
    assert list_own() == []
    at.text_input(key="import_path").set_value("images")
    at.text_input(key="import_title").set_value("My *garden*").run()
    at.button(key="import_now").click().run()
    assert "8 images" in at.success[0].value
    assert dataset_info(list_own()[0]).title == "My *garden*"


def test_names_that_look_like_markdown_are_shown_as_they_are():
    image_folder(io.BytesIO(packed("*a*", ":red[b]")), name="x.zip", title="[t](u)")
    at = open_page(data=list_own()[0])
    assert r":small[\*a\* :gray[4]]" in words_of(at)
    assert r"\:red\[b\]" in words_of(at)


def test_a_set_that_is_gone_or_unknown_is_said_and_the_choice_is_offered():
    at = open_page(data="own-none")
    assert "own" in at.warning[0].value and at.button(key="choose_drawn_flowers")


def test_the_images_are_chosen_first_and_nothing_is_prepared_before(monkeypatch):
    def unasked(*args, **kwargs):
        raise AssertionError("The page began to work before anything was chosen.")

    with monkeypatch.context() as idle:
        idle.setattr("cnnkit.ui.common.tasks.Tasks.ask_with_progress", unasked)
        idle.setattr("cnnkit.ui.common.cache.jobs", unasked)
        at = open_page()
    assert [heading.value for heading in at.header] == ["Choose your images"]
    assert not any(button.key == "fine_tune" for button in at.button)
    assert at.file_uploader(key="import_file_0")
    monkeypatch.setattr("cnnkit.ui.common.cache.jobs", lambda: None)
    at.button(key="choose_drawn_flowers").click().run()
    assert not at.exception and at.query_params["data"] in ("drawn_flowers", ["drawn_flowers"])
    assert at.selectbox(key="choice_data").value == "drawn_flowers"
    assert "**51** images" in words_of(at)


def test_imported_images_are_among_the_first_choices():
    image_folder(io.BytesIO(packed("a", "b")), name="x.zip", title="Garden")
    (name,) = list_own()
    at = open_page()
    assert "Garden" in at.button(key=f"choose_{name}").label


def test_a_set_can_be_renamed_and_deleting_it_asks_first():
    image_folder(io.BytesIO(packed("a", "b")), name="x.zip")
    (name,) = list_own()
    at = open_page(data=name)
    at.button(key="rename_set").click().run()
    assert at.text_input(key="new_title").value == "x" and at.button(key="rename_now")
    at.button(key="delete_set").click().run()
    assert "gone from here for good" in words_of(at)
    assert at.button(key="delete_now") and list_own() == [name]


@pytest.fixture
def submitted(monkeypatch):
    """What would be run, without running it; and no network is timed."""
    found = []

    class Pool:
        def submit(self, **job):
            found.append(job)
            return type("Run", (), {"id": "none"})

    monkeypatch.setattr("cnnkit.ui.common.cache.jobs", lambda: Pool())
    monkeypatch.setattr("cnnkit.ui.fine_tune.forecast._seconds", lambda recipe, classes: 0.01)
    return found


def learning(network="compact_photo_cnn", **query):
    """The page, once the network's blocks are known."""
    at = open_page(**{"data": "drawn_flowers", "network": network, **query})
    for _ in range(100):
        if any(button.key == "fine_tune" for button in at.button):
            return at
        time.sleep(0.1)
        at.run()
    raise AssertionError("The network was not built.")


def test_a_small_network_from_nothing_learns_all_its_layers(submitted):
    at = learning(deeper="7", changes="flip")
    assert at.metric[0].label == "Trainable parameters"
    assert at.metric[3].value == "nothing"  # no layer is frozen, so none is read ahead
    at.button(key="fine_tune").click().run()
    recipe = Recipe.from_dict(submitted[0]["spec"])
    assert submitted[0]["kind"] == "train" and recipe.head and recipe.weights == "random"
    assert [(phase.train_from, phase.epochs) for phase in recipe.phases] == [("all", 7)]
    assert recipe.augmentation.flip and not recipe.augmentation.crop


def test_vgg16_begins_with_imagenet_weights_where_the_file_without_top_is(submitted, tmp_path):
    path = tmp_path / "weights" / ASSETS["vgg16.imagenet.notop"].filename
    path.parent.mkdir()
    path.touch()
    at = learning("vgg16")
    assert "VGG16 · ImageNet" in at.selectbox(key="choice_network").options
    assert not at.warning
    assert f"Initial weights: `{path.name}` (59 MB)" in words_of(at)
    at.button(key="fine_tune").click().run()
    assert Recipe.from_dict(submitted[0]["spec"]).weights == "imagenet"


def test_without_any_weights_vgg16_offers_the_small_file_and_says_it_begins_at_random(submitted):
    at = learning("vgg16")
    assert "VGG16 · random weights" in at.selectbox(key="choice_network").options
    assert "starts from random ones" in at.warning[0].value
    assert [b.label for b in at.button if b.key.startswith("download_")] == [
        "Download ImageNet weights of vgg16, no top (59 MB)"
    ]
    at.button(key="fine_tune").click().run()
    assert Recipe.from_dict(submitted[0]["spec"]).weights == "random"


def test_each_recipe_of_a_network_can_be_chosen_the_fast_one_first(submitted):
    at = learning("vgg16")
    assert at.selectbox(key="choice_recipe").value == "fast"
    names = list(at.session_state["titles_recipe"][1])
    assert names[:3] == ["fast", "best", "published"]
    at = learning("vgg16", recipe="published")
    at.button(key="fine_tune").click().run()
    recipe = Recipe.from_dict(submitted[0]["spec"])
    published = get_recipe("vgg16", "published")
    assert recipe == published.on("drawn_flowers").replace(weights="random")
    assert len(recipe.phases) == 1, "it unfreezes block5 from the start"


def test_what_is_known_of_recipes_on_the_flowers_stands_beside_their_choice(submitted, monkeypatch):
    result = FlowerResult(
        recipe=get_recipe("vgg16", "published"), name="published", accuracies=(0.85, 0.87),
        seconds=90, parameters=7,
    )  # fmt: skip
    monkeypatch.setattr(
        "cnnkit.ui.fine_tune.flower_results.flower_results",
        lambda: (result, replace(result, name="fast", seconds=None)),
    )
    at = learning("vgg16", recipe="published")
    titles = at.selectbox(key="choice_recipe").options
    assert titles[:1] == ["fast (flowers: 86.0 %)"]
    assert "published (flowers: 86.0 % in 1 min 30 s)" in titles
    table = at.dataframe[0].value
    assert table["Recipe"].tolist() == ["published", "fast"]
    assert table["Time"].tolist() == ["1 min 30 s", "–"]
    assert 6e9 < table["MACs"][0] < 7e9 and table["Parameters"].tolist() == [7, 7]


def test_the_time_is_estimated_from_the_newest_run_that_computed_such_features(submitted, store):
    def ran(name, images, size):
        recipe = Recipe(model="vgg16", dataset="x", size=size, head=Head(), phases=(Phase(),))
        run = store.create("train", recipe.to_dict(), name)
        store.set_metrics(run.id, {"features_computed": images, "features_seconds": 0.5 * images})
        store.update(run.id, status=Status.FINISHED)

    size = get_recipe("vgg16", "fast").size
    ran("Long ago", 600, size)
    ran("Too few", 9, size)
    ran("Smaller", 600, 64)
    words = words_of(learning("vgg16", depth="head", variants="1", changes="none"))
    # 17 training, 17 validation, 17 test images, half a second each.
    assert "About **26 s** on this machine: 17 s for the outputs" in words
    assert "500 ms per image, as in “Long ago” on this machine" in words


def test_with_a_shallow_depth_the_head_alone_learns_and_less_of_the_network(submitted):
    whole = learning().metric[0].value
    at = learning(depth="head", epochs="3")
    assert at.metric[3].value.endswith("B")  # what the frozen layers see is kept
    assert int(at.metric[0].value.replace(",", "")) < int(whole.replace(",", ""))
    at.button(key="fine_tune").click().run()
    (phase,) = Recipe.from_dict(submitted[0]["spec"]).phases
    assert (phase.train_from, phase.epochs) == ("head", 3)


def test_the_form_has_the_settings_of_fine_tuning_the_most_important_first(submitted):
    at = learning("vgg16")
    scope = "fine_tune.vgg16"
    slider = at.select_slider(key=f"{scope}.phase2.train_from")
    assert slider.label == "Unfreeze from block, phase 2" and slider.value == "block5"
    assert slider.options[0] == "head only" and slider.options[-1] == "all layers"
    (more,) = [one for one in at.expander if one.label == "More hyper-parameters"]
    folded = [widget.key for widget in more.number_input]
    main = ("phase1.epochs", "phase1.learning_rate", "phase2.epochs", "phase2.learning_rate")
    assert not [key for key in folded if key.removeprefix(f"{scope}.") in main]
    for name in ("head.units", "variants", "label_smoothing"):
        assert f"{scope}.{name}" in folded
    assert at.selectbox(key=f"{scope}.head.kind").options == ["global average pooling", "flatten"]
    assert at.toggle(key=f"{scope}.balanced").label == "Balance classes"

    slider.set_value("block4")
    at.number_input(key=f"{scope}.phase2.epochs").set_value(3)
    at.selectbox(key=f"{scope}.head.kind").set_value("flatten").run()
    assert "Unfreeze from block, phase 2: block5 → block4" in words_of(at)
    at.button(key="fine_tune").click().run()
    recipe = Recipe.from_dict(submitted[0]["spec"])
    assert [(p.train_from, p.epochs) for p in recipe.phases] == [("head", 10), ("block4", 3)]
    assert (recipe.name, recipe.head.kind) == ("fast, changed", "flatten")


def test_unfreezing_nothing_is_one_phase_without_settings_of_another(submitted):
    at = learning("vgg16")
    at.select_slider(key="fine_tune.vgg16.phase2.train_from").set_value("head only").run()
    assert not [w for w in at.number_input if w.key == "fine_tune.vgg16.phase2.epochs"]
    at.button(key="fine_tune").click().run()
    (phase,) = Recipe.from_dict(submitted[0]["spec"]).phases
    assert phase.train_from == "head"


def test_an_augmentation_is_chosen_by_name_and_one_of_its_fields_makes_it_custom(submitted):
    at = learning()
    scope = "fine_tune.compact_photo_cnn"
    assert at.selectbox(key=f"{scope}.preset").value == "photos"
    at.selectbox(key=f"{scope}.preset").set_value("AlexNet").run()
    assert at.number_input(key=f"{scope}.augmentation.pca").value == 0.1
    assert at.number_input(key=f"{scope}.augmentation.rotation").value == 0.0
    at.number_input(key=f"{scope}.augmentation.crop").set_value(0.5).run()
    assert at.selectbox(key=f"{scope}.preset").value == "custom"
    at.button(key="fine_tune").click().run()
    augmentation = Recipe.from_dict(submitted[0]["spec"]).augmentation
    assert (augmentation.crop, augmentation.pca, augmentation.rotation) == (0.5, 0.1, 0.0)


def with_copies():
    """Name of a data set of eight scenes in two classes, each there twice."""

    def copies(k):
        return [(f"{'ab'[k % 2]}/{k}_{n}.png", image(k, side=9 + n)) for n in range(2)]

    data = packed(more=[one for k in range(8) for one in copies(k)])
    image_folder(io.BytesIO(data), name="x.zip")
    return list_own()[0]


def test_near_duplicates_across_the_split_are_named_with_what_to_do(submitted):
    at = learning(data=with_copies())
    (warning,) = [w.value for w in at.warning if "near-duplicate" in w.value]
    assert "test images** have a near-duplicate" in warning
    assert "Keep one image of each pair in your folder" in warning
    assert "≈" in "".join(image.captions[0] for image in at.image if image.captions)


def test_another_split_has_other_near_duplicates(submitted):
    name, shown = with_copies(), []
    for seed in (0, 1):
        at = learning(data=name, split=str(seed))
        captions = [c.replace("\\", "") for i in at.image for c in i.captions if "≈" in c]
        dataset = load_dataset(name, split_seed=seed)
        assert len(captions) == len(pairs := near_duplicates(dataset))
        for caption, pair in zip(captions, pairs, strict=True):
            assert all(dataset.names[number].split("/")[-1] in caption for number in pair)
        shown.append(captions)
    assert shown[0] != shown[1]


def test_images_without_near_duplicates_say_so(submitted):
    assert "No test image looks like one of the training set" in words_of(learning())


def test_settings_in_older_addresses_are_where_the_form_starts(submitted):
    old = {
        "epochs": "4", "rate": "0.002", "deeper": "6", "deeper_rate": "0.0005", "head": "flatten",
        "smoothing": "0.2", "changes": "AlexNet", "variants": "3", "balanced": "true",
        "depth": "block4", "split": "7",
    }  # fmt: skip
    at = learning("vgg16", **old)
    assert not at.warning[1:], "one says that the weights are not here"
    assert set(at.query_params) == {"data", "network", "split"}
    at.button(key="fine_tune").click().run()
    recipe = Recipe.from_dict(submitted[0]["spec"])
    first, second = recipe.phases
    assert (first.train_from, first.epochs, first.learning_rate) == ("head", 4, 0.002)
    assert (second.train_from, second.epochs, second.learning_rate) == ("block4", 6, 0.0005)
    assert recipe.head == Head(kind="flatten", units=256, dropout=0.5)
    assert (recipe.label_smoothing, recipe.variants, recipe.balanced) == (0.2, 3, True)
    assert recipe.augmentation.pca == 0.1 and recipe.split_seed == 7

    at = learning("vgg16", rate="fast", depth="cellar")
    warnings = "".join(warning.value for warning in at.warning)
    assert "learning_rate must be a number" in warnings
    assert "depth must be one of head" in warnings

    at = learning("vgg16", deeper="0")
    at.button(key="fine_tune").click().run()
    assert [p.train_from for p in Recipe.from_dict(submitted[1]["spec"]).phases] == ["head"]


def test_names_of_classes_are_whole_and_different():
    assert result.checked_names([" rose ", "tulip"], 2) == ("rose", "tulip")
    with pytest.raises(StorageError, match="Class 2 needs a name"):
        result.checked_names(["rose", " "], 2)
    with pytest.raises(StorageError, match="both be called 'rose'"):
        result.checked_names(["rose", "rose"], 2)
    with pytest.raises(StorageError, match="2 classes need 2 names. Received: 3"):
        result.checked_names(["rose", "tulip", "iris"], 2)


def test_how_much_data_how_deep_is_planned_as_jobs(submitted, monkeypatch):
    monkeypatch.setattr("cnnkit.ui.fine_tune.experiment.FEWEST", 1)
    monkeypatch.setattr("cnnkit.ui.fine_tune.experiment.COUNTS", (1,))
    at = learning()
    at.button(key="experiment").click().run()
    assert not at.exception
    assert {job["spec"]["per_class"] for job in submitted} == {1}
    assert [job["kind"] for job in submitted] == ["train"] * 4


def taught(store, folder, name, dataset):
    """A finished run: all layers of a small network were really trained, for one epoch."""
    recipe = Recipe(
        model="compact_photo_cnn",
        weights="random",
        dataset=dataset,
        size=32,
        head=Head(),
        phases=(Phase(train_from=ALL, epochs=1),),
        cached=False,
    )
    folder.mkdir()
    return finished_run(store, recipe, folder, name=name, kind="fine_tune")


def test_what_came_of_it_stands_beside_others_on_the_same_images(store, tmp_path):
    image_folder(io.BytesIO(packed("rose", "tulip")), name="x.zip")
    (name,) = list_own()
    run = taught(store, tmp_path / "one", "Small", name)
    at = open_page(run=run.id)
    assert [m.label for m in at.metric][:2] == ["Test accuracy", "95 % confidence interval"]
    assert "No other network was trained on these images" in words_of(at)
    assert "started from random weights" in words_of(at)

    other = store.create("train", {"dataset": name, "split_seed": 0}, "Other")
    store.log(other.id, [Point(metric="val_accuracy", value=0.5, step=1, when=0)])
    store.update(other.id, status=Status.FINISHED)
    at = open_page(run=run.id)
    (link,) = [one for one in at.get("page_link") if one.label == "Compare their settings"]
    assert f"{run.id},{other.id}" in link.proto.query_string.replace("%2C", ",")
    at.button(key="rename_classes").click().run()
    assert at.text_area(key="class_names").value == "rose\ntulip"
    # In one run, as when a button is pressed straight from typing.
    at.text_area(key="class_names").set_value("Rosa\nTulipa")
    at.button(key="rename_classes_now").click().run()
    assert not at.exception and cache.card(run.id).class_names == ("Rosa", "Tulipa")


def test_a_cell_of_the_confusion_matrix_leads_to_images_of_its_classes(
    store, tmp_path, monkeypatch
):
    image_folder(io.BytesIO(packed("rose", "tulip")), name="x.zip")
    run = taught(store, tmp_path / "one", "Small", list_own()[0])

    def links():
        at = open_page(run=run.id)
        shown = [one for one in at.get("page_link") if one.label.startswith("Visualize ")]
        return {one.label: parse_qs(one.proto.query_string) for one in shown}

    assert list(links()) == ["Visualize it"]
    monkeypatch.setattr(
        "cnnkit.ui.common.charts.clicked_point", lambda *_, **__: {"customdata": [1, 0]}
    )
    assert list(links()) == ["Visualize it", "Visualize tulip", "Visualize rose"]
    address = {"network": [f"run.{run.id}"], "layer": ["answer"], "images": ["1"], "unit": ["1"]}
    assert links()["Visualize tulip"] == address


def wrong_about(store, folder, name):
    """A finished run on an own set whose network calls every test image the first class."""
    recipe = Recipe(model="compact_photo_cnn", dataset=name, head=Head(), size=32)
    labels = load_dataset(name).part("test")[1]
    np.savez(folder / "predictions.npz", logits=np.eye(2)[np.zeros_like(labels)], labels=labels)
    run = store.create("train", recipe.to_dict(), "Wrong")
    store.add_artifact(run.id, folder / "predictions.npz")
    store.log(run.id, [Point(metric="val_loss", value=0.5, step=1, when=0)])
    store.update(run.id, status=Status.FINISHED)
    return run


def test_labels_are_corrected_from_the_confusion_matrix_and_back(store, tmp_path, monkeypatch):
    image_folder(io.BytesIO(packed("rose", "tulip", count=6)), name="x.zip", title="Garden")
    (first,) = list_own()
    run = wrong_about(store, tmp_path, first)
    (number,) = [n for n in load_dataset(first).indices("test") if load_dataset(first).labels[n]]
    monkeypatch.setattr(
        "cnnkit.ui.common.charts.clicked_point", lambda *_, **__: {"customdata": [1, 0]}
    )
    key = f"result_{run.id}_(1, 0)"

    def move(to):
        at = open_page(run=run.id)  # its confusion matrix opens, whatever was changed since
        assert "**True class tulip, predicted class rose**" in words_of(at)
        at.toggle(key=f"{key}_correct").set_value(True).run()
        at.checkbox(key=f"{key}_{versions(first)[-1]}_{number}").check().run()
        assert at.selectbox(key=f"{key}_to").value == "rose", "what the network predicts"
        at.selectbox(key=f"{key}_to").select(to)
        at.button(key=f"{key}_move").click().run()
        assert not at.exception and not at.error
        return at

    assert r"Garden, version 2 is the corrected data set" in words_of(move("rose"))
    second = versions(first)[-1]
    assert load_dataset(second).labels[number] == 0 and load_dataset(first).labels[number] == 1
    move("tulip")
    third = versions(first)[-1]
    assert len(versions(first)) == 3
    np.testing.assert_array_equal(load_dataset(third).labels, load_dataset(first).labels)
    assert evaluation_labels(run) == load_dataset(first).part("test")[1].tolist()


def evaluation_labels(run):
    return cache.test_images(run)[1].tolist()


def test_images_of_a_class_are_moved_and_the_page_turns_to_the_next_version():
    image_folder(io.BytesIO(packed("rose", "tulip")), name="x.zip", title="Garden")
    (first,) = list_own()
    at = open_page(data=first)
    closer = next(box for box in at.selectbox if box.label == "Look closer at a class")
    closer.select("rose").run()
    key = f"sheet_{first}_0"
    at.toggle(key=f"{key}_correct").set_value(True).run()
    at.checkbox(key=f"{key}_{first}_2").check().run()
    at.selectbox(key=f"{key}_to").select("tulip")
    at.button(key=f"{key}_move").click().run()
    assert not at.exception
    second = versions(first)[-1]
    assert at.query_params["data"] in (second, [second]) and second != first
    assert "**8** images in **2** classes" in words_of(at)
    assert dataset_info(second).title == "Garden, version 2"
    at = open_page()
    assert [b.key for b in at.button if b.key.startswith("choose_own")] == [f"choose_{second}"]


def test_a_poor_result_offers_more_epochs_shared_by_its_phases(store, submitted):
    phases = (Phase(train_from="head", epochs=2), Phase(train_from="block5", epochs=1))
    recipe = Recipe(model="vgg16", dataset="drawn_flowers", head=Head(), phases=phases)
    run = store.create("train", recipe.to_dict(), "Short")
    store.log(run.id, [Point(metric="test_error", value=0.63, step=0, when=1)])
    store.update(run.id, status=Status.FINISHED)
    at = open_page(run=run.id)
    assert "**63%** error after 3 epochs." in words_of(at)
    assert at.button(key="more_epochs").label == "Train 20 epochs"
    at.button(key="more_epochs").click().run()
    longer = Recipe.from_dict(submitted[0]["spec"])
    assert [(p.train_from, p.epochs) for p in longer.phases] == [("head", 13), ("block5", 7)]
    assert submitted[0]["name"] == "Short, 20 epochs"


@pytest.mark.parametrize("status", [Status.RUNNING, Status.FINISHED])
@pytest.mark.parametrize("epochs", [1, 3])
def test_the_curves_say_when_layers_were_unfrozen(store, status, epochs):
    phases = (Phase(train_from="head", epochs=2), Phase(train_from="block5", epochs=2))
    recipe = Recipe(model="vgg16", dataset="drawn_flowers", head=Head(), phases=phases)
    run = store.create("train", recipe.to_dict(), "Two phases")
    for epoch in range(1, epochs + 1):
        row = {"loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.7}
        store.log(run.id, [Point(metric=k, value=v, step=epoch, when=1) for k, v in row.items()])
    store.update(run.id, status=status, progress=Progress(epoch=epochs, epochs=4, steps=40))
    charts = AppTest.from_function(_curves, args=(run.id,), default_timeout=60).run()
    assert not charts.exception
    for chart in charts.get("plotly_chart"):
        marked = "Unfrozen from block5" in chart.proto.spec
        assert marked == (epochs > 2)
        assert ("Unfrozen from block5 after epoch 2" in chart.proto.alt) == marked


def _curves(run_id):
    from cnnkit.ui.common import cache
    from cnnkit.ui.common.run_monitor import curves_of

    curves_of(cache.store().get(run_id), key="curves")
