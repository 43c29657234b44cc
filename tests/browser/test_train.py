"""Training in a real Chromium: press, watch the curve move, question a confusion cell."""

import re

import pytest

from cnnkit.training import get_recipe
from tests.browser.acting import click_cell, insist, press_train

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CURVE = ".js-plotly-plot .scatterlayer .js-line"
SETTINGS = {"dataset": "digits", "model": "softmax_regression", "recipe": "published"}


def curve_of(page) -> str:
    """The shape of the first curve, as it stands in the image."""
    return page.locator(CURVE).first.get_attribute("d")


def test_a_network_learns_before_ones_eyes_and_is_found_again(app, page):
    page.goto(app.url("train", **SETTINGS))
    app.settle(page)
    press_train(page, epochs=3000)

    page.wait_for_selector(CURVE, state="attached")
    before = curve_of(page)
    page.wait_for_function(
        "([path, before]) => { const line = document.querySelector(path);"
        " return line && line.getAttribute('d') !== before }",
        arg=[CURVE, before],
    )

    page.reload()
    pause, resume, cancel = (
        page.get_by_role("button", name=name) for name in ("Pause", "Resume", "Cancel")
    )
    pause.wait_for()
    pause.click()
    resume.click()
    pause.wait_for()
    cancel.click()
    resume.wait_for()


def test_a_finished_run_is_questioned_renamed_and_deleted_after_a_question(app, page, finished):
    recipe = get_recipe("softmax_regression", "published").replace(dataset="digits", epochs=20)
    page.goto(app.url("train", run=finished(recipe)))
    page.get_by_text("Test accuracy").wait_for()
    page.get_by_role("link", name="Compare and download").click()
    page.wait_for_url(re.compile("runs.*run="))
    page.get_by_text("Most confident errors").wait_for()

    cell = page.get_by_text("True class 3, predicted class 3")
    insist(lambda: click_cell(page, true=3, predicted=3), cell)
    page.get_by_alt_text("True class 3, predicted class 3").first.wait_for()
    page.get_by_alt_text(re.compile("True class [^3]")).first.wait_for(state="detached")

    page.reload()
    page.get_by_text("Most confident errors").wait_for()
    assert "run=" in page.url

    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Short and sweet")
    dialog.get_by_label("Name").press("Enter")
    dialog.get_by_role("button", name="Rename").click()
    title = page.get_by_role("heading", name="Short and sweet")
    title.wait_for()

    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="detached")
    title.wait_for()
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    title.wait_for(state="detached")
