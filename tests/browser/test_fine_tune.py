"""One's own pictures in a real browser: brought, renamed, learnt from, asked about, deleted."""

import io
import re
import zipfile

import pytest
from PIL import Image

from cnnkit.datasets.folders import image_folder, list_own
from cnnkit.settings import get_settings
from tests.browser.acting import click_cell

PATIENCE = 120_000  # ms: TensorFlow's import in a new child, on a busy machine


def packed(path, **classes):
    """A ZIP of four plain pictures for each class, by name and the first one's shade."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, shade in classes.items():
            for n in range(4):
                stream = io.BytesIO()
                Image.new("RGB", (40, 30), (shade, 3 * n, 9)).save(stream, "PNG")
                archive.writestr(f"{name}/{n}.png", stream.getvalue())
        archive.writestr(f"{name}/notes.txt", "not a picture")
    return path


@pytest.fixture
def first(app, monkeypatch, tmp_path):
    """The name of a set that is in the server's home already, so that it draws no flowers."""
    monkeypatch.setenv("CNNKIT_HOME", str(app.home))
    get_settings.cache_clear()
    yield image_folder(packed(tmp_path / "first.zip", dark=10, light=200)).name


@pytest.mark.browser
def test_a_zip_is_brought_reported_renamed_and_deleted(app, page, tmp_path, first):
    from playwright.sync_api import expect

    page.goto(app.url("fine_tune", data=first))
    app.settle(page)
    page.get_by_role("button", name="Bring your own").click()
    uploader = page.locator('[data-testid="stPopoverBody"] input[type="file"]')
    uploader.set_input_files(str(packed(tmp_path / "garden.zip", red=210, blue=20, gray=90)))
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("12 pictures of garden.zip are here. 1 file was left out").wait_for()
    page.get_by_alt_text("4 pictures of gray").wait_for()
    page.get_by_role("tab", name="Left out (1)").click()
    page.get_by_text("files that are no pictures: 1").wait_for()
    (brought,) = [name for name in list_own() if name != first]
    assert f"data={brought}" in page.url

    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the set").fill("Garden")
    page.get_by_role("textbox", name="Names of its classes").fill("Cornflower\nStone\nPoppy")
    page.locator('[role="dialog"]').get_by_role("button", name="Rename").click()
    page.get_by_role("tab", name="Pictures").click()
    page.get_by_alt_text("4 pictures of Cornflower").wait_for()
    chosen = page.get_by_role("combobox", name="Pictures to learn from")
    expect(chosen).to_have_value("Garden (yours, 12 pictures)", timeout=PATIENCE)

    page.get_by_role("button", name="Delete").click()
    page.locator('[role="dialog"]').get_by_role("button", name="Delete").click()
    expect(chosen).to_have_value("first (yours, 8 pictures)", timeout=PATIENCE)
    assert list_own() == [first]


@pytest.mark.browser
@pytest.mark.slow
def test_a_network_learns_own_pictures_answers_and_is_called_otherwise(app, page, first, tmp_path):
    page.set_default_timeout(PATIENCE)
    page.goto(app.url("fine_tune", data=first, network="photo_cnn", deeper="2", changes="flip"))
    page.get_by_text("Parameters that learn").wait_for()
    page.get_by_alt_text("Training pictures, as they are, then changed in several ways").wait_for()
    page.get_by_role("button", name="Fine-tune", exact=True).click()
    page.wait_for_url(re.compile("run="))
    page.get_by_text("Right on the test").wait_for()

    page.get_by_text("The most confident mistakes").wait_for()
    click_cell(page, true=0, predicted=0, classes=2)
    page.get_by_text("dark rightly read as dark").wait_for()

    page.get_by_role("button", name="Rename classes").click()
    dialog = page.get_by_role("dialog")
    table = dialog.locator('[data-testid="stDataFrame"] canvas').first
    table.wait_for()
    # Below the heading: the first class. What takes the mouse lies over what is drawn.
    table.dblclick(position={"x": 120, "y": 52}, force=True)
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("Night")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Keep these names").click()
    dialog.wait_for(state="detached")
    page.get_by_role("tab", name="Mistakes").wait_for()

    picture = tmp_path / "night.png"
    Image.new("RGB", (40, 30), (10, 6, 9)).save(picture)
    page.get_by_role("link", name="Show it your pictures").click()
    page.wait_for_url(re.compile("predict.*run"))
    page.locator('input[type="file"]').first.set_input_files(str(picture))
    page.get_by_text("Night").first.wait_for()
