"""Equal to tf-keras-vis on shared ground, with real weights."""

import keras
import numpy as np
import pytest
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.scores import CategoricalScore

from cnnkit import explain
from cnnkit.explain.gradients import noisy_images
from cnnkit.image_io import decode_image
from cnnkit.models import open_pretrained
from cnnkit.predict import example_photos, prepare
from cnnkit.settings import get_settings

# The second network of real weights: minutes, which `make faults` has.
GOOGLENET = pytest.param("googlenet", marks=pytest.mark.endurance)

pytestmark = [
    pytest.mark.weights,
    # The peer hands Keras its inputs as a list, which Keras takes with a warning.
    pytest.mark.filterwarnings("ignore:.*The structure of `inputs`:UserWarning"),
    pytest.mark.filterwarnings("ignore:Exception encountered:UserWarning"),
]


@pytest.fixture(scope="module", params=["mobilenet_v2", GOOGLENET])
def asked(request):
    """A network, a photo as float32 (1, height, width, 3), its class, and a layer."""
    opened = open_pretrained(request.param)
    path = sorted(example_photos(get_settings().data_dir).values())[0]
    image = prepare(decode_image(path.read_bytes()), opened.card.input_shape)
    image = np.float32(image)[np.newaxis]
    layer = explain.cam.default_layer(opened.model)
    return opened.model, image, int(opened.logits(image)[0].argmax()), layer


@pytest.fixture(scope="module")
def precise(asked):
    """The same where the gradient is the same whatever the order of the sums.

    In float32 some units of MobileNetV2 are on or off by rounding alone: the gradients of one
    photo differ by 2.5e-3 between Keras's own eager and compiled calls.
    """
    model, *rest = asked
    if model.name != "googlenet":  # its local response normalization has no float64
        model = in_float64(model)
    return model, *rest


def in_float64(model):
    def convert(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "float64"})

    copied = keras.models.clone_model(model, clone_function=convert)
    copied.set_weights(model.get_weights())
    return copied


def close(ours, theirs):
    """Equal to 1e-4 of the largest value."""
    ours, theirs = np.float64(ours), np.float64(theirs)
    np.testing.assert_allclose(ours / ours.max(), theirs / theirs.max(), atol=1e-4)


def test_gradient(precise):
    model, image, label, _ = precise
    theirs = Saliency(model, clone=False)(CategoricalScore(label), image, normalize_map=False)
    close(explain.gradient(model, image, label), theirs)


def test_smoothgrad_with_the_same_noise(precise):
    model, image, label, _ = precise
    copies = noisy_images(image, 10, 0.2, 4)
    theirs = Saliency(model, clone=False)(
        CategoricalScore([label] * 10),
        copies,
        keepdims=True,
        gradient_modifier=None,
        normalize_map=False,
    )
    ours = explain.smoothgrad(model, image, label, samples=10, noise=0.2, seed=4)
    close(ours[0], np.abs(np.mean(theirs, 0)).max(-1))


@pytest.mark.parametrize(
    "ours, theirs",
    [(explain.grad_cam, Gradcam), (explain.grad_cam_plus_plus, GradcamPlusPlus)],
    ids=["grad_cam", "grad_cam_plus_plus"],
)
def test_class_activation_maps(asked, ours, theirs):
    model, image, label, layer = asked
    other = theirs(model, clone=False)(
        CategoricalScore(label),
        image,
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        normalize_cam=False,
    )
    close(ours(model, image, label, align_corners=True), other)


@pytest.mark.slow
def test_score_cam(asked):
    model, image, label, layer = asked
    other = Scorecam(model, clone=False)(
        CategoricalScore(label),
        image,
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        normalize_cam=False,
        max_N=32,
    )
    close(explain.score_cam(model, image, label, channels=32, align_corners=True), other)
