"""A network is put together, made impossible, repaired, trained, and recognizes a drawing."""

import re

import pytest
from playwright.sync_api import expect

from cnnkit.datasets import dataset_info
from tests.browser.acting import PATIENCE, SEVEN, draw, press_train

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_network_is_built_repaired_trained_and_recognizes_a_drawing(app, page):
    page.set_default_timeout(PATIENCE)
    mnist = dataset_info("mnist").available
    page.goto(app.url("build", dataset="mnist" if mnist else "digits"))
    app.settle(page)
    page.get_by_role("button", name=re.compile("^block2_pool")).click()
    page.get_by_role("button", name="Add a layer after block2_pool").click()
    page.get_by_role("button", name="Convolution", exact=True).click()
    page.get_by_role("button", name=re.compile("^block3_conv1.*7×7×32")).wait_for()
    page.keyboard.press("Escape")

    page.get_by_role("combobox", name=re.compile("Padding")).click()
    page.get_by_role("option", name=re.compile("valid")).click()
    page.get_by_role("button", name=re.compile("^block3_conv1.*5×5×32")).wait_for()
    size = page.get_by_role("spinbutton", name="Kernel size")
    size.fill("9")
    size.press("Enter")
    page.get_by_text("9×9 on a 7×7 map with padding 'valid'").first.wait_for()
    train = page.get_by_role("button", name="Train this network")
    expect(train).to_be_disabled()
    page.get_by_role("spinbutton", name="Kernel size").fill("3")
    page.get_by_role("spinbutton", name="Kernel size").press("Enter")
    expect(train).to_be_enabled()

    train.click()
    page.wait_for_url(re.compile(r"/train.*model=v1-"))
    press_train(page, epochs=1 if mnist else 30)
    page.get_by_text("Test accuracy").wait_for(timeout=2 * PATIENCE)
    page.get_by_role("link", name="Draw a digit for it").click()
    page.wait_for_url(re.compile(r"/draw"))
    app.settle(page)
    page.locator("canvas").last.wait_for()
    draw(page, SEVEN)
    prediction = page.get_by_role("heading", name=re.compile("Predicted"))
    expect(prediction).to_have_text(re.compile("Predicted 7"))
