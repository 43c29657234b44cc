import numpy as np
import pytest

from cnnkit.errors import CorruptAssetError, InvalidModelError
from cnnkit.models import ModelCard, create_model, load_model, save_model

CARD = ModelCard(
    model="toy_cnn",
    title="Toy CNN",
    class_names=("top", "middle", "bottom"),
    input_shape=(12, 12, 1),
    dataset="toy_patterns",
    metrics={"test_error": 0.25},
)


def test_a_saved_network_gives_the_same_logits_and_card(tmp_path):
    model = create_model("toy_cnn", initialization="sugomori")
    save_model(model, CARD, str(tmp_path))
    again, card = load_model(str(tmp_path))
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 1), np.uint8)
    np.testing.assert_array_equal(model(images), again(images))
    assert card == CARD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "model.keras"]


def test_a_file_in_place_of_the_folder_says_how_to_open_it(tmp_path):
    save_model(create_model("toy_cnn"), CARD, tmp_path)
    with pytest.raises(InvalidModelError, match="open_uploaded"):
        load_model(tmp_path / "model.keras")


def test_a_damaged_model_file_is_named(tmp_path):
    save_model(create_model("toy_cnn"), CARD, tmp_path)
    path = tmp_path / "model.keras"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CorruptAssetError, match=r"model\.keras is damaged"):
        load_model(tmp_path)


def test_a_model_file_with_a_wrong_checksum_is_named(tmp_path):
    save_model(create_model("toy_cnn"), CARD, tmp_path)
    path = tmp_path / "model.keras"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(CorruptAssetError, match="model.keras is damaged .*put it back"):
        load_model(tmp_path)


def test_a_missing_card_is_named(tmp_path):
    save_model(create_model("toy_cnn"), CARD, tmp_path)
    (tmp_path / "card.json").unlink()
    with pytest.raises(CorruptAssetError, match=r"card\.json is missing"):
        load_model(tmp_path)
