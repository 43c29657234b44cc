"""The page Architectures in a real browser: a drawing that opens, and twins that train."""

import pytest


@pytest.mark.browser
def test_a_block_opens_where_it_is_clicked(app, page):
    page.goto(app.url("architectures", network="googlenet"))
    app.settle(page)
    module = page.locator("details", has_text="inception_3a").first
    module.wait_for()
    chip = module.get_by_text("16 filters of 1×1")
    assert not chip.is_visible()
    module.locator("summary").click()
    chip.wait_for(state="visible")
    # What is drawn side by side stands side by side.
    tops = {way.bounding_box()["y"] for way in module.locator(".way").all()}
    assert len(tops) == 1 and module.locator(".way").count() == 4


@pytest.mark.browser
def test_twins_train_as_jobs_and_their_curves_appear(app, page):
    page.goto(
        app.url(
            "architectures",
            view="ideas",
            idea="depth",
            twin_depth=8,
            twin_depth_pictures=500,
            twin_depth_epochs=1,
        )
    )
    app.settle(page)
    page.get_by_text("In the first layer the gradient").first.wait_for()
    page.get_by_role("button", name="Train with shortcuts and plain").click()
    page.get_by_text("What reaches each layer after training").wait_for()
    page.get_by_text("In the first layer the gradient").nth(1).wait_for()
    assert page.locator(".js-plotly-plot").count() == 4
    assert not page.locator('[data-testid="stException"]').count()
