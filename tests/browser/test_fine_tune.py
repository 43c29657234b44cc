"""Imported images in a real browser: uploaded, trained on, predicted, renamed, deleted."""

import io
import re
import zipfile

import pytest
from PIL import Image

from cnnkit.datasets.drawn import draw_flower
from cnnkit.datasets.folders import delete, image_folder, list_own
from cnnkit.settings import get_settings
from tests.browser.acting import click_fullest_cell

pytestmark = pytest.mark.browser

KINDS = ("Bluebell", "Snowdrop", "Sunflower")  # blue, white and yellow
IMAGES = 12  # of each kind
SIDE = 96  # pixels: nobody looks closer, and they are drawn in a moment


def png(image) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def gathered(path, *kinds, count=IMAGES):
    """A ZIP of flowers that the program draws, and a file that is no image."""
    with zipfile.ZipFile(path, "w") as archive:
        for kind in kinds:
            for n in range(count):
                archive.writestr(f"{kind}/{n}.png", png(draw_flower(kind, n, side=SIDE)))
        archive.writestr(f"{kinds[0]}/notes.txt", "found on the way to school")
    return path


@pytest.fixture
def first(app, monkeypatch, tmp_path):
    """The name of the only own set in the server's home: pages that open on it read no others."""
    monkeypatch.setenv("CNNKIT_HOME", str(app.home))
    get_settings.cache_clear()
    for name in list_own():
        delete(name)
    yield image_folder(gathered(tmp_path / "first.zip", "Pansy", "Daisy", count=4)).name


@pytest.mark.endurance
def test_a_set_and_its_classes_are_renamed_and_it_is_deleted(app, page, tmp_path, first):
    from playwright.sync_api import expect

    kept = image_folder(gathered(tmp_path / "garden.zip", *KINDS, count=4)).name
    page.goto(app.url("fine_tune", data=kept))
    page.get_by_alt_text("4 images of Sunflower").wait_for()

    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the set").fill("Garden")
    page.get_by_role("textbox", name="Names of its classes").fill("Hyacinthoides\nGalanthus\nSun")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    page.get_by_alt_text("4 images of Galanthus").wait_for()
    chosen = page.get_by_role("combobox", name="Data set")
    expect(chosen).to_have_value("Garden (yours, 12 images)")

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(chosen).to_have_value("first (yours, 8 images)")
    assert list_own() == [first]


@pytest.mark.slow
def test_drawn_flowers_are_imported_trained_on_predicted_and_renamed(app, page, first, tmp_path):
    from playwright.sync_api import expect

    page.goto(app.url("fine_tune", data=first, network="photo_cnn", deeper="4", changes="flip"))
    page.get_by_alt_text("4 images of Daisy").wait_for()
    page.get_by_role("button", name="Upload images").click()
    meadow = gathered(tmp_path / "meadow.zip", *KINDS)
    page.locator('[data-testid="stPopoverBody"] input[type="file"]').set_input_files(str(meadow))
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("36 images of meadow.zip are here. 1 file was left out").wait_for()
    page.get_by_alt_text("4 images of Sunflower").wait_for()
    page.get_by_role("tab", name="Left out (1)").click()
    page.get_by_text("files of other kinds than the images that are read: 1").wait_for()
    (imported,) = [name for name in list_own() if name != first]
    assert f"data={imported}" in page.url

    page.get_by_text("Trainable parameters").wait_for()
    expect(page.get_by_role("slider", name="Unfreeze from block")).to_have_attribute(
        "aria-valuetext", "all layers"
    )
    page.get_by_alt_text("Training images, as they are, then changed in several ways").wait_for()
    app.settle(page)
    page.get_by_role("button", name="Fine-tune", exact=True).click()
    page.wait_for_url(re.compile("run="))
    page.get_by_text("95 % confidence interval").wait_for()

    page.get_by_text("Most confident errors").wait_for()
    answer = KINDS[click_fullest_cell(page, true=0, classes=3)]
    page.get_by_text(f"True class {KINDS[0]}, predicted class {answer}").wait_for()
    page.get_by_alt_text(f"True class {KINDS[0]}, predicted class {answer}").first.wait_for()

    new = tmp_path / "new.png"
    new.write_bytes(png(draw_flower("Bluebell", 99, side=SIDE)))
    page.get_by_role("link", name="Predict your images").click()
    page.wait_for_url(re.compile("predict.*run"))
    page.locator('input[type="file"]').first.set_input_files(str(new))
    page.get_by_text("Bluebell").first.wait_for()

    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("link", name="Before and after, class names").click()
    page.get_by_role("button", name="Rename classes").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Names of its classes").fill(
        "Hyacinthoides\nSnowdrop\nSunflower"
    )
    dialog.get_by_role("button", name="Keep these names").click()
    dialog.wait_for(state="detached")
    page.get_by_role("link", name="Predict your images").click()
    page.wait_for_url(re.compile("predict.*run"))
    page.locator('input[type="file"]').first.set_input_files(str(new))
    page.get_by_text("Hyacinthoides").first.wait_for()
    expect(page.get_by_text("Bluebell")).to_have_count(0)
