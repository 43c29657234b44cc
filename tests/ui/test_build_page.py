"""The page Build as a person uses it. No Keras is imported while a network is edited."""

from __future__ import annotations

from functools import partial

import pytest

from cnnkit.models.builder import NetworkDefinition, get_template, set_value
from cnnkit.runs import Status
from tests.pages import opened, words_of

PAGE = "pages/build.py"
open_page = partial(opened, PAGE, dataset="digits")


def network_of(at) -> NetworkDefinition:
    return NetworkDefinition.from_code(at.query_params["network"])


def figures(at):
    return {metric.label: metric.value for metric in at.metric}


def test_a_first_visitor_sees_a_network_that_fits_its_costs_and_its_figure():
    at = open_page()
    assert "All layers fit." in words_of(at)
    assert figures(at)["Parameters"] == "106 k" and "MiB" in figures(at)["Memory"]
    assert "block1_conv1" in "".join(one.proto.body for one in at.get("html"))
    assert not at.button("build_train").disabled
    assert network_of(at) == get_template("small_cnn")


def test_a_layer_is_added_made_impossible_repaired_and_taken_back():
    at = open_page()
    at.button("layer_row_4").click().run()  # the second pooling
    at.button("add_Conv2D").click().run()
    assert not at.exception
    assert [e.name for e in network_of(at).layers][5] == "block3_conv1"

    at.selectbox("layer_5_Conv2D_padding").set_value("valid").run()
    at.number_input("layer_5_Conv2D_kernel_size").set_value(9).run()
    errors = [error.value for error in at.error]
    assert any("9×9 on a 7×7 map with padding 'valid'" in error for error in errors)
    assert any("choose padding 'same' or a smaller kernel" in error.lower() for error in errors)
    assert at.button("build_train").disabled

    at.number_input("layer_5_Conv2D_kernel_size").set_value(3).run()
    assert not at.error and not at.button("build_train").disabled
    at.button("build_undo").click().run()
    assert at.error
    at.button("build_undo").click().run()
    at.button("build_undo").click().run()
    at.button("build_undo").click().run()
    assert network_of(at) == get_template("small_cnn")


def test_layers_are_moved_copied_renamed_and_removed():
    at = open_page()
    at.button("layer_row_1").click().run()
    at.text_input("layer_name_1").input("first").run()
    at.button("layer_move_layer_Move down").click().run()
    assert [e.name for e in network_of(at).layers][1:3] == ["block1_pool", "first"]
    at.button("layer_copy_layer_Copy").click().run()
    assert len(network_of(at).layers) == 8
    at.button("layer_remove_layer_Remove").click().run()
    assert len(network_of(at).layers) == 7 and not at.exception


def test_a_name_that_cannot_be_is_refused_in_one_sentence():
    at = open_page()
    at.button("layer_row_1").click().run()
    at.text_input("layer_name_1").input("<script>").run()
    assert "letters, digits" in at.error[0].value
    assert network_of(at) == get_template("small_cnn")
    at.text_input("build_title").input("<b>").run()
    assert "The name of a network" in at.error[0].value


def test_a_link_opens_on_its_network_and_a_damaged_one_says_so():
    mine = set_value(get_template("lenet_tutorial"), 1, "filters", 7)
    at = open_page(network=mine.code)
    assert network_of(at) == mine
    broken = opened(PAGE, dataset="digits", network=mine.code[:-8])
    assert "copy the whole link" in broken.error[0].value


@pytest.mark.parametrize("name", ["empty", "resnet_digits", "small_inception"])
def test_a_template_replaces_the_network(name):
    at = open_page()
    at.button(f"template_{name}").click().run()
    assert not at.exception and network_of(at) == get_template(name)
    assert "All layers fit." in words_of(at)


def test_every_kind_of_layer_can_be_added_and_opened():
    from cnnkit.models.builder import KINDS

    at = open_page()
    at.button("layer_row_1").click().run()
    for number, kind in enumerate(KINDS):
        at.button(f"add_{kind}").click().run()
        assert not at.exception, kind
        assert network_of(at).layers[number + 2].kind == kind


def test_train_opens_with_the_network_and_submits_it_readably(store, submitted):
    mine = set_value(get_template("small_cnn"), 1, "filters", 7)
    at = opened("pages/train.py", dataset="digits", model=mine.code)
    assert "Small CNN" in words_of(at) and not at.error
    assert figures(at)["Trainable parameters"] == "103,184" and figures(at)["Time"] != "unknown yet"
    at.button("train").click().run()
    assert not at.exception
    (run,) = store.list(statuses=[Status.QUEUED])
    assert run.name == "Small CNN, fast" and run.spec["model"] == "built"
    assert run.spec["definition"]["layers"][1]["filters"] == 7


def test_a_network_that_does_not_fit_the_images_is_not_trained(submitted):
    impossible = set_value(get_template("lenet_tutorial"), 1, "kernel_size", 31)
    at = opened("pages/train.py", dataset="digits", model=impossible.code)
    assert "31×31 on a 28×28 map" in at.error[0].value
    assert not [button for button in at.button if button.key == "train"]


def test_photos_are_made_as_small_as_one_chooses_and_train_so(decoded):
    at = opened(PAGE, dataset="drawn_flowers", size="48")
    assert network_of(at).input_shape == (48, 48, 3) and network_of(at).classes == 17
    at = opened("pages/train.py", dataset="drawn_flowers", model=network_of(at).code)
    assert not at.error and figures(at)["Trainable parameters"] == "301,169"
    assert opened(PAGE, dataset="drawn_flowers", size="x").error == []
