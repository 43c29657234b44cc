"""From an answer to its explanation in a real browser: confusion cell → image → Grad-CAM."""

import re

import pytest
from playwright.sync_api import expect

from cnnkit.datasets import mnist_or_digits
from tests.browser.acting import click_cell

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.mnist
def test_a_confusion_cell_leads_to_an_image_and_its_grad_cam(app, page):
    page.goto(app.url("runs", run="starter"))
    app.settle(page)
    page.get_by_text("Most confident errors").wait_for()
    click_cell(page, true=7, predicted=2)
    page.get_by_text("True class 7, predicted class 2").first.wait_for()
    page.get_by_role("link", name="Why?").first.click()
    page.wait_for_url(re.compile("explain.*networks=run.starter"))
    page.get_by_alt_text(re.compile("Grad-CAM of 2, by")).wait_for()
    page.get_by_text("Test image").first.wait_for()
    assert "class=7" in page.url
    before = page.get_by_alt_text(re.compile("Grad-CAM of 2")).get_attribute("src")
    page.get_by_role("slider", name="Overlay strength").press("Home")
    page.wait_for_function(
        "before => document.querySelector('img[alt^=\"Grad-CAM of 2\"]').src !== before",
        arg=before,
    )
    page.get_by_role("button", name="Maps (NPZ)").wait_for()


def test_a_test_image_of_draw_is_the_one_that_is_explained(app, page):
    page.goto(app.url("draw", **{"from": "test", "image": "5"}))
    app.settle(page)
    page.get_by_alt_text(re.compile("28×28 image that the networks receive")).wait_for()
    page.get_by_role("link", name="Why?").first.click()
    page.wait_for_url(re.compile("explain"))
    page.get_by_alt_text(re.compile("Grad-CAM of")).wait_for()
    app.settle(page)
    data = mnist_or_digits()
    labels = data.part("test")[1]
    place = int((labels[:5] == labels[5]).sum())  # among the images of its class
    assert f"class={data.class_names[labels[5]]}" in page.url
    expect(page.get_by_role("spinbutton", name="Test image")).to_have_value(str(place))
