"""Images dropped on the Predict page of a real browser."""

import pytest

from cnnkit.settings import get_settings


@pytest.mark.browser
@pytest.mark.weights
def test_dropped_photos_are_named_one_by_one_and_many_at_once(app, page, tmp_path):
    photos = get_settings().data_dir / "photos"
    page.goto(app.url("predict", networks="imagenet.mobilenet_v2"))
    app.settle(page)
    uploader = page.locator('input[type="file"]').first
    uploader.set_input_files(str(photos / "macaw_parrot_coral.jpg"))
    page.get_by_text("macaw (bird)").wait_for()
    fake = tmp_path / "page.jpg"
    fake.write_text("<!doctype html>")
    uploader.set_input_files([str(photos / "goldfish_tfkerasvis.jpg"), str(fake)])
    page.get_by_text("not an image").wait_for()
    page.get_by_text("Top-5 predictions of every image").wait_for()
