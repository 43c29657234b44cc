"""Explain: a digit and a photo, several methods, contrast, addresses, options, and mistakes."""

from __future__ import annotations

import csv
import io
import json
from functools import partial

import keras
import numpy as np
import pytest

from cnnkit.datasets import dataset_info, load_dataset
from cnnkit.errors import ExplanationError
from cnnkit.explain import get_method, list_methods
from cnnkit.explain.request import ExplanationRequest, images_digest
from cnnkit.figures.rasters import png
from cnnkit.jobs.session_kinds import Explanation
from cnnkit.networks import NetworkRef, add_upload
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.ui.common import cache
from cnnkit.ui.explain.export import as_csv
from cnnkit.ui.explain.grid import ExplainedNetwork
from cnnkit.ui.explain.networks import AskedNetwork, probabilities
from cnnkit.ui.explain.targets import ClassTarget
from cnnkit.visualize import class_logit
from tests.pages import opened, words_of
from tests.workers import StillWorker

DIGIT = {"networks": "run.starter", "from": "test", "data": "digits", "class": "7", "image": "0"}
open_page = partial(opened, "pages/explain.py")


@pytest.fixture(autouse=True)
def still(monkeypatch) -> StillWorker:
    """The pages' worker, without a process; explanations are made in this one."""
    worker = StillWorker(get_settings())
    monkeypatch.setattr("cnnkit.ui.common.cache.VisualizationWorker", lambda settings: worker)
    return worker


def images(at):
    """The alternative texts of all images."""
    return [image.alt for element in at.image for image in element.proto.imgs]


def requests(still):
    return [request for spec in still.started("explain") for request in spec["requests"]]


def test_a_link_explains_the_predicted_class_at_once(still):
    at = open_page(**DIGIT)
    words = words_of(at)
    assert "predicts **7**" in words and "Explained: **7**" in words
    assert [r["method"] for r in requests(still)] == ["grad_cam", "integrated_gradients"]
    assert requests(still)[0]["target"][0]["numbers"]["unit"] == [7.0]
    assert any(alt.startswith("Grad-CAM of 7") for alt in images(at))
    assert any(alt.startswith("Integrated gradients of 7") for alt in images(at))
    at.run()
    assert len(still.started("explain")) == 1  # nothing is made again


def test_every_method_has_its_place_on_the_grid(still):
    at = open_page(**DIGIT, methods=",".join(list_methods()))
    assert at.multiselect(key="choice_methods").proto.wrap  # no name is cut off
    assert not at.error, at.error[0].value
    for name in list_methods():
        assert any(alt.startswith(f"{get_method(name).title} of 7") for alt in images(at)), name
    kinds = [alt for alt in images(at) if alt.startswith("Color scale")]
    assert len(kinds) == 2


def test_the_strength_of_the_overlay_computes_nothing_again(still):
    at = open_page(**DIGIT, methods="gradient")
    at.slider(key="overlay").set_value(20).run()
    assert not at.exception and len(still.started("explain")) == 1


def test_one_class_against_another(still):
    at = open_page(**DIGIT, methods="gradient", target="3", against="5")
    assert "Explained: **3, not 5**" in words_of(at)
    terms = requests(still)[0]["target"]
    assert [(t["weight"], t["numbers"]["unit"]) for t in terms] == [(1.0, [3.0]), (-1.0, [5.0])]
    at.selectbox(key="choice_against").set_value("3").run()
    assert "cannot be compared with itself" in at.error[0].value


def test_the_most_probable_other_class(still):
    at = open_page(**DIGIT, methods="gradient", against="second")
    first, second = (term["numbers"]["unit"] for term in requests(still)[0]["target"])
    assert first == [7.0] and second != first
    assert ", not " in words_of(at)


