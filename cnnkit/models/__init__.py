"""Networks: `create_model(name)`. Listing them loads neither Keras nor TensorFlow.

Every model takes `(batch, height, width, channels)` with values 0 to 255 and returns
logits; preprocessing is inside, and every layer can be reached by name.
"""

import importlib
import pkgutil

from cnnkit.models._registry import (
    ModelSpec,
    Option,
    create_model,
    list_models,
    model_info,
    seeds,
)
from cnnkit.models._storage import (
    CARD_FILE,
    MODEL_FILE,
    ModelCard,
    load_card,
    load_model,
    save_model,
)
from cnnkit.models._uploads import CHECKED_FILES, UPLOAD_SUFFIXES, UploadLimits, open_checked_model
from cnnkit.models._weights import without_weights
from cnnkit.models.architectures import (
    UPLOADED_MODEL,
    list_architectures,
    network_title,
    open_architecture,
)
from cnnkit.models.class_names import read_class_names
from cnnkit.models.imagenet import ImageNetClass, imagenet_class_names, imagenet_classes
from cnnkit.models.predictor import ModelCache, Predictor
from cnnkit.models.preprocessing import AS_THEY_ARE, PREPROCESSINGS, Preprocessing
from cnnkit.models.pretrained import (
    PretrainedSpec,
    list_pretrained,
    load_pretrained,
    open_pretrained,
    pretrained_info,
    weights_digest,
)
from cnnkit.models.uploaded import (
    CheckedUpload,
    check_upload,
    checked_files,
    open_checked,
    open_uploaded,
    open_uploaded_model,
)
from cnnkit.models.weight_digest import convolutions_digest
from cnnkit.models.without_top import (
    base_weights,
    load_without_top,
    missing_weights,
    remove_top,
)

# Importing a module registers its networks.
for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    if not _module.name.startswith(f"{__name__}._"):  # some of these import TensorFlow
        importlib.import_module(_module.name)

__all__ = [
    "AS_THEY_ARE",
    "CARD_FILE",
    "MODEL_FILE",
    "PREPROCESSINGS",
    "Preprocessing",
    "UPLOADED_MODEL",
    "UPLOAD_SUFFIXES",
    "ImageNetClass",
    "ModelCache",
    "ModelCard",
    "ModelSpec",
    "Predictor",
    "Option",
    "PretrainedSpec",
    "UploadLimits",
    "CHECKED_FILES",
    "CheckedUpload",
    "check_upload",
    "checked_files",
    "open_checked",
    "open_checked_model",
    "convolutions_digest",
    "create_model",
    "imagenet_class_names",
    "imagenet_classes",
    "list_architectures",
    "list_models",
    "list_pretrained",
    "load_card",
    "base_weights",
    "load_without_top",
    "load_model",
    "load_pretrained",
    "model_info",
    "network_title",
    "open_architecture",
    "open_uploaded",
    "open_pretrained",
    "pretrained_info",
    "open_uploaded_model",
    "save_model",
    "seeds",
    "missing_weights",
    "read_class_names",
    "remove_top",
    "weights_digest",
    "without_weights",
]
