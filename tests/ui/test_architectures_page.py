"""The Architectures page: one network, two, all of them, and pairs that are trained."""

from __future__ import annotations

import time

import keras
import pytest

from cnnkit.models.builder import get_template
from cnnkit.runs import Point, Status
from cnnkit.training import Recipe
from tests.pages import opened, words_of

PAGE = "pages/architectures.py"


def drawn(at):
    """Wait for what is worked out in the background, as the page's fragment does."""
    until = time.monotonic() + 100
    while any("progress_activity" in caption.value for caption in at.caption):
        assert time.monotonic() < until
        time.sleep(0.2)
        at.run()
        assert not at.exception
    return at


def html_of(at):
    return "\n".join(element.proto.body for element in at.get("html"))


def figures(at):
    return {metric.label: metric.value for metric in at.metric}


def test_a_classic_is_explained_counted_and_drawn():
    at = opened(PAGE, network="alexnet")
    # Before Keras is even imported:
    assert figures(at)["Parameters"] == "61 M" and figures(at)["Depth"] == "8"
    assert "Local response normalization" in words_of(at)
    html = html_of(drawn(at))
    assert "block1_conv1" in html and html.count("<details") == 12
    assert "Layer" in at.dataframe[0].value.columns and len(at.dataframe[0].value) == 18


def test_a_network_of_the_page_build_is_drawn_by_its_address():
    code = get_template("small_cnn").code
    at = drawn(opened(PAGE, network=f"built.{code}"))
    assert figures(at)["Parameters"] == "106 k" and not at.error
    assert "block2_conv1" in html_of(at)


@pytest.mark.parametrize("classic", ["lenet5", "vgg16", "resnet", "googlenet", "squeezenet"])
def test_each_classic_says_what_has_changed_and_what_is_still_used(classic):
    words = words_of(opened(PAGE, network=classic))
    assert "**What has changed since**" in words and "**What is still used today**" in words


def test_a_pretrained_network_is_drawn_and_can_be_asked():
    at = drawn(opened(PAGE, network="mobilenet_v2"))
    assert "block_7 … block_9" in html_of(at)
    assert at.main.get("page_link")[-1].proto.page == "predict"


def test_another_depth_is_counted_anew_and_said():
    at = opened(PAGE, network="resnet")
    at.selectbox("network_resnet_depth").select(18).run()
    assert drawn(at) and figures(at)["Depth"] == "18"
    at.toggle("network_resnet_skips").set_value(False).run()
    assert "residual block" not in html_of(drawn(at))


def test_smaller_images_cost_less():
    at = opened(PAGE, network="vgg16")
    assert figures(at)["Multiply-accumulates"] == "15.5 G"
    at.number_input("network_vgg16_size").set_value(112).run()
    assert figures(drawn(at))["Multiply-accumulates"] == "3.88 G"


def test_an_image_too_small_for_the_network_gets_a_sentence():
    at = opened(PAGE, network="alexnet")
    at.number_input("network_alexnet_size").set_value(16).run()
    drawn(at)
    assert "AlexNet cannot be built for images of (16, 16, 3)" in at.error[0].value


def test_an_unknown_network_is_said_and_the_first_is_shown():
    at = opened(PAGE, network="transformer")
    assert "transformer" in at.warning[0].value
    assert figures(at)["Depth"] == "5"


def test_two_networks_stand_side_by_side():
    at = drawn(opened(PAGE, view="two", left="vgg16", right="googlenet"))
    assert "19.8 times the parameters" in words_of(at)
    assert html_of(at).count('class="cnn-architecture"') == 2


def test_all_pretrained_networks_are_in_the_image_of_accuracy_and_cost():
    at = opened(PAGE, view="accuracy")
    assert len(at.dataframe[0].value) == 33
    assert "SqueezeNet 1.1" in words_of(at)  # nobody published a figure of that kind
    assert at.dataframe[0].value["Accuracy from"].astype(bool).sum() == 32


def test_a_network_of_ones_own_is_opened_without_running_anything_of_it(tmp_path):
    path = tmp_path / "mine.keras"
    image = keras.Input((None, None, 3))
    x = keras.layers.GlobalMaxPooling2D()(keras.layers.Conv2D(7, 3, name="mine_conv")(image))
    keras.Model(image, keras.layers.Dense(4)(x)).save(path)
    at = opened(PAGE)
    at.file_uploader("network_upload").set_value([("mine.keras", path.read_bytes(), "")]).run()
    drawn(at)
    assert "mine_conv" in html_of(at) and "224×224×3" in html_of(at)
    assert at.selectbox("choice_network").value.startswith("uploaded.")


def test_a_file_that_is_no_network_is_refused_with_the_reason():
    at = opened(PAGE)
    at.file_uploader("network_upload").set_value([("fake.keras", b"hello", "")]).run()
    drawn(at)
    assert at.error and not at.exception


def test_a_pair_is_submitted_together_and_differs_in_one_option(submitted):
    at = opened(PAGE, view="concepts", concept="depth", twin_depth="8", twin_depth_images="500")
    drawn(at)
    assert "In the first layer the gradient norm" in words_of(at)
    at.button("depth 8").click().run()
    assert not at.exception and len(submitted) == 2
    from cnnkit.ui.common import cache

    first, second = (Recipe.from_dict(cache.store().get(one).spec) for one in submitted)
    assert first.model_options["skips"] is not second.model_options["skips"]
    skips = {"skips": True, "depth": 8, "width": 8}
    assert first.replace(model_options=skips) == second.replace(model_options=skips)
    assert not [b for b in at.button if b.key == "depth 8"]  # they are on their way


def test_a_pair_trained_under_an_old_name_is_found_at_the_old_address(submitted, store):
    from cnnkit.ui.architectures.concepts.pairs import auxiliary_pair

    for name, recipe in auxiliary_pair(images=500, epochs=4).items():
        run = store.create("train", recipe.replace(name="pair").to_dict(), name)
        values = {"loss": 1.0, "val_accuracy": 0.5}
        store.log(run.id, [Point(metric=k, value=v, step=1, when=0) for k, v in values.items()])
        store.update(run.id, status=Status.RUNNING)
    at = opened(PAGE, view="ideas", idea="auxiliary", twin_auxiliary_images="500")
    drawn(at)
    assert len(at.get("plotly_chart")) == 3  # gradients, loss, error
    assert not submitted
