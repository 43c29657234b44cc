"""The page Architectures in a real browser: a drawing that opens."""

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
