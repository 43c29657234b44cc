"""Backpropagation in a real browser: keys walk through the layers, a click picks a number."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acting import insist


@pytest.mark.browser
def test_step_with_the_keys_pick_a_pixel_and_check_the_gradients(app, page):
    page.goto(app.url("backpropagation", layer="block2_conv1", way="backward", learnt="25"))
    app.settle(page)
    here = page.get_by_role("heading", level=3)
    expect(here.first).to_have_text("Convolution, backward")
    right = page.get_by_role("heading", name="ReLU, backward")
    insist(lambda: right.is_visible() or page.keyboard.press("ArrowRight"), right)
    page.keyboard.press("ArrowLeft")
    expect(here.first).to_have_text("Convolution, backward")
    page.keyboard.press("ArrowLeft")
    expect(here.first).to_have_text("Max pooling, backward")
    assert "layer=block1_pool" in page.url

    # The middle of the cell in row 2, column 5 of the map of 10×10.
    cells = page.locator(".st-key-target_block1_pool_back .nsewdrag").first
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    width = 10.2  # cells from edge to edge of the plot
    page.mouse.click(box["x"] + box["width"] * 5.6 / width, box["y"] + box["height"] * 2.6 / width)
    page.wait_for_url(re.compile(r"at=2\.5\.\d"))
    page.get_by_text("δ at row 2, column 5").wait_for()
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_url(re.compile(r"at=3\.5\.\d"))
    page.get_by_text("δ at row 3, column 5").wait_for()

    page.get_by_role("radio", name="Gradient check").click()
    page.get_by_test_id("stButton").get_by_role("button", name="Check the gradients").click()
    page.get_by_text("gradients compared with TensorFlow").wait_for()
    assert not page.locator('[data-testid="stException"]').count()
