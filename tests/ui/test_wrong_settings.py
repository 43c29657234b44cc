import pytest

from cnnkit.settings import get_settings
from cnnkit.ui.common.page import PAGES
from tests.pages import opened


@pytest.mark.parametrize("page", [page.file for page in PAGES])
def test_every_page_says_which_setting_makes_no_sense_and_nothing_else(page, monkeypatch):
    monkeypatch.setenv("CNNKIT_SLOTS", "many")
    get_settings.cache_clear()
    at = opened(page)
    assert [error.value for error in at.error] == [
        "CNNKIT_SLOTS must be a whole number from 1 to 256. Received: 'many'."
    ]
    assert len(at.main.children) <= 6
