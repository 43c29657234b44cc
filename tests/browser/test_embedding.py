"""Embedding in a real browser: a job, an image under the mouse, a lasso, points that move."""

import math
import re

import pytest
from playwright.sync_api import expect

from tests.browser.acting import insist

POINTS = ".scatterlayer .points path"


@pytest.mark.endurance
@pytest.mark.browser
def test_compute_point_at_an_image_draw_a_lasso_and_move_to_another_layer(app, page):
    page.goto(app.url("embedding", dataset="digits", count="100", method="pca"))
    app.settle(page)
    page.get_by_role("button", name="Compute").click()
    chart = page.locator(".st-key-embedding_chart .js-plotly-plot")
    expect(chart.locator(POINTS)).to_have_count(100)
    app.settle(page)

    thumbnail = page.locator(".cnnkit-thumbnail")
    box = chart.locator(POINTS).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def point():
        page.mouse.move(x + 40, y + 40)
        page.mouse.move(x, y, steps=3)

    insist(point, page.locator(".cnnkit-thumbnail[data-place]:visible"), wait=2000)
    place = int(thumbnail.first.get_attribute("data-place"))
    assert re.search(r"blob:", thumbnail.first.evaluate("tip => tip.style.backgroundImage"))
    names = chart.evaluate("chart => chart.data.flatMap(t => t.customdata.map(c => c[0]))")
    assert place in names

    _lasso(page, chart)
    page.get_by_text("100 images selected").wait_for()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator('[data-testid="stImage"]')).to_have_count(48)

    page.get_by_role("radio", name="Another layer").click()
    page.wait_for_url(re.compile("compare=layer"))
    page.get_by_role("button", name="Compute").click()
    moving = page.locator(".st-key-motion_chart .js-plotly-plot")
    expect(moving.locator(POINTS)).to_have_count(100)
    before = moving.locator(POINTS).first.get_attribute("transform")
    moving.locator(".updatemenu-button").nth(1).click()
    expect(moving.locator(POINTS).first).not_to_have_attribute("transform", before)
    assert not page.locator('[data-testid="stException"]').count()


def _lasso(page, chart):
    """Draw around all points."""
    box = chart.locator(".nsewdrag").bounding_box()
    across, down = box["width"] / 2 - 2, box["height"] / 2 - 2
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    corners = [(1, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)]
    page.mouse.move(x + across, y - down)
    page.mouse.down()
    for right, low in corners:
        page.mouse.move(x + right * across, y + low * down, steps=math.ceil(across / 40))
    page.mouse.up()
