"""A photo through VGG16's convolutions, and the epochs of a run, in a real browser."""

import pytest
from playwright.sync_api import expect

from cnnkit.settings import get_settings
from cnnkit.training import get_recipe
from tests.browser.acting import insist

VGG16 = {"block1": 2, "block2": 2, "block3": 3, "block4": 3, "block5": 3}  # convolutions


@pytest.mark.browser
@pytest.mark.weights
def test_a_photo_goes_through_the_thirteen_convolutions_of_vgg16(app, page):
    photo = get_settings().data_dir / "photos" / "owl_coral.jpg"
    page.goto(app.url("inside", network="without_top.vgg16", **{"from": "upload"}))
    app.settle(page)
    page.locator('input[type="file"]').last.set_input_files(str(photo))
    page.locator(".cnn-maps .block.current").wait_for()
    seen = []
    for block, count in VGG16.items():
        pill = page.get_by_test_id("stButtonGroup").get_by_role("radio", name=block, exact=True)
        if not pill.count():
            pill = page.get_by_role("button", name=block, exact=True)
        insist(pill.click, page.locator(f'.cnn-maps .block.current[title="{block}"]'))
        app.settle(page)
        films = page.locator(".cnn-maps .film b")
        expect(films).to_have_count(count)
        seen += films.all_text_contents()
        for image in page.locator(".cnn-maps .film img").all():
            assert image.evaluate("image => image.naturalWidth") > 100
    expected = [f"{block}_conv{n}" for block, count in VGG16.items() for n in range(1, count + 1)]
    assert seen == expected and len(seen) == 13

    point = page.locator(".js-plotly-plot").first.locator(".scatterlayer .points path").nth(30)
    point.wait_for(state="attached")
    insist(lambda: point.click(force=True), page.get_by_text("Filter 30 of block5_conv1"))
    app.settle(page)
    assert "map=30" in page.url and "block=block5" in page.url
    page.get_by_text("The layer itself gives").wait_for()
    link = page.get_by_role("link", name="Optimize an image for this filter")
    assert "layer=block5_conv1" in link.get_attribute("href")
    assert "unit=30" in link.get_attribute("href")


@pytest.mark.endurance
@pytest.mark.browser
@pytest.mark.weights
def test_the_top_activating_patches_are_found_with_progress(app, page):
    page.goto(
        app.url("inside", network="pretrained.mobilenet_v2", block="block_1", **{"from": "example"})
    )
    app.settle(page)
    page.get_by_role("button", name="Find the top activating patches").click()
    page.get_by_text("units are dead").wait_for()
    patches = page.locator('[data-testid="stImage"] img[alt^="Patch of"]')
    expect(patches).to_have_count(9)


@pytest.mark.browser
def test_the_slider_shows_the_filters_forming(app, page, finished):
    recipe = get_recipe("toy_cnn", "fast").replace(epochs=4, keep_checkpoints=3)
    page.goto(app.url("inside", network=f"run.{finished(recipe)}"))
    app.settle(page)
    after = page.locator('[data-testid="stImage"] img[alt*="filters of"][alt*="after"]').first
    trained = after.get_attribute("src")
    thumb = page.get_by_role("slider", name="Epoch")
    thumb.focus()
    page.keyboard.press("Home")
    page.get_by_text("After epoch 0").first.wait_for()
    app.settle(page)
    assert "epoch=0" in page.url
    untrained = page.locator('[data-testid="stImage"] img[alt*="after epoch 0"]').first
    assert untrained.get_attribute("src") != trained
    page.keyboard.press("End")
    page.get_by_text("After training").first.wait_for()
    app.settle(page)
    assert "epoch=" not in page.url
    expect(after).to_have_attribute("src", trained)
