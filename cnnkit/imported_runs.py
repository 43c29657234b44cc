"""Networks of other origin among the runs: from then on like any that was trained here."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from cnnkit import models
from cnnkit.models import CARD_FILE, MODEL_FILE, Predictor
from cnnkit.networks import NetworkRef, upload_preprocessing
from cnnkit.runs import Run, RunStore, Status

KIND = "imported"  # of a run that trained nothing


def keep_upload(ref: NetworkRef, store: RunStore, name: str = "") -> Run:
    """Keep an uploaded network among the runs of a person, for as long as nobody deletes it.

    Args:
        ref: of an uploaded network.
        store: the record, acting for the person.
        name: of the run; "": that of the file.

    Returns:
        A finished run with the network, which takes pixels of 0 to 255 and returns logits.

    Raises:
        IncompatibleError: it returns neither classes nor feature maps.
        StorageError: the network is no longer kept.
    """
    network = ref.open()
    spec = {
        "model": models.UPLOADED_MODEL,
        "dataset": network.card.dataset,
        "file": network.card.title,
        "preprocessing_of_file": upload_preprocessing(ref).name,
    }
    run = store.create(KIND, spec, name or network.card.title, status=Status.FINISHED)
    with tempfile.TemporaryDirectory(prefix="cnnkit-import-") as folder:
        _save(network, Path(folder))
        for file in (MODEL_FILE, CARD_FILE):
            store.add_artifact(run.id, Path(folder) / file)
    parameters = sum(math.prod(weight.shape) for weight in network.model.weights)
    store.set_metrics(run.id, {"parameters": parameters})
    return store.get(run.id)


def keras_file(network: Predictor) -> bytes:
    """A `.keras` file that any Keras 3 opens: pixels of 0 to 255 in, logits out."""
    with tempfile.TemporaryDirectory(prefix="cnnkit-import-") as folder:
        _save(network, Path(folder))
        return (Path(folder) / MODEL_FILE).read_bytes()


def _save(network: Predictor, folder: Path) -> None:
    with network.lock:
        models.save_model(network.model, network.card, folder)