def test_a_hidden_unit_and_the_layers_before_it(still):
    at = open_page(
        **DIGIT,
        **{"methods": "grad_cam", "aim": "unit", "layer": "block1_conv1", "unit": "4"},
    )
    (request,) = requests(still)
    assert request["target"][0]["kind"] == "channel" and request["options"]["layer"]
    assert "Explained: **unit 4 of block1\\_conv1**" in words_of(at)
    offered = at.selectbox(key="choice_cam_layer").options
    assert [text.split(" ")[0] for text in offered] == ["block1_conv1"]
    assert any(alt.startswith("Grad-CAM of unit 4") for alt in images(at))


def test_the_true_class_is_said_where_another_is_predicted(still):
    images, labels = load_dataset("digits").part("test")
    guess = cache.network(NetworkRef("run", "starter")).logits(images).argmax(1)
    wrong = int(np.flatnonzero(guess != labels)[0])
    number = int(np.flatnonzero(np.flatnonzero(labels == labels[wrong]) == wrong)[0])
    place = {"class": str(labels[wrong]), "image": str(number)}
    at = open_page(**{**DIGIT, **place}, methods="gradient,horoscope", checks="faithfulness,luck")
    assert f"The true class is **{labels[wrong]}**" in words_of(at)
    assert "The true class" not in words_of(open_page(**DIGIT, methods="gradient"))
    said = [one.value for one in at.warning]
    assert "“horoscope”" in said[0] and "“luck”" in said[1] and "left out" in said[1]


def test_options_come_from_the_registry_and_stand_in_the_address(still):
    at = open_page(
        **DIGIT,
        **{"methods": "smoothgrad,occlusion", "smoothgrad.samples": "10", "occlusion.patch": "8"},
    )
    smooth, hidden = requests(still)
    assert smooth["options"] == {"samples": 10} and hidden["options"] == {"patch": 8}
    at.selectbox(key="choice_occlusion.baseline").set_value("black").run()
    assert requests(still)[-1]["options"] == {"patch": 8, "baseline": "black"}
    assert at.query_params["occlusion.baseline"] == "black"


def test_a_layer_of_the_address_is_used_by_all_class_activation_maps(still):
    open_page(**DIGIT, methods="grad_cam,layer_cam,gradient", cam_layer="block1_conv1")
    assert [r["options"] for r in requests(still)] == [
        {"layer": "block1_conv1"},
        {"layer": "block1_conv1"},
        {},
    ]


