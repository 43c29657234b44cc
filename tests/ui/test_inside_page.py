"""The Inside page as a person uses it."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnkit.datasets import load_dataset
from cnnkit.models import ModelCard, create_model, save_model
from cnnkit.networks import RUN, NetworkRef
from cnnkit.runs import Status, _starter
from cnnkit.settings import get_settings
from cnnkit.training import Head, Recipe, build_network, recipe_dataset
from cnnkit.ui.common import cache
from cnnkit.ui.common.image_choice import address
from tests.pages import opened
from tests.records import new_store

pytestmark = pytest.mark.usefixtures("decoded")

open_page = partial(opened, "pages/inside.py")
SHIPPED = _starter.starter_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(own_home, monkeypatch, tmp_path):
    """A record of its own, no starter, and no MNIST but for those who ask."""
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    monkeypatch.setattr(_starter, "starter_run", lambda: None)
    return new_store(get_settings())


def add_run(store, folder, model="lenet_tutorial", dataset="digits", seed=5, **settings):
    """A finished run whose network differs from its first weights, without any training."""
    recipe = Recipe(model=model, dataset=dataset, seed=seed, **settings)
    data = load_dataset(dataset)
    shape = recipe.input_shape(data.spec.input_shape)
    network = create_model(model, input_shape=shape, classes=len(data.class_names), seed=seed)
    return add_network(store, folder, recipe, network, "train")


def add_tuned(store, folder, base=""):
    """A finished fine-tuning whose network differs from its first weights."""
    recipe = Recipe(model="compact_cnn", head=Head(), dataset="digits")
    network = build_network(recipe, 10).whole
    return add_network(store, folder, recipe.replace(run=base), network, "train")


def add_network(store, folder, recipe, network, kind):
    model, data = recipe.model, load_dataset(recipe.dataset)
    generator = np.random.default_rng(0)
    network.set_weights([w + generator.normal(0, 0.05, w.shape) for w in network.get_weights()])
    card = ModelCard(
        model=model,
        title=model,
        class_names=data.class_names,
        input_shape=network.input_shape[1:],
        dataset=recipe.dataset,
        recipe=recipe.to_dict(),
    )
    save_model(network, card, folder)
    run = store.create(kind, recipe.to_dict(), f"{model} by hand")
    for name in ("model.keras", "card.json"):
        store.add_artifact(run.id, folder / name)
    store.update(run.id, status=Status.FINISHED)
    return run


def headings(at):
    return [header.value for header in at.header]


def images_of(at):
    return [image for element in at.image for image in element.proto.imgs]


def charts(at):
    return len(at.get("plotly_chart"))


def figure(at):
    return "".join(element.proto.body for element in at.get("html"))


def test_without_any_network_the_page_offers_to_download_one(store):
    at = open_page()
    assert not at.exception and not headings(at)
    assert any("its weights are not on this machine yet" in text.value for text in at.markdown)
    assert any("Download" in button.label for button in at.button)


def test_a_network_is_shown_from_image_to_prediction(store, tmp_path):
    at = open_page(run=add_run(store, tmp_path).id)
    assert not at.exception
    assert len(headings(at)) == 8
    for shape in ("28×28", "24×24×20", "12×12×20", "8×8×50", "4×4×50", "800", "500", "10"):
        assert f"<b>{shape}</b>" in figure(at)
    # Maps of one layer, histogram of one map, three rows of units, logits and probabilities.
    assert charts(at) == 1 + 1 + 3 + 2
    # The digit, what two convolutions answer, one map, two convolutions before and after.
    assert len(at.image) == 1 + 2 + 1 + 4


def test_every_image_is_described_in_words(store, tmp_path):
    at = open_page(run=add_run(store, tmp_path).id)
    images = images_of(at)
    assert images and all(image.alt for image in images)
    assert all(chart.proto.alt for chart in at.get("plotly_chart"))


def test_a_deep_link_opens_on_its_digit_layer_and_scale(store, tmp_path):
    at = open_page(
        run=add_run(store, tmp_path).id,
        digit="3",
        image="2",
        layer="block2_pool",
        scale="own",
    )
    assert not at.exception
    assert at.selectbox("choice_layer").value == "block2_pool"
    assert at.number_input("image").value == 2
    words = [caption.value for caption in at.caption]
    assert any("Each map is stretched to its own" in text for text in words)


def test_a_layer_that_the_network_lacks_is_said_and_another_is_shown(store, tmp_path):
    at = open_page(run=add_run(store, tmp_path).id, layer="block7_conv1")
    assert not at.exception
    assert "block7_conv1" in at.warning[0].value
    assert at.selectbox("choice_layer").value == "block1_pool"


def test_an_unknown_run_is_said_and_another_is_shown(store, tmp_path):
    add_run(store, tmp_path)
    at = open_page(run="gone")
    assert not at.exception and "gone" in at.warning[0].value and headings(at)


def test_choosing_another_network_forgets_the_layer_of_the_first(store, tmp_path):
    lenet = add_run(store, tmp_path / "a")
    keras = add_run(store, tmp_path / "b", "keras_mnist_cnn")
    at = open_page(run=lenet.id, layer="block2_pool")
    at.query_params["network"] = f"run.{keras.id}"  # as choosing it does in the browser
    at.run()
    assert not at.exception and not at.warning
    (layers,) = [picker for picker in at.selectbox if picker.label == "Layer"]
    assert layers.value == "block1_pool"


def test_a_network_without_convolutions_shows_the_weights_of_its_units(store, tmp_path):
    at = open_page(run=add_run(store, tmp_path, "softmax_regression").id)
    assert not at.exception
    assert len(headings(at)) == 4
    assert len(at.image) == 1 + 2


def test_a_network_for_small_patterns_is_shown_with_its_own_images(store, tmp_path):
    at = open_page(run=add_run(store, tmp_path, "toy_cnn", "toy_patterns").id)
    assert not at.exception
    assert "<b>10×10×10</b>" in figure(at)
    assert ["top", "middle", "bottom"] in [pill.options for pill in at.get("button_group")]


def test_a_damaged_network_is_said_instead_of_a_traceback(store, tmp_path):
    run = add_run(store, tmp_path)
    store.artifact(run.id, "model.keras").write_bytes(b"no network")
    at = open_page(run=run.id)
    assert not at.exception and "damaged" in at.error[0].value


def test_an_uploaded_digit_goes_through_the_network(store, tmp_path):
    at = open_page(run=add_run(store, tmp_path).id, **{"from": "photo"})
    assert not at.exception and not headings(at) and at.info
    paper = np.full((200, 200), 240, np.uint8)
    paper[40:160, 90:110] = 20
    stream = io.BytesIO()
    Image.fromarray(paper).save(stream, "PNG")
    at.file_uploader(key="image_upload").upload("one.png", stream.getvalue(), "image/png").run()
    assert not at.exception and len(headings(at)) == 8


def test_an_image_that_is_none_is_refused_in_words(store, tmp_path):
    at = open_page(run=add_run(store, tmp_path).id, **{"from": "photo"})
    at.file_uploader(key="image_upload").upload("one.png", b"no image", "image/png").run()
    assert not at.exception and "not an image" in at.error[0].value


def test_what_was_drawn_on_another_page_is_taken_over(store, tmp_path):
    run = add_run(store, tmp_path)
    at = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    at.session_state["drawn_digit"] = np.full((28, 28, 1), 200, np.uint8)
    at.query_params["run"], at.query_params["from"] = run.id, "drawing"
    at.switch_page("pages/inside.py").run()
    assert not at.exception and len(headings(at)) == 8


def test_the_starter_comes_first_where_there_is_one(store, tmp_path, monkeypatch):
    monkeypatch.setattr(_starter, "starter_run", SHIPPED)
    add_run(store, tmp_path)
    at = open_page()
    assert at.selectbox("choice_network").value == "run.starter"


def test_a_link_to_one_test_image_names_its_class_and_its_place(store, tmp_path):
    run = add_run(store, tmp_path)
    _, labels = load_dataset("digits").part("test")
    index = int(np.flatnonzero(labels == 4)[3])
    names = load_dataset("digits").class_names
    ref = NetworkRef(RUN, run.id)
    link = address(ref, labels, index, names)
    assert link == {"network": str(ref), "from": "test", "class": "4", "image": "3"}
    at = open_page(**link)
    assert any(f"Test image {index:,} of" in image.caption for image in images_of(at))


def test_a_network_of_another_size_than_its_images_is_shown_one_of_its_own_test_set(
    store, decoded, tmp_path
):
    settings = {"size": 150, "split_seed": 3}
    run = add_run(store, tmp_path, "compact_photo_cnn", "drawn_flowers", **settings)
    at = open_page(run=run.id, digit="Bluebell")
    assert not at.exception and len(headings(at)) == 8
    assert "<b>150×150×3</b>" in figure(at)
    images = recipe_dataset(Recipe.from_dict(run.spec)).part("test")[0]
    np.testing.assert_array_equal(cache.test_images(run)[0], images)
    assert not np.array_equal(load_dataset("drawn_flowers").part("test")[0], images)


def test_a_fine_tuned_network_is_shown_before_and_after(store, tmp_path):
    run = add_tuned(store, tmp_path)
    at = open_page(run=run.id)
    assert not at.exception and not at.warning and len(headings(at)) == 8
    words = [caption.value for caption in at.caption]
    assert any(text.startswith("Before training") for text in words)
    assert any(text.startswith("After training") for text in words)


def test_a_network_whose_beginning_is_gone_is_shown_without_it(store, tmp_path):
    gone = add_tuned(store, tmp_path, base="0" * 32)
    at = open_page(run=gone.id)
    assert not at.exception and len(headings(at)) == 8
    words = [caption.value for caption in at.caption]
    assert any("The initial weights cannot be shown" in text for text in words)
    assert not any(text.startswith("Before training") for text in words)


def test_a_run_that_has_no_network_yet_is_not_called_deleted(store, tmp_path):
    add_run(store, tmp_path)
    waiting = store.create("train", Recipe(model="lenet_tutorial").to_dict(), "Not begun")
    at = open_page(run=waiting.id)
    assert "“Not begun”, which is queued and has no network" in at.warning[0].value
    assert "deleted" not in at.warning[0].value
