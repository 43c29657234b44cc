"""One path on real weights: fine-tune VGG16 on flowers, then see what it takes for a sunflower."""

import re

import pytest

from cnnkit.models import missing_weights
from tests.browser.acting import click_fullest_cell, insist

pytestmark = [pytest.mark.browser, pytest.mark.flowers, pytest.mark.endurance]

CLASSES, SUNFLOWER = 17, 9
SETTINGS = {"Image size": "96", "Training images per class": "8"}  # small, to take a minute
STEPS = "64"
PATIENCE = 600_000  # ms: a busy machine takes minutes to decode the photos


def fill(page, name, value):
    """Type a number; a page that has just been drawn may not listen yet."""
    field = page.get_by_role("spinbutton", name=name)
    field.fill(value)
    field.press("Enter")


def test_from_flowers_to_an_optimized_sunflower_and_its_check(app, page):
    from playwright.sync_api import expect

    if missing_weights("vgg16"):
        pytest.skip("VGG16's weights without top are not on this machine (see CNNKIT_DATA_DIR)")
    page.set_default_timeout(PATIENCE)
    page.goto(app.url("fine_tune"))
    page.get_by_role("button", name="17 flowers").click()
    page.get_by_alt_text("4 images of Sunflower").wait_for()
    # What a visitor would set by hand, as an address: the head alone, no augmentation.
    page.goto(
        app.url("fine_tune", data="flowers17", network="vgg16", epochs="20", deeper="0",
                changes="none")
    )  # fmt: skip
    page.get_by_text("Initial weights:").wait_for()
    page.get_by_text("kernels_notop.h5").wait_for()
    page.get_by_text("More hyper-parameters", exact=True).click()
    page.get_by_role("tab", name="Data and seeds").click()
    for name, value in SETTINGS.items():
        fill(page, name, value)
        page.get_by_text(re.compile(f"{name}.*→ {value}$")).wait_for()
    app.settle(page)
    page.get_by_role("button", name="Fine-tune", exact=True).click()
    page.wait_for_url(re.compile("run="))
    page.get_by_text("95 % confidence interval").wait_for()
    page.get_by_text("Feature time").wait_for()

    page.get_by_text("Most confident errors").wait_for()
    click_fullest_cell(page, true=SUNFLOWER, classes=CLASSES)
    page.get_by_text("True class Sunflower, predicted class").first.wait_for()
    page.get_by_alt_text(re.compile("^True class Sunflower, predicted class")).first.wait_for()
    page.get_by_role("link", name="Visualize Sunflower").click()

    page.wait_for_url(re.compile(f"visualize.*unit={SUNFLOWER}"))
    expect(page.get_by_role("combobox", name="Class")).to_have_value(f"Sunflower · {SUNFLOWER}")
    fill(page, "Steps", STEPS)
    page.wait_for_url(re.compile(f"steps={STEPS}"))
    app.settle(page)
    start = page.get_by_role("button", name="Start", exact=True)
    stop = page.get_by_role("button", name=re.compile("^(Stop|Restart)$"))
    insist(lambda: start.count() and start.click(), stop, wait=60_000)
    page.get_by_text(f"Step {STEPS} of {STEPS}").wait_for()
    page.get_by_alt_text("Activation maximization of Sunflower").wait_for()

    page.get_by_role("link", name="re-classification check").click()
    check = page.get_by_role("button", name="Classify again")
    expect(check).to_be_in_viewport()
    check.click()
    page.get_by_text(re.compile(r"[34] of 4 checks classify it as Sunflower")).wait_for()