def test_a_target_is_sought_among_the_classes_of_each_network(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(4, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.save(tmp_path / "mine.keras")
    names = ("cat", "dog", "cow")
    ref = add_upload((tmp_path / "mine.keras").read_bytes(), title="mine.keras", class_names=names)
    card = ref.card()
    image = np.zeros((28, 28, 1), np.uint8)
    asked = AskedNetwork(ref, "mine", card, "a digit", image, np.array([0.2, 0.5, 0.3]))
    digits = tuple(map(str, range(10)))
    assert ClassTarget(None, -1, digits).classes(asked) == (1, 2)
    with pytest.raises(ValueError, match="no class “7”"):
        ClassTarget(7, None, digits).classes(asked)
    assert ClassTarget(1, None, ("cow", "cat")).classes(asked) == (0, None)


def test_nan_is_no_prediction():
    with pytest.raises(ExplanationError, match="There is no prediction"):
        probabilities(np.full((1, 10), np.nan, np.float32))


def test_a_method_that_fails_says_so_in_its_own_cell(still):
    at = open_page(**DIGIT, **{"methods": "grad_cam,occlusion,gradient", "occlusion.stride": "56"})
    assert len(at.error) == 1 and "`stride` 1 to `patch`" in at.error[0].value
    assert any(alt.startswith("Gradient of 7") for alt in images(at))


def test_what_is_being_made_shows_its_batches_and_can_be_stopped(still):
    still.explaining = True
    at = open_page(**DIGIT, **{"methods": "rise,gradient"})
    (bar,) = at.get("progress")
    assert bar.text.startswith("Batch 1 of 32")
    assert "Waits for its turn" in words_of(at)
    still.put(still.newest("explain"), status=Status.QUEUED)
    assert "Queued (next)" in words_of(at.run())
    still.put(still.newest("explain"), status=Status.RUNNING)
    next(b for b in at.button if b.label == "Stop").click().run()
    assert still.sent[-1] == ("stop", {})
    still.put(still.newest("explain"), status=Status.CANCELLED)
    at.run()
    assert at.error[0].value == "Stopped."
    next(b for b in at.button if b.label == "Resume").click().run()
    assert still.sent[-1] == ("resume", {})


def test_other_methods_stop_what_is_not_wanted_any_more(still):
    still.explaining = True
    at = open_page(**DIGIT, methods="rise")
    at.multiselect(key="choice_methods").set_value(["gradient"]).run()
    assert ("stop", {}) in still.sent
    assert [r["method"] for r in requests(still)] == ["rise", "gradient"]


def test_without_networks_or_image_it_says_what_to_do(still):
    at = open_page(networks="")
    assert "Choose at least one network" in at.info[0].value
    at = open_page(networks="run.starter", **{"from": "upload"})
    assert "Choose an image above" in at.info[0].value
    assert not still.started("explain")


def test_the_table_names_what_was_explained(still):
    ref = NetworkRef("run", "starter")
    image = np.zeros((28, 28, 1), np.uint8)
    shares = np.eye(10)[7] * 0.91 + 0.009
    network = AskedNetwork(ref, "Starter", ref.card(), "=a digit", image, shares)
    request = ExplanationRequest("run.starter", network.digest, class_logit(7), "gradient")
    found = Explanation({"maps": np.ones((1, 28, 28), np.float32)}, {"seconds": 1.5})
    text = as_csv([(ExplainedNetwork(network, "7", (request,)), request, found)])
    (row,) = csv.DictReader(io.StringIO(text))
    assert (
        row["image"] == "'=a digit"
        and row["network"] == "Starter"
        and row["target"] == "7"
        and row["method"] == "gradient"
    )
    assert float(row["probability"]) == pytest.approx(0.919) and row["seconds"] == "1.500"


def test_checks_are_made_on_demand_and_stand_in_the_address(still):
    at = open_page(**DIGIT, methods="gradient,guided_backpropagation")
    assert {request["check"] for request in requests(still)} == {""}
    assert any("Agreement of the maps" in markdown.value for markdown in at.markdown)
    at.multiselect(key="choice_checks").set_value(
        ["faithfulness", "randomization", "sensitivity"]
    ).run()
    assert not at.exception and not at.error
    assert at.query_params["checks"] == "faithfulness,randomization,sensitivity"
    charts = [chart.proto.alt for chart in at.get("plotly_chart")]
    assert charts[0].startswith("Deletion, area under the curve: Gradient 0.")
    axes = json.loads(at.get("plotly_chart")[0].proto.spec)["layout"]
    assert axes["yaxis"]["title"]["text"] == "probability"
    assert charts[1].startswith("Insertion") and "all weights are shuffled" in charts[2]
    table = at.dataframe[0].value
    assert list(table["method"]) == ["Gradient", "Guided backpropagation"]
    assert (table["sensitivity"] > 0).all() and table["deletion area"].between(0, 1).all()
    assert at.dataframe[1].value.loc[0, "Gradient"] == pytest.approx(1)


def test_a_map_that_does_not_depend_on_the_weights_says_so(still):
    at = open_page(**DIGIT, methods="gradient", checks="randomization")
    assert "does not depend on the weights" not in words_of(at)
    (request,) = [one for one in requests(still) if one["check"]]
    key = ExplanationRequest.from_dict(request).key(NetworkRef("run", "starter").digest())
    card, arrays = still.results.read(key, ("stages",))
    still.results.remove(key)
    still.results.write(key, card | {"depends": [False], "upper": [0.93]}, arrays)
    at.run()
    assert "rank correlation 0.93" in words_of(at)


def test_many_images_are_a_contact_sheet_with_areas_in_the_table(still):
    at = open_page(networks="run.starter", images="many", methods="gradient")
    assert "Upload images above" in at.info[0].value
    digits = load_dataset("digits").part("test")[0][:3]
    files = [(f"{n}.png", png(digit[..., 0]), "image/png") for n, digit in enumerate(digits)]
    at.file_uploader(key="explain_many").set_value(files).run()
    assert not at.exception
    maps = [alt for alt in images(at) if alt.startswith("Gradient of")]
    assert len(maps) == 3 and maps[1].endswith("in 1.png")
    assert "Predicted class of each image" in at.selectbox(key="choice_target").options
    still.explaining = True
    at.toggle(key="areas").set_value(True).run()
    assert at.get("progress")[0].text.startswith("0 of 3 maps are measured")
    assert [one["check"] for one in requests(still)[3:]] == ["faithfulness"] * 3


def test_an_unreadable_file_stops_none_of_the_others(still):
    at = open_page(networks="run.starter", images="many", methods="gradient")
    files = [("a.png", b"no image", "image/png")]
    files += [("b.png", png(np.full((28, 28), 90, np.uint8)), "image/png")]
    at.file_uploader(key="explain_many").set_value(files).run()
    assert at.error[0].value.startswith(r"a\.png: ")
    assert len(at.error) == 1 and len(requests(still)) == 1


# From other pages


def follow(at, link):
    """Open what a link names, as a click on it does."""
    for name in list(at.query_params):
        del at.query_params[name]
    for part in link.proto.query_string.split("&"):
        name, _, value = part.partition("=")
        at.query_params[name] = value
    at.switch_page("pages/explain.py").run()
    assert not at.exception
    return at


def why(at):
    (link, *_) = [one for one in at.get("page_link") if one.proto.label == "Why?"]
    return link


def test_predict_leads_here_with_its_example(still):
    at = opened(
        "pages/predict.py", **{"networks": "run.starter", "from": "example", "example": "china"}
    )
    follow(at, why(at))
    assert "Explained: **" in words_of(at) and len(requests(still)) == 2
    assert at.selectbox(key="choice_example").value == "china"


def test_draw_leads_here_with_the_very_image_that_was_answered(still):
    at = opened("pages/draw.py", **{"from": "test", "image": "5"})
    image = next(one for one in images(at) if "28×28" in one)
    assert image
    follow(at, why(at))
    expected = cache.digits().part("test")[0][5]
    assert requests(still)[0]["images"] == images_digest(expected[np.newaxis])


def test_a_misclassified_image_leads_here(still):
    at = opened("pages/runs.py", runs="starter", run="starter")
    links = [one for one in at.get("page_link") if one.proto.label == "Why?"]
    if not dataset_info("mnist").available:
        assert not links  # the images that ship are in no data set here
        return
    predictions = cache.predictions("starter")
    first = int(predictions.misclassified()[0])
    follow(at, links[0])
    expected = load_dataset("mnist").part("test")[0][first]
    assert requests(still)[0]["images"] == images_digest(expected[np.newaxis])
    names = cache.run_classes(cache.store().get("starter"))
    assert f"Explained: **{names[predictions.predicted[first]]}**" in words_of(at)


def test_the_check_of_an_optimized_image_leads_here(still):
    at = opened("pages/visualize.py", network="run.starter", unit="7", preset="quick")
    for label in ("Start", "Classify again", "Why?"):
        next(button for button in at.button if button.label == label).click().run()
        assert not at.exception
    assert "Explained: **7**" in words_of(at)
    frame = np.full((1, 28, 28, 1), 9, np.uint8)  # of the worker
    assert requests(still)[0]["images"] == images_digest(frame)


def test_an_unknown_network_of_the_address_is_said_and_the_others_stay():
    at = open_page(**{**DIGIT, "networks": "pretrained.nosuch,run.starter"}, methods="gradient")
    assert not at.exception and not at.error
    assert ["nosuch" in warning.value for warning in at.warning] == [True]
    assert any(alt.startswith("Gradient of 7") for alt in images(at))
