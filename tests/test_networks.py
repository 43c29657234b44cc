from __future__ import annotations

import shutil

import numpy as np
import pytest

from cnnkit import assets, models, networks
from cnnkit.errors import (
    InvalidModelError,
    RunNotFoundError,
    StorageError,
    UnknownModelError,
)
from cnnkit.models import ModelCache, ModelCard, create_model, save_model
from cnnkit.networks import KINDS, NetworkRef, add_upload, rename_upload_classes
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from tests.records import new_store

STARTER = NetworkRef("run", "starter")


@pytest.fixture(scope="module")
def upload(tmp_path_factory) -> bytes:
    """A file of a small network."""
    return _saved(tmp_path_factory.mktemp("upload"), seed=0)


def _saved(folder, seed: int) -> bytes:
    model = create_model("toy_cnn", seed=seed)
    model.save(folder / "mine.keras")
    return (folder / "mine.keras").read_bytes()


def _zeros(ref: NetworkRef) -> np.ndarray:
    return np.zeros((1, *ref.card().input_shape), np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_parse_is_the_inverse_of_str(kind):
    ref = NetworkRef(kind, "a" * 32)
    assert NetworkRef.parse(str(ref)) == ref
    assert str(ref) == f"{kind}.{'a' * 32}"


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("imagenet.mobilenet_v2", "pretrained", "mobilenet_v2"),
        ("untrained.vgg16", "built", "vgg16"),
        ("mobilenet_v2", "pretrained", "mobilenet_v2"),
        ("lenet5", "built", "lenet5"),
        ("starter", "run", "starter"),
        ("0123456789abcdef0123456789abcdef", "run", "0123456789abcdef0123456789abcdef"),
    ],
)
def test_forms_of_earlier_versions_are_read(text, kind, name):
    assert NetworkRef.parse(text) == NetworkRef(kind, name)


def test_a_page_of_architectures_reads_a_name_alone_as_an_architecture():
    assert NetworkRef.parse("vgg16", bare="built") == NetworkRef("built", "vgg16")


@pytest.mark.parametrize(
    ("source", "ref"),
    [
        ({"kind": "imagenet", "name": "googlenet", "title": ""}, "pretrained.googlenet"),
        ({"kind": "folder", "name": "/site-packages/cnnkit/starter"}, "run.starter"),
        ({"kind": "folder", "name": f"/home/artifacts/{'b' * 32}/artifacts"}, f"run.{'b' * 32}"),
        ({"kind": "folder", "name": f"/home/cache/artifacts/{'b' * 32}"}, f"run.{'b' * 32}"),
        ({"kind": "file", "name": f"/home/brought/{'c' * 32}.keras"}, f"uploaded.{'c' * 32}"),
        ({"kind": "untrained", "name": "vgg16"}, "built.vgg16"),
    ],
)
def test_specifications_of_stored_runs_are_read(source, ref):
    assert str(NetworkRef.from_spec({"source": source})) == ref
    assert str(NetworkRef.from_spec({"network": ref})) == ref


@pytest.mark.parametrize("text", ["", "nonsense", "nonsense.vgg16", "run.", "uploaded.../../etc"])
def test_what_is_no_network_is_refused_in_one_sentence_that_lists_the_forms(text):
    with pytest.raises(UnknownModelError, match=r"Unknown model .*run\.(ID|NAME)"):
        NetworkRef.parse(text)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("pretrained.nonsense", UnknownModelError, "vgg16"),
        ("built.nonsense", UnknownModelError, "vgg16"),
        ("run.nonsense", RunNotFoundError, "There is no run 'nonsense'"),
        (f"uploaded.{'0' * 32}", StorageError, "Upload it again"),
    ],
)
@pytest.mark.parametrize("question", ["open", "card", "digest", "title", "bytes"])
def test_networks_that_do_not_exist_are_one_clear_sentence(text, error, words, question):
    new_store(get_settings())
    with pytest.raises(error, match=words):
        getattr(NetworkRef.parse(text), question)()


def test_the_starter_opens_and_says_what_it_is():
    predictor = STARTER.open()
    assert predictor.logits(_zeros(STARTER)).shape == (1, 10)
    assert STARTER.card() == predictor.card
    assert STARTER.title().startswith("Starter")
    assert len(STARTER.digest()) == 64
    assert STARTER.bytes() > 100_000


def test_a_finished_run_opens_by_its_id(tmp_path):
    store = new_store(get_settings())
    run = store.create("train", {"model": "toy_cnn"}, "My run", status=Status.FINISHED)
    model = create_model("toy_cnn", seed=3)
    names = tuple(f"digit {number}" for number in range(model.output_shape[-1]))
    card = ModelCard(
        model="toy_cnn",
        title="Toy",
        class_names=names,
        input_shape=model.input_shape[1:],
        dataset="digits",
    )
    save_model(model, card, tmp_path)
    for file in tmp_path.iterdir():
        store.add_artifact(run.id, file)
    ref = NetworkRef("run", run.id)
    images = np.random.default_rng(0).uniform(0, 255, (2, *card.input_shape)).astype("float32")
    np.testing.assert_allclose(ref.open().logits(images), model(images), rtol=1e-4, atol=1e-5)
    assert ref.card().class_names == names
    assert ref.title() == "My run"
    before = ref.digest()
    save_model(create_model("toy_cnn", seed=4), card, tmp_path)
    store.replace_artifact(run.id, tmp_path / "model.keras")
    assert ref.digest() != before


