import numpy as np
import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.training import export as exports
from cnnkit.training.export import available_formats, export_network
from tests.training.fine_tuning_parts import base, dataset

IMAGES = dataset().images[:4]


@pytest.mark.parametrize("kind", ["litert", "onnx"])
@pytest.mark.filterwarnings("ignore")  # converters warn of their own libraries
def test_an_exported_file_gives_the_answers_of_the_network(tmp_path, kind):
    if kind not in available_formats():
        pytest.skip("tf2onnx, onnx or onnxruntime is not installed")
    export = export_network(base(), tmp_path, kind, IMAGES)
    assert export.path.stat().st_size == export.bytes > 1000
    assert export.agreed == export.images == 4 and export.difference < 1e-3


@pytest.mark.filterwarnings("ignore")
def test_a_file_whose_outputs_differ_is_not_given_out(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "_ask_litert", lambda path, images: np.zeros((4, 10)) + 9)
    with pytest.raises(IncompatibleError, match="differ from the network"):
        export_network(base(), tmp_path, "litert", IMAGES)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(exports.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(IncompatibleError, match="pip install tf2onnx"):
        export_network(base(), tmp_path, "onnx", IMAGES)
