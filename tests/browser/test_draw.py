"""A digit drawn with a real mouse in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acting import ONE, SEVEN, draw

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def bars(page) -> list[str]:
    """The shapes of the bars of the first card, as they stand in the image."""
    drawn = page.locator(".js-plotly-plot").first.locator(".bars .point path")
    return [path.get_attribute("d") for path in drawn.all()]


def test_what_is_drawn_is_read_and_the_bars_change(app, page):
    page.goto(app.url("draw", runs="starter"))
    app.settle(page)
    page.locator("canvas").last.wait_for()
    assert page.locator(".js-plotly-plot").count() == 0

    draw(page, ONE)
    prediction = page.get_by_role("heading", name=re.compile("Predicted|disagree"))
    expect(prediction).to_have_text(re.compile("Predicted 1"))
    page.wait_for_selector(".js-plotly-plot .bars .point path", state="attached")
    before = bars(page)
    assert len(before) == 10

    page.get_by_role("button", name="Reset canvas & history").click()
    draw(page, SEVEN)
    expect(prediction).to_have_text(re.compile("Predicted 7"))
    page.wait_for_function(
        "before => { const now = [...document.querySelector('.js-plotly-plot')"
        ".querySelectorAll('.bars .point path')].map(p => p.getAttribute('d'));"
        " return now.length === before.length && now.some((d, i) => d !== before[i]) }",
        arg=before,
    )
    assert bars(page) != before


def test_the_image_the_networks_see_stands_beside_the_canvas(app, page):
    page.goto(app.url("draw"))
    app.settle(page)
    page.locator("canvas").last.wait_for()
    draw(page, SEVEN)
    seen = page.get_by_alt_text("The 28×28 image that the networks receive")
    seen.wait_for()
    assert seen.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [28, 28]