def test_an_uploaded_network_is_opened_from_the_home_by_its_reference_alone(upload):
    ref = add_upload(upload, title="mine.keras", class_names=["cat"])
    again = NetworkRef.parse(str(ref))
    predictor = again.open()
    assert predictor.logits(_zeros(again)).shape[0] == 1
    assert again.title() == predictor.card.title == "mine.keras"
    assert again.card() == predictor.card
    assert again.card().class_names[:2] == ("cat", "class 1")
    assert again.bytes() == sum(4 * np.prod(w.shape) for w in predictor.model.weights)


def test_uploads_with_other_weights_have_other_digests(upload, tmp_path):
    first = add_upload(upload, title="mine.keras")
    other = add_upload(_saved(tmp_path, seed=1), title="mine.keras")
    assert first.digest() == NetworkRef.parse(str(first)).digest() != other.digest()
    assert add_upload(upload, title="mine.keras") == first


def test_renamed_classes_are_another_reference_to_the_same_weights(upload):
    ref = add_upload(upload, title="mine.keras")
    renamed = rename_upload_classes(ref, ["cat", "dog"])
    assert renamed != ref
    assert renamed.digest() == ref.digest()
    assert renamed.card().class_names[:3] == ("cat", "dog", "class 2")
    assert ref.card().class_names[0] == "class 0"
    assert renamed.open().card.class_names == renamed.card().class_names


def test_a_file_that_is_no_network_is_not_kept(own_home):
    with pytest.raises(InvalidModelError):
        add_upload(b"no network", title="mine.keras")
    assert list((own_home / "uploads").iterdir()) == []


def test_the_least_recently_used_uploads_go_first(upload, own_home, monkeypatch):
    first = add_upload(upload, title="first.keras")
    taken = networks._uploads()
    monkeypatch.setattr(networks, "UPLOADS_BYTES", 2 * len(upload))
    second = add_upload(upload, title="second.keras")
    add_upload(upload, title="third.keras")
    assert first.name not in taken.keys()
    with pytest.raises(StorageError, match="Upload it again"):
        first.open()
    assert second.name in taken.keys() or len(taken.keys()) == 1


def test_a_built_network_has_the_same_random_weights_each_time():
    ref = NetworkRef("built", "toy_cnn")
    images = np.random.default_rng(0).uniform(0, 255, (1, *ref.card().input_shape))
    images = images.astype("float32")
    np.testing.assert_array_equal(ref.open().logits(images), ref.open().logits(images))
    assert ref.digest() != NetworkRef("built", "lenet5").digest()
    assert ref.title() == f"{models.model_info('toy_cnn').title}, untrained"


def test_a_pretrained_network_says_what_it_is_without_its_weights():
    ref = NetworkRef("pretrained", "efficientnet_b7")
    assert ref.title() == "EfficientNet B7"
    assert ref.card().input_shape == (600, 600, 3)
    assert len(ref.card().class_names) == 1000
    assert ref.bytes() > 200_000_000
    with pytest.raises(StorageError, match="EfficientNet B7 are not on this machine"):
        ref.digest()


def _skip_without(asset: str) -> None:
    if assets.find(asset) is None:
        pytest.skip(f"{asset} is not on this machine (see CNNKIT_DATA_DIR in README.md)")


def test_a_pretrained_network_opens_with_its_weights():
    _skip_without("mobilenet_v2.imagenet")
    ref = NetworkRef.parse("imagenet.mobilenet_v2")
    assert ref.open().logits(_zeros(ref)).shape == (1, 1000)
    assert len(ref.digest()) == 64


def test_vgg16_without_top_opens_from_its_small_file():
    _skip_without("vgg16.imagenet.notop")
    ref = NetworkRef("without_top", "vgg16")
    assert ref.card().class_names == ()
    assert ref.title() == "VGG16 without top"
    assert len(ref.digest()) == 64
    assert ref.open().logits(_zeros(ref)).shape == (1, 7, 7, 512)


def test_opened_networks_are_shared_through_the_cache(upload):
    cache = ModelCache(2**30)
    ref = add_upload(upload, title="mine.keras")
    assert ref.open(cache) is NetworkRef.parse(str(ref)).open(cache)
    assert ref.open(cache) is not STARTER.open(cache)


def test_a_home_without_uploads_has_none(own_home):
    shutil.rmtree(own_home)
    with pytest.raises(StorageError):
        NetworkRef("uploaded", "0" * 32).card()
