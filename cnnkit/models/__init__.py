"""Networks: `create_model(name)`. Listing them loads neither Keras nor TensorFlow.

Every model takes `(batch, height, width, channels)` with values 0 to 255 and returns
logits; preprocessing is inside, and every layer can be reached by name.
"""

# Importing a family registers its networks.
from cnnkit.models import (  # noqa: F401
    compact_cnn,
    deep_mnist,
    keras_mnist_cnn,
    lenet_tutorial,
    mlp_tutorial,
    softmax_regression,
    toy_cnn,
)
from cnnkit.models._registry import ModelSpec, Option, create_model, list_models, model_info
from cnnkit.models._storage import ModelCard, load_model, save_model
from cnnkit.models._uploads import UploadLimits, open_uploaded_model
from cnnkit.models._weightless import without_weights

__all__ = [
    "ModelCard",
    "ModelSpec",
    "Option",
    "UploadLimits",
    "create_model",
    "list_models",
    "load_model",
    "model_info",
    "open_uploaded_model",
    "save_model",
    "without_weights",
]
