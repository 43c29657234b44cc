"""Networks of other origin on the pages: names, pixels, and a place among the runs."""

from __future__ import annotations

import io

import keras
import numpy as np
import pytest
from PIL import Image

from cnnkit.imported_runs import KIND, keep_upload
from cnnkit.networks import NetworkRef, add_upload, upload_preprocessing
from cnnkit.settings import get_settings
from tests.old_files import hdf5_file, teachable_machine
from tests.pages import opened, words_of
from tests.records import new_store

PREDICT = "pages/predict.py"
LABELS = b"0 Cat\n1 Dog, small\n2 Nothing\n"
EXAMPLE = {"from": "example", "example": "flower"}


@pytest.fixture(scope="module")
def teachable() -> bytes:
    return hdf5_file(*teachable_machine())


@pytest.fixture(scope="module")
def unknown(tmp_path_factory) -> bytes:
    """A network whose class depends on the range of its pixels."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(image)
    dense = keras.layers.Dense(2)
    model = keras.Model(image, dense(x))
    dense.set_weights([np.array([[0, 1]] * 3, "f4"), np.array([3, 0], "f4")])
    path = tmp_path_factory.mktemp("unknown") / "mine.keras"
    model.save(path)
    return path.read_bytes()


def drop(at, *files):
    at.file_uploader(key="network_upload").set_value([(*file, "") for file in files]).run()
    assert not at.exception and not at.error
    return at


def answers(at) -> list[str]:
    return [chart.proto.alt for chart in at.get("plotly_chart")]


def test_a_teachable_machine_export_and_its_labels_open_on_predict(teachable):
    at = opened(PREDICT, networks="run.starter", **EXAMPLE)
    drop(at, ("keras_model.h5", teachable), ("labels.txt", LABELS))
    ref = NetworkRef.parse(at.query_params["networks"].split(",")[-1])
    assert ref.card().class_names == ("Cat", "Dog, small", "Nothing")
    assert at.text_input(key="network_classes").value == "Cat; Dog, small; Nothing"
    assert at.selectbox(key="network_pixels").value == "minus_one_to_one"
    assert "made with Teachable Machine" in words_of(at)
    assert any(answer.startswith("keras_model.h5: ") for answer in answers(at))
    assert not [button for button in at.button if button.key.startswith("choose_")]


def test_labels_that_come_later_name_the_classes_and_those_of_another_file_do_not(
    teachable, unknown
):
    at = drop(opened(PREDICT, **EXAMPLE), ("keras_model.h5", teachable))
    at.file_uploader(key="network_upload").set_value([("labels.txt", LABELS, "")]).run()
    assert at.text_input(key="network_classes").value == "Cat; Dog, small; Nothing"
    drop(at, ("mine.keras", unknown))
    assert at.text_input(key="network_classes").value == ""
    wrong = at.file_uploader(key="network_upload").set_value([("labels.txt", b"\xff\xfe", "")])
    wrong.run()
    assert not at.exception and "class names cannot be read" in at.error[0].value


def test_an_unknown_network_is_asked_by_its_answers_and_stays_as_it_is_answered(unknown):
    at = opened(PREDICT, networks="run.starter", **EXAMPLE)
    at.text_input(key="network_classes").set_value("low, high").run()
    drop(at, ("mine.keras", unknown))
    assert "trained on?** Its file does not say" in words_of(at)
    before = at.query_params["networks"]
    at.button(key="choose_zero_to_one").click().run()
    assert not at.exception and not at.error
    assert "Its file does not say" not in words_of(at) and at.query_params["networks"] != before
    ref = NetworkRef.parse(at.query_params["networks"].split(",")[-1])
    assert upload_preprocessing(ref).name == "zero_to_one"
    assert any(answer.startswith("mine.keras: low") for answer in answers(at))
    at.selectbox(key="network_pixels").select("none").run()
    assert not at.exception and not at.error
    assert any(answer.startswith("mine.keras: high") for answer in answers(at))
    assert ref.card().class_names == ("low", "high")


def test_the_candidates_answer_what_the_network_prepared_so_answers(unknown):
    from cnnkit.image_io import read_image
    from cnnkit.models import PREPROCESSINGS
    from cnnkit.networks import prepare_upload
    from cnnkit.predict import prepare, top_k
    from cnnkit.ui.predict.expected_pixels import candidate_answers

    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)).save(
        stream, "PNG"
    )
    image = read_image(stream.getvalue())
    seen = prepare(image.array, (8, 8, 3))[None]
    ref = add_upload(unknown, title="mine.keras", preprocessing="minus_one_to_one")
    answers = candidate_answers(ref, image, "crop")
    assert list(answers) == list(PREPROCESSINGS)
    for name, best in answers.items():
        network = prepare_upload(ref, name).open()
        (own,) = top_k(network.logits(seen)[0], network.card.class_names, 1)
        assert best.name == own.name and best.probability == pytest.approx(
            own.probability, abs=1e-3
        )


def test_it_is_kept_among_the_runs_and_found_on_the_pages(teachable):
    new_store(get_settings())
    at = opened(PREDICT, networks="run.starter", **EXAMPLE)
    drop(at, ("keras_model.h5", teachable), ("labels.txt", LABELS))
    at.button(key="network_keep").click().run()
    assert not at.exception and not at.error
    at.query_params.clear()
    at.switch_page("pages/runs.py").run()
    assert not at.exception and not at.error
    words = words_of(at)
    assert "It was not trained here" in words and "x / 127.5 − 1" in words
    (names,) = (area for area in at.text_area if area.label.startswith("Class names"))
    names.set_value("Chat\nChien\nRien")
    (rename,) = (b for b in at.button if b.label == "Rename the classes")
    rename.click().run()
    assert not at.exception and not at.error and at.success
    at.query_params.clear()
    at.query_params.update(EXAMPLE)
    at.switch_page("pages/explain.py").run()
    options = at.multiselect("choice_networks").options
    assert any(option.startswith("keras_model.h5 · ") for option in options)


def test_fine_tune_starts_from_a_kept_network(teachable, monkeypatch):
    monkeypatch.setattr("cnnkit.datasets.drawn.PER_CLASS", 3)
    monkeypatch.setattr("cnnkit.datasets._images.SIDE", 32)
    monkeypatch.setattr("cnnkit.ui.common.tasks.PATIENCE", 60)
    store = new_store(get_settings())
    ref = add_upload(hdf5_file(*teachable_machine(size=32)), title="keras_model.h5")
    run = keep_upload(ref, store)
    assert run.kind == KIND
    at = opened("pages/fine_tune.py", data="drawn_flowers", network=f"run.{run.id}")
    assert not at.error
    assert at.selectbox("choice_network").value == f"run.{run.id}"
    assert "Initial weights: those of" in words_of(at)
