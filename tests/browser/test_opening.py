"""A Teachable Machine export in a real browser: dropped, asked, kept, downloaded."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnkit.settings import get_settings
from tests import numpy_networks
from tests.old_files import hdf5_file, teachable_machine


@pytest.fixture
def export(tmp_path) -> tuple[Path, list[str], int]:
    """A real export where there is one, else one of the same form: its file, names and size."""
    folder = get_settings().data_dir
    real = folder and folder / "models" / "teachable_machine" / "keras_model.h5"
    if real and real.is_file():
        return real, ["Alpha", "Beta"], 224
    path = tmp_path / "keras_model.h5"
    path.write_bytes(hdf5_file(*teachable_machine(classes=2)))
    return path, ["Alpha", "Beta"], 16


@pytest.mark.endurance
@pytest.mark.browser
def test_an_export_answers_as_numpy_is_kept_and_downloaded(app, page, export, tmp_path):
    path, names, size = export
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{number} {name}\n" for number, name in enumerate(names)))
    pixels = np.random.default_rng(3).integers(0, 256, (size, size, 3), np.uint8)
    image = tmp_path / "mine.png"
    Image.fromarray(pixels).save(image)
    page.goto(app.url("predict", networks="run.starter"))
    app.settle(page)
    page.locator('input[type="file"]').first.set_input_files(str(image))
    page.get_by_role("button", name="Upload a model").click()
    dropped = page.locator('[data-testid="stPopoverBody"] input[type="file"]')
    dropped.set_input_files([str(path), str(labels)])
    page.get_by_text("It was made with Teachable Machine").wait_for()
    (probabilities,) = numpy_networks.probabilities(path, pixels[None] / 127.5 - 1)
    best = int(probabilities.argmax())
    answer = f"keras_model.h5: {names[best]} {probabilities[best]:.1%}"
    page.locator(f'[aria-label^="{answer}"], [alt^="{answer}"]').first.wait_for(state="attached")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download (.keras)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "model.weights.h5" in archive.namelist()
    page.get_by_role("button", name="Keep among my runs").click()
    page.get_by_role("link", name="Kept as keras_model.h5").click()
    page.get_by_text("It was not trained here").wait_for()
    page.get_by_label("Class names, one a line").wait_for()
    assert page.get_by_label("Class names, one a line").input_value() == "\n".join(names)
