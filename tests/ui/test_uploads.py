"""An uploaded network: there on every page, with its classes, until it is taken away."""

from __future__ import annotations

import io

import keras
import pytest
from PIL import Image

from cnnkit.networks import NetworkRef, add_upload
from cnnkit.settings import get_settings
from tests.pages import opened
from tests.workers import StillWorker

PREDICT = "pages/predict.py"
SINGLE = [
    f"pages/{name}.py" for name in ("visualize", "ladder", "layers", "deepdream", "architectures")
]
NAMES = "cat, dog"


@pytest.fixture(autouse=True)
def still(monkeypatch, submitted) -> StillWorker:
    """The pages' worker, without a process."""
    worker = StillWorker(get_settings())
    worker.layers = (("conv", "Conv2D", (6, 6, 4)), ("logits", "Dense", (3,)))
    monkeypatch.setattr("cnnkit.ui.common.cache.VisualizationWorker", lambda settings: worker)
    return worker


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="logits"),
        ]
    )


@pytest.fixture(scope="module")
def file(model, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("file") / "mine.keras"
    model.save(path)
    return path.read_bytes()


def uploaded(page, data, **query):
    at = opened(page, **query)
    at.text_input(key="network_classes").set_value(NAMES).run()
    at.file_uploader(key="network_upload").set_value(("mine.keras", data, "")).run()
    assert not at.exception and not at.error
    return at


def switched(at, page):
    # By its links in the sidebar, which leave the parameters of the page before behind.
    at.query_params.clear()
    at.switch_page(page).run()
    assert not at.exception and not at.error
    return at


def has_file(at, page) -> bool:
    picker = (
        at.multiselect("choice_networks") if page == PREDICT else at.selectbox("choice_network")
    )
    return any("mine.keras" in option for option in picker.options)


@pytest.mark.parametrize("page", SINGLE)
def test_a_file_dropped_on_predict_is_there_on_every_page(page, file):
    at = switched(uploaded(PREDICT, file, networks="run.starter"), page)
    assert has_file(at, page)
    assert at.text_input(key="network_classes").value == NAMES
    ref = add_upload(file, title="mine.keras", class_names=("cat", "dog"))
    at.selectbox("choice_network").select(str(ref)).run()
    assert not at.exception and not at.error


@pytest.mark.parametrize("page", SINGLE)
def test_a_file_dropped_on_any_page_answers_on_predict_with_its_classes(page, file):
    at = switched(uploaded(page, file), PREDICT)
    assert has_file(at, PREDICT)
    at.query_params.update({"networks": "file", "from": "example", "example": "flower"})
    at.run()
    assert not at.exception and not at.error
    (answer,) = (chart.proto.alt for chart in at.get("plotly_chart"))
    assert answer.startswith(("mine.keras: cat", "mine.keras: dog", "mine.keras: class 2"))


@pytest.mark.parametrize("page", [PREDICT, *SINGLE])
def test_every_page_takes_the_older_h5_files_too(page, model, tmp_path):
    model.save(tmp_path / "mine.h5")
    at = opened(page)
    uploader = at.file_uploader(key="network_upload")
    assert {".keras", ".h5", ".hdf5"} <= set(uploader.proto.type)
    uploader.set_value(("mine.h5", (tmp_path / "mine.h5").read_bytes(), "")).run()
    assert not at.exception and not at.error
    picker = (
        at.multiselect("choice_networks") if page == PREDICT else at.selectbox("choice_network")
    )
    assert any("mine.h5" in option for option in picker.options)


def test_it_survives_a_page_that_offers_no_uploads(file):
    at = switched(uploaded(PREDICT, file), "pages/runs.py")
    assert has_file(switched(at, "pages/visualize.py"), "pages/visualize.py")


def test_the_classes_reach_the_process_that_optimizes(file, still):
    at = uploaded("pages/visualize.py", file)
    options = next(box for box in at.selectbox if box.label == "Class").options
    assert [option.split(" · ")[0] for option in options] == ["cat", "dog", "class 2"]
    ref = NetworkRef.parse(still.started("layers")[-1]["network"])
    assert ref.open().card.class_names == ("cat", "dog", "class 2")


def test_it_goes_on_every_page_when_it_is_removed_on_one(file):
    at = switched(uploaded(PREDICT, file), "pages/visualize.py")
    at.button(key="network_remove").click().run()
    assert not has_file(at, "pages/visualize.py")
    assert not has_file(switched(at, PREDICT), PREDICT)
    assert at.text_input(key="network_classes").value == ""


def another(folder) -> bytes:
    """Another network, whose largest logit is always that of the third class."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(image)
    last = keras.initializers.Constant([0.0, 0.0, 100.0])
    model = keras.Model(image, keras.layers.Dense(3, "linear", True, "zeros", last)(x))
    model.save(folder / "another.keras")
    return (folder / "another.keras").read_bytes()


def test_a_second_file_and_other_names_give_other_answers_to_many_images(file, tmp_path):
    at = uploaded(PREDICT, another(tmp_path), networks="file", **{"from": "upload"})
    stream = io.BytesIO()
    Image.new("RGB", (9, 9)).save(stream, "PNG")
    images = [(f"{n}.png", stream.getvalue(), "image/png") for n in (1, 2)]
    at.file_uploader(key="images").set_value(images).run()
    assert best(at) == {"class 2"}
    at.text_input(key="network_classes").set_value("cat, dog, bird").run()
    assert best(at) == {"bird"}
    at.file_uploader(key="network_upload").set_value(("mine.keras", file, "")).run()
    assert best(at) != {"bird"}


def best(at) -> set[str]:
    assert not at.exception and not at.error
    table = at.dataframe[0].value
    return set(table.drop(columns=["image", "file"]).iloc[:, 0])


def test_a_second_file_is_asked_for_its_own_layers(file, still, tmp_path):
    at = uploaded("pages/visualize.py", file)
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model.save(tmp_path / "mine.keras")
    data = (tmp_path / "mine.keras").read_bytes()
    at.file_uploader(key="network_upload").set_value(("mine.keras", data, "")).run()
    ref = add_upload(data, title="mine.keras", class_names=("cat", "dog"))
    assert still.started("layers")[-1]["network"] == str(ref)


def test_names_given_later_replace_the_network_in_the_address(file):
    at = opened("pages/visualize.py")
    at.file_uploader(key="network_upload").set_value(("mine.keras", file, "")).run()
    before = at.query_params["network"]
    at.text_input(key="network_classes").set_value("cat, dog").run()
    assert not at.exception and not at.error
    assert at.query_params["network"] != before
    assert at.selectbox("choice_network").value == at.query_params["network"]
    options = next(box for box in at.selectbox if box.label == "Class").options
    assert [option.split(" · ")[0] for option in options] == ["cat", "dog", "class 2"]


def test_a_network_that_returns_feature_maps_is_opened_but_not_asked(tmp_path):
    maps = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="conv1")])
    maps.save(tmp_path / "maps.keras")
    data = (tmp_path / "maps.keras").read_bytes()
    at = opened("pages/inside.py", **{"from": "example"})
    at.file_uploader(key="network_upload").set_value(("maps.keras", data, "")).run()
    assert not at.exception and not at.error
    ref = at.selectbox("choice_network").value
    assert ref.startswith("uploaded.")
    assert any("<b>conv1</b>" in element.proto.body for element in at.get("html"))
    for page in ("pages/explain.py", "pages/predict.py"):
        at.query_params.clear()
        at.query_params.update(networks=ref, **{"from": "example"})
        at.switch_page(page).run()
        assert not at.exception
        assert "returns feature maps and no classes" in at.error[0].value


def test_a_network_of_one_probability_is_drawn_on_architectures_alone(tmp_path):
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, activation="sigmoid")]
    keras.Sequential([keras.Input((8, 8, 3)), *head]).save(tmp_path / "binary.keras")
    data = (tmp_path / "binary.keras").read_bytes()
    at = opened("pages/architectures.py")
    at.file_uploader(key="network_upload").set_value(("binary.keras", data, "")).run()
    assert not at.exception and not at.error
    assert at.selectbox("choice_network").value.startswith("uploaded.")
    at = switched_with_error(at, "pages/visualize.py")
    assert "one number for each of several classes" in at.error[0].value


def switched_with_error(at, page):
    at.query_params.clear()
    at.switch_page(page).run()
    assert not at.exception
    return at
