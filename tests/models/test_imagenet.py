import json

import pytest

from cnnkit import assets
from cnnkit.errors import CorruptAssetError
from cnnkit.models import imagenet_class_names, imagenet_classes
from cnnkit.models.imagenet import CLASSES, kind


def serve(monkeypatch, tmp_path, text):
    path = tmp_path / "imagenet_class_index.json"
    path.write_text(text)
    monkeypatch.setattr(assets, "find", lambda name: path)


def test_names_come_in_the_order_of_the_logits(monkeypatch, tmp_path):
    index = {str(i): [f"n{i:08}", f"thing_{i}"] for i in reversed(range(CLASSES))}
    serve(monkeypatch, tmp_path, json.dumps(index))
    classes = imagenet_classes()
    assert len(classes) == CLASSES
    assert (classes[285].index, classes[285].wordnet_id, classes[285].name) == (
        285,
        "n00000285",
        "thing 285",
    )


def test_a_list_that_takes_the_place_of_another_is_read_anew(monkeypatch, tmp_path):
    for word in ("thing", "other"):
        index = {str(i): [f"n{i:08}", f"{word}_{i}"] for i in range(CLASSES)}
        serve(monkeypatch, tmp_path, json.dumps(index))
        assert imagenet_classes()[7].name == f"{word} 7"
        assert imagenet_classes() is imagenet_classes(), "a page asks for it many times"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"0": "x"}', '{"0": [1]}'])
def test_another_file_is_named(monkeypatch, tmp_path, text):
    serve(monkeypatch, tmp_path, text)
    with pytest.raises(CorruptAssetError, match="1,000 classes"):
        imagenet_classes()


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (0, "fish"),
        (1, "fish"),
        (24, "bird"),
        (151, "breed of dog"),
        (268, "breed of dog"),
        (269, "wild relative of the dog"),
        (285, "domestic cat"),
        (294, "bear"),
        (385, "elephant"),
        (934, "food or drink"),
        (985, "flower"),
        (999, "artifact"),
    ],
)
def test_kinds_of_well_known_classes(index, words):
    assert kind(index) == words


def test_names_without_their_list_are_numbers_and_nothing_is_downloaded(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "find", lambda name: None)
    monkeypatch.setattr(assets, "fetch", lambda *_: pytest.fail("asked the internet"))
    names = imagenet_class_names()
    assert len(names) == CLASSES and names[7] == "class 7"


def test_names_with_their_list_are_its_names(monkeypatch, tmp_path):
    index = {str(i): [f"n{i:08}", f"thing_{i}"] for i in range(CLASSES)}
    serve(monkeypatch, tmp_path, json.dumps(index))
    assert imagenet_class_names()[7] == "thing 7"
