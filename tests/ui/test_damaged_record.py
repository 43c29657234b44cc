import pytest
import streamlit as st

from tests.pages import opened


@pytest.mark.parametrize("page", ["app", "train", "runs", "draw", "visualize"])
def test_a_page_tells_a_damaged_record_in_a_sentence(page, store):
    (store.settings.home / "runs.db").write_bytes(b"no database " * 1000)
    st.cache_resource.clear()
    at = opened("app.py" if page == "app" else f"pages/{page}.py")
    at.run()
    assert not at.exception
    assert ["`cnnkit doctor`" in error.value for error in at.error] == [True]
