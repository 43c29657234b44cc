"""LiteRT files predict, in a child; what needs layers says why not."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.errors import CnnkitError, IncompatibleError, InvalidModelError
from cnnkit.models import check_upload, open_uploaded
from cnnkit.networks import add_upload, prepare_upload, upload_preprocessing
from cnnkit.predict import softmax
from tests.old_files import zipped

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow moves LiteRT to a package of its own
layers = keras.layers
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3), name="sequential_1_input")
    x = layers.Conv2D(6, 3, activation="relu")(image)
    x = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, x)


def converted(model, **options) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    for name, value in options.items():
        setattr(converter, name, value)
    return converter.convert()


@pytest.fixture(scope="module")
def plain(model) -> bytes:
    return converted(model)


@pytest.fixture(scope="module")
def quantized(model) -> bytes:
    return converted(
        model,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([one[None] / 127.5 - 1] for one in IMAGES),
        inference_input_type=tf.uint8,
        inference_output_type=tf.uint8,
    )


def test_a_file_predicts_as_the_network_it_was_made_from(model, plain):
    network = open_uploaded(plain, title="mine.tflite", class_names=["a", "b", "c"])
    expected = model(IMAGES / 127.5 - 1)
    np.testing.assert_allclose(softmax(network.logits(IMAGES)), expected, atol=1e-4)
    assert network.card.class_names == ("a", "b", "c") and network.card.input_shape == (8, 8, 3)


def test_a_quantized_file_in_a_zip_with_labels_predicts_nearly_so(model, quantized, tmp_path):
    data = zipped({"model.tflite": quantized, "labels.txt": "0 A\n1 B\n2 C\n"})
    upload = check_upload(data, tmp_path)
    assert upload.litert and upload.preprocessing == "minus_one_to_one"
    assert upload.known == "Its input is quantized from -1 to 1."
    network = open_uploaded(data, title="tflite.zip")
    assert network.card.class_names == ("A", "B", "C")
    expected = np.asarray(model(IMAGES / 127.5 - 1))
    np.testing.assert_allclose(softmax(network.logits(IMAGES)), expected, atol=0.05)


def test_what_needs_layers_says_why_not_and_other_pixels_give_other_answers(plain):
    ref = add_upload(plain, title="mine.tflite")
    network = ref.open()
    assert upload_preprocessing(ref).litert and "Teachable" in upload_preprocessing(ref).known
    with pytest.raises(IncompatibleError, match="mine.tflite is a LiteRT file: it can predict"):
        _ = network.model
    other = prepare_upload(ref, "zero_to_one").open()
    assert not np.allclose(other.logits(IMAGES), network.logits(IMAGES))
    with pytest.raises(IncompatibleError, match="takes images of"):
        network.logits(np.zeros((1, 9, 9, 3)))


def test_a_network_of_another_kind_gets_a_sentence():
    row = keras.Input((4,))
    data = converted(keras.Model(row, layers.Dense(2)(row)))
    with pytest.raises(IncompatibleError, match="one image as their input"):
        open_uploaded(data, title="row.tflite")


def test_a_damaged_file_is_refused_or_answers(plain):
    with pytest.raises(InvalidModelError, match="cannot be opened|damaged"):
        open_uploaded(plain[:200], title="half.tflite")
    generator = np.random.default_rng(3)
    for _ in range(4):
        broken = bytearray(plain)
        for place in generator.integers(8, len(plain), 20):
            broken[place] ^= 1 << int(generator.integers(8))
        try:
            open_uploaded(bytes(broken), title="broken.tflite").logits(IMAGES[:1])
        except CnnkitError as error:
            assert "\n" not in str(error) and len(str(error)) < 500
