"""An image optimized in a real browser: it changes, a slider steers it, it is found again."""

import re
import time

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ADDRESS = {"network": "run.starter", "unit": "7", "preset": "quick"}


def step(page) -> int:
    text = page.get_by_text(re.compile(r"Step \d+ of")).first.inner_text()
    return int(re.search(r"Step (\d+) of", text)[1])


def image(page) -> str:
    return page.get_by_alt_text("Activation maximization of 7").first.get_attribute("src")


def variation(page) -> float:
    """The last value of the total variation, as the chart's alternative text says it."""
    chart = page.locator('[aria-label^="regularization"], [alt^="regularization"]').first
    text = chart.get_attribute("aria-label") or chart.get_attribute("alt")
    return float(re.search(r"Total variation ([\d.e+-]+)", text)[1])


def test_start_steer_stop_and_open_again(app, page):
    page.goto(app.url("visualize", steps="5000", **ADDRESS))
    app.settle(page)
    page.get_by_role("button", name="Start").click()
    page.get_by_alt_text("Activation maximization of 7").wait_for()
    first, began = image(page), step(page)
    page.wait_for_function(
        "first => document.querySelector('img[alt^=\"Activation max\"]').src !== first",
        arg=first,
    )
    page.wait_for_function(
        "began => +document.body.innerText.match(/Step (\\d+) of/)[1] > began + 20", arg=began
    )
    before, at_step = variation(page), step(page)

    slider = page.get_by_role("slider", name="Total variation").first
    slider.focus()
    for _ in range(9):
        slider.press("ArrowRight")
    page.wait_for_url(re.compile("total_variation.weight="))
    deadline = time.monotonic() + 60
    while variation(page) >= 0.5 * before and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert variation(page) < 0.5 * before
    assert step(page) > at_step  # steered, not begun anew

    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped")).to_be_visible()
    stopped = step(page)
    page.wait_for_timeout(1500)
    assert step(page) == stopped

    page.get_by_role("button", name="Classify again").click()
    page.get_by_text(re.compile(r"\d of \d checks classify it as 7")).wait_for()


def test_a_finished_image_is_there_at_once_for_whoever_opens_its_address(app, page, browser):
    page.goto(app.url("visualize", steps="24", seed="5", **ADDRESS))
    app.settle(page)
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Step 24 of 24").wait_for()
    address = page.url
    other = browser.new_context().new_page()
    other.goto(address)
    other.get_by_text("this image was computed before with exactly these settings").wait_for()
    other.get_by_alt_text("Activation maximization of 7").wait_for()
    with other.expect_download() as download:
        other.get_by_role("button", name="Plan").click()
    assert download.value.suggested_filename.endswith(".json")
    other.context.close()


def test_a_dream_on_an_uploaded_photo(app, page, tmp_path):
    photo = tmp_path / "photo.png"
    shades = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(shades).resize((160, 120), Image.Resampling.BICUBIC).save(photo)
    page.goto(app.url("deepdream", **{"network": "run.starter", "from": "upload", "side": "120"}))
    app.settle(page)
    page.get_by_text("Upload an image", exact=True).wait_for()
    page.locator('input[type="file"]').first.set_input_files(str(photo))
    before = page.get_by_alt_text("The image as it is")
    before.wait_for()
    shown = before.get_attribute("src")
    page.get_by_role("button", name="Dream", exact=True).click()
    page.get_by_text("Step 30 of 30").wait_for()
    after = page.get_by_alt_text(re.compile("Left of 100 %"))
    after.wait_for()
    assert after.get_attribute("src") != shown
    page.get_by_role("slider", name="Before").press("Home")
    page.get_by_alt_text(re.compile("Left of 0 %")).wait_for()
