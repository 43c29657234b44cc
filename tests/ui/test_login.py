"""Logging in, and what two people see of each other, on pages opened as they would open them."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest

from cnnkit.errors import NotAllowedError, SettingsError
from cnnkit.people import Person, person_of
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.training import get_recipe
from cnnkit.ui.common import login
from cnnkit.ui.common.page import OLD_ADDRESSES, PAGES
from cnnkit.ui.common.person import login_required
from tests.pages import ROOT, words_of

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a secret of more than fourteen bytes",
    "client_id": "cnnkit",
    "client_secret": "secret",
    "server_metadata_url": "http://localhost:1/.well-known/openid-configuration",
}
RECIPE = get_recipe("lenet_tutorial", "fast").on("digits")


def claims(name: str, **others) -> dict:
    email = f"{name.lower()}@school.example"
    known = {"iss": "https://login.example", "sub": name, "name": name, "email": email}
    return known | {"email_verified": True, "is_logged_in": True} | others


def visit(page: str, user: dict | None = None, auth: dict = AUTH, **query: str) -> AppTest:
    """A page of a server with a login, as somebody opens it; None: nobody has logged in."""
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    at.secrets["auth"] = auth
    at.user = user or {}
    for name, value in query.items():
        at.query_params[name] = value
    if page != "app.py":
        at.switch_page(page)
    at.run()
    assert not at.exception
    return at


def one_of(name: str) -> Person:
    return person_of(claims(name), get_settings())


def keys(at: AppTest) -> set[str]:
    return {button.key for button in at.button}


@pytest.fixture
def runs(store) -> dict[str, str]:
    """A finished run of each of two people."""
    ids = {}
    for name in ("Ann", "Bob"):
        run = store.acting_for(one_of(name)).create("train", RECIPE.to_dict(), f"{name}'s network")
        store.update(run.id, status=Status.CANCELLED)
        ids[name] = run.id
    return ids


def test_nobody_sees_any_page_before_logging_in(runs):
    for page in PAGES:
        at = visit(page.file)
        assert [title.value for title in at.title] == ["Log in to cnnkit"], page.file
        assert keys(at) == {"log_in_None"}
        assert not at.dataframe and "Ann" not in words_of(at)
        assert not at.get("page_link"), "the way to other pages is no use yet"


def test_every_page_begins_with_the_one_gate():
    for path in (ROOT / "pages").glob("*.py"):
        if path.name not in OLD_ADDRESSES:
            assert "open_page(" in path.read_text("utf-8"), path.name


def test_each_provider_has_a_button():
    shared = {name: AUTH[name] for name in ("redirect_uri", "cookie_secret")}
    own = {name: text for name, text in AUTH.items() if name not in shared}
    at = visit("app.py", auth=shared | {"school": own, "google": own})
    assert [button.label for button in at.button] == ["Log in with School", "Log in with Google"]


def test_who_is_logged_in_stands_in_the_sidebar_with_a_way_out():
    at = visit("pages/runs.py", claims("Ann"))
    assert any("Ann" in one.value for one in at.sidebar.markdown)
    assert [button.label for button in at.sidebar.button] == ["Log out"]


def test_who_may_not_enter_is_told_so(monkeypatch):
    monkeypatch.setenv("CNNKIT_MEMBERS", "@school.example")
    get_settings.cache_clear()
    at = visit("app.py", claims("Eve", email="eve@evil.example"))
    assert "eve@evil.example, who may not use this server" in words_of(at)
    assert [title.value for title in at.title] == ["You cannot come in"]
    assert keys(at) == {"log_out"}


def test_a_class_imports_from_no_folder_of_the_server_unless_one_is_named(monkeypatch, tmp_path):
    fine_tune = "pages/fine_tune.py"
    paths = [one.key for one in visit(fine_tune, claims("Ann")).text_input]
    assert "import_title" in paths and "import_path" not in paths
    monkeypatch.setenv("CNNKIT_IMPORT_FOLDER", str(tmp_path))
    get_settings.cache_clear()
    path = visit(fine_tune, claims("Ann")).text_input(key="import_path")
    assert path.placeholder == str(tmp_path / "images")


def test_own_runs_come_first_and_say_whose_the_others_are(runs):
    table = visit("pages/runs.py", claims("Bob")).dataframe[0].value
    assert list(table["Of"])[:2] == ["you", "Ann"]
    assert list(visit("pages/runs.py", claims("Ann")).dataframe[0].value["Of"])[0] == "you"


def test_a_run_of_somebody_else_can_only_be_looked_at(runs):
    at = visit("pages/runs.py", claims("Bob"), run=runs["Ann"])
    assert "A run of Ann." in words_of(at)
    assert not {"rename", "delete", "resume"} & keys(at)
    assert {"rename", "delete", "resume"} <= keys(
        visit("pages/runs.py", claims("Ann"), run=runs["Ann"])
    )


def test_a_page_that_was_open_before_is_refused_by_the_layer_below(runs, store):
    at = visit("pages/runs.py", claims("Ann"), run=runs["Ann"])
    at.button(key="delete").click().run()
    at.user = claims("Bob")  # the dialog is still there, the person is another
    at.button(key="delete_now").click().run()
    assert store.get(runs["Ann"]).name == "Ann's network"


def test_an_administrator_may_delete_it(runs, store, monkeypatch):
    monkeypatch.setenv("CNNKIT_ADMINS", "cy@school.example")
    get_settings.cache_clear()
    at = visit("pages/runs.py", claims("Cy"), run=runs["Ann"])
    at.button(key="delete").click().run()
    at.button(key="delete_now").click().run()
    assert [run.name for run in store.list() if not run.starter] == ["Bob's network"]


def test_home_shows_what_is_used_of_what_is_allowed(runs):
    at = visit("app.py", claims("Ann"))
    at.run()
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Jobs running or queued"] == "0 of 4"
    assert shown["Stored"].endswith("of 2,048 MB")
    assert one_of("Ann").id in words_of(at)


def test_a_full_queue_is_said_where_train_is_pressed(runs, submitted, store):
    for _ in range(4):
        store.acting_for(one_of("Ann")).create("train", RECIPE.to_dict())
    at = visit("pages/train.py", claims("Ann"), data="digits")
    at.button(key="train").click().run()
    assert "You have 4 jobs running or queued, and 4 are allowed" in words_of(at)
    assert submitted == []


def test_a_file_of_secrets_that_cannot_be_read_lets_nobody_in(tmp_path, monkeypatch):
    (tmp_path / "secrets.toml").write_text("[auth\n")
    before = st.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    monkeypatch.setattr(st, "secrets", Secrets())
    try:
        with pytest.raises(SettingsError, match="it is not known who may use this server"):
            login_required()
    finally:
        config.set_option("secrets.files", before)


def test_without_a_context_nobody_is_taken_for_the_local_person(monkeypatch):
    from cnnkit.ui.common import person

    monkeypatch.setattr(person, "login_required", lambda: True)
    with pytest.raises(NotAllowedError, match="Log in first"):
        person.person()


@pytest.mark.parametrize(
    "address, is_open",
    (("localhost", False), ("127.0.0.2", False), ("::1", False), (None, True), ("0.0.0.0", True)),
)
def test_a_server_that_others_reach_without_a_login_says_so(address, is_open, caplog):
    before = st.get_option("server.address")
    config.set_option("server.address", address)
    try:
        at = AppTest.from_file(ROOT / "app.py", default_timeout=120).run()
        login.log_if_open()
    finally:
        config.set_option("server.address", before)
    assert (login.NO_LOGIN in words_of(at)) is is_open
    assert (login.NO_LOGIN in caplog.text) is is_open
