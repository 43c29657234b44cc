"""Opening a page as its first visitor does, by a link."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]


def opened(page: str, /, **query: str) -> AppTest:
    """A page reached by its address, run once and without exceptions.

    Args:
        page: file, such as "pages/train.py".
        **query: parameters of the address.
    """
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page(page).run()
    assert not at.exception
    return at


def words_of(at: AppTest) -> str:
    """Everything the page says."""
    kinds = (at.markdown, at.caption, at.success, at.warning, at.info, at.error)
    return "\n".join(element.value for kind in kinds for element in kind)
