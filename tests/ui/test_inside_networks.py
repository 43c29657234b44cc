"""Inside with networks of many layers: blocks, feature maps, one map, one output pixel."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnnkit.networks import add_upload
from cnnkit.ui.common.uploads import _Upload
from tests.pages import ROOT, words_of

pytestmark = pytest.mark.usefixtures("decoded")

layers = keras.layers


@pytest.fixture(scope="module")
def branched(tmp_path_factory) -> bytes:
    """A file of a network with a residual block, branches, a nested part and 30 classes."""
    keras.utils.set_random_seed(3)
    inner_image = keras.Input((6, 6, 8))
    inner = keras.Model(
        inner_image, layers.Conv2D(12, 3, padding="same", name="deep")(inner_image), name="inner"
    )
    image = keras.Input((24, 24, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv1")(x)
    y = layers.DepthwiseConv2D(3, padding="same", name="block1_depthwise")(x)
    y = layers.BatchNormalization(name="block1_bn")(y)
    x = layers.Add(name="block1_add")([x, y])
    x = layers.MaxPooling2D(4, name="pool1")(x)
    x = inner(x)
    a = layers.Conv2D(4, 1, name="mixed1_a")(x)
    b = layers.Conv2D(4, 3, padding="same", dilation_rate=2, name="mixed1_b")(x)
    x = layers.Concatenate(name="mixed1_concat")([a, b])
    x = layers.GlobalAveragePooling2D(name="average")(x)
    model = keras.Model(image, layers.Dense(30, name="logits")(x), name="branched")
    path = tmp_path_factory.mktemp("file") / "branched.keras"
    model.save(path)
    return path.read_bytes()


def open_file(data: bytes, **query: str) -> AppTest:
    ref = add_upload(data, title="branched.keras")
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    at.session_state["uploaded_network"] = _Upload("branched.keras", ref)
    at.query_params["network"] = str(ref)
    for name, value in ({"from": "example", "example": "flower"} | query).items():
        at.query_params[name] = value
    at.switch_page("pages/inside.py").run()
    assert not at.exception
    return at


def html_of(at):
    return "".join(element.proto.body for element in at.get("html"))


def films(at):
    return re.findall(r'<div class="film"><div class="words"><b>(.*?)</b>', html_of(at))


def test_the_layers_of_the_chosen_block_are_a_filmstrip_with_shapes(branched):
    at = open_file(branched, block="block1")
    assert films(at) == ["block1_conv1", "block1_depthwise", "block1_bn", "block1_add"]
    assert "8 filters of 3×3, padded · 24×24×8" in html_of(at)
    assert 'class="block current" title="block1"' in html_of(at)


def test_a_layer_of_the_address_opens_its_block_and_its_map(branched):
    at = open_file(branched, layer="mixed1_b", map="2", row="3", column="1")
    assert "mixed1_b" in films(at) and at.query_params["block"] == "mixed1"
    assert at.number_input("number_map").value == 2
    assert "Filter 2 of **mixed1_b**" in words_of(at)
    assert at.number_input("number_row").value == 3


def test_a_layer_inside_of_a_nested_network_can_be_opened(branched):
    at = open_file(branched, layer="deep")
    assert "deep" in films(at) and "Filter" in words_of(at)


@pytest.mark.parametrize("layer", ["block1_conv1", "block1_depthwise", "deep", "mixed1_b"])
def test_the_written_sum_is_what_the_layer_gives(branched, layer):
    at = open_file(branched, layer=layer, map="1", row="2", column="3")
    (words,) = [text.value for text in at.markdown if "The layer itself gives" in text.value]
    written, own = re.search(r"sum \*\*(.*?)\*\*.*gives \*\*(.*?)\*\*", words).groups()
    total = max(float(written), 0) if layer == "block1_conv1" else float(written)
    assert total == pytest.approx(float(own), rel=1e-3, abs=1e-4)


def test_another_block_forgets_the_layer_of_the_first(branched):
    at = open_file(branched, block="block1", layer="block1_add", map="3")
    at.query_params["block"] = "mixed1"  # as choosing it does in the browser
    at.run()
    assert not at.exception and not at.warning
    assert "layer" not in at.query_params and "map" not in at.query_params
    assert at.selectbox("choice_layer").value == "mixed1_a"


def test_the_first_filters_are_shown_in_color(branched):
    at = open_file(branched, block="block1")
    assert "in color: gray is zero" in words_of(at)
    alts = [image.alt for element in at.image for image in element.proto.imgs]
    assert any("of block1_conv1 in color" in alt for alt in alts)


def test_maps_can_be_downloaded(branched):
    labels = [button.label for button in open_file(branched).get("download_button")]
    assert {"Map over the image (PNG)", "All maps of the layer (NPZ)"} < set(labels)
    assert {"Values of the map (CSV)", "All products (CSV)"} < set(labels)


def test_a_layer_that_is_not_there_is_said_and_another_is_shown(branched):
    at = open_file(branched, layer="block9_conv1")
    assert "“block9_conv1”, which does not exist" in at.warning[0].value
    assert films(at)


def test_a_network_without_convolutions_says_so(tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(40, name="logits")]
    )
    model.save(tmp_path / "dense.keras")
    at = open_file((tmp_path / "dense.keras").read_bytes())
    assert not at.error
    assert any("no feature maps" in text.value for text in at.info)


def test_a_network_whose_file_is_gone_is_said_in_one_sentence(branched):
    ref = add_upload(branched, title="branched.keras")
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    at.query_params["network"] = str(ref)
    at.switch_page("pages/inside.py").run()
    assert not at.exception
    assert "a file that is not open in this visit. Upload it again." in at.warning[0].value


def test_a_class_of_many_is_named(branched):
    at = open_file(branched)
    assert any("Prediction: **class " in text.value for text in at.info)
    assert np.any(["Probabilities" == header.value for header in at.header])


def test_the_patches_of_a_data_set_are_found_and_said(branched):
    at = open_file(branched, layer="mixed1_b", map="1", search="drawn_flowers")
    (button,) = [b for b in at.button if "top activating patches" in b.label]
    button.click().run(timeout=300)
    assert not at.exception and not at.error
    words = words_of(at)
    assert re.search(r"test images of Drawn flowers: \*\*\d+ of 4 units are dead\*\*", words)
    alts = [image.alt for element in at.image for image in element.proto.imgs]
    assert sum(alt.startswith("Patch of") for alt in alts) == 9
    at.number_input("number_map").set_value(2).run(timeout=300)
    alts = [image.alt for element in at.image for image in element.proto.imgs]
    assert sum("activates map 2" in alt for alt in alts) == 9, "no second search"


def test_a_network_of_nan_predicts_nothing():
    def show():
        import numpy as np

        from cnnkit.ui.inside.layer_views import show_prediction

        show_prediction(np.full(2, np.nan), ["cat", "dog"], 1)

    at = AppTest.from_function(show, default_timeout=60).run()
    assert not at.exception and "There is no prediction" in at.error[0].value
