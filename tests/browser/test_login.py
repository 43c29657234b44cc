"""Two people and an administrator log in at a local identity provider, each in a browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cnnkit.people import Person, person_of
from cnnkit.runs import RunStore, Status
from cnnkit.settings import Settings
from cnnkit.training import get_recipe
from tests.browser.conftest import PATIENCE, App, free_port, wait_for
from tests.records import new_store

RECIPE = get_recipe("lenet_tutorial", "fast").on("digits")
PEOPLE = ("Ann", "Bob", "Cy")


def claims(name: str) -> dict:
    email = f"{name.lower()}@school.example"
    return {"sub": name.lower(), "name": name, "email": email, "email_verified": True}


@pytest.fixture(scope="module")
def provider(tmp_path_factory) -> Iterator[str]:
    """Address of an identity provider that knows three people."""
    port, log = free_port(), tmp_path_factory.mktemp("provider") / "log.txt"
    known = [f"--user-claims={json.dumps(claims(name))}" for name in PEOPLE]
    command = [sys.executable, "-m", "oidc_provider_mock", f"--port={port}", *known]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    wait_for(f"http://127.0.0.1:{port}/.well-known/openid-configuration", process, log)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RunStore:
    home = tmp_path_factory.mktemp("class")
    return new_store(Settings.from_environment({"CNNKIT_HOME": str(home)}))


@pytest.fixture(scope="module")
def school(serve, provider, store, tmp_path_factory) -> App:
    """A server whose visitors log in at the provider."""
    port, secrets = free_port(), tmp_path_factory.mktemp("secrets") / "secrets.toml"
    secrets.write_text(
        f"""[auth]
        redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
        cookie_secret = "a secret of more than fourteen bytes"
        client_id = "cnnkit"
        client_secret = "secret"
        server_metadata_url = "{provider}/.well-known/openid-configuration"
        """
    )
    environment = {
        "STREAMLIT_SECRETS_FILES": str(secrets),
        "CNNKIT_ADMINS": "cy@school.example",
        "CNNKIT_WARM_WORKERS": "0",
    }
    return serve(store.settings.home, environment, port)


@pytest.fixture
def enter(browser, school) -> Iterator:
    """Log somebody in, in a browser of their own."""
    contexts = []

    def log_in(name: str):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 1000}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(school.url("runs"))
        page.get_by_role("heading", name="Log in to cnnkit").wait_for()
        assert page.get_by_test_id("stPageLink").count() == 0
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name=name.lower(), exact=True).click()
        page.get_by_role("button", name="Log out").wait_for()
        assert name in page.get_by_test_id("stSidebar").inner_text()
        # The page whose link was opened before the login.
        page.get_by_role("heading", name="Runs", exact=True).wait_for()
        school.settle(page)
        return page

    yield log_in
    for context in contexts:
        context.close()


def owner(name: str, provider: str) -> Person:
    return person_of(claims(name) | {"iss": provider}, Settings.from_environment({}))


@pytest.mark.endurance
@pytest.mark.browser
def test_two_people_have_their_own_runs_and_only_an_administrator_deletes_anothers(
    enter, school, store, provider
):
    runs = {}
    for name in ("Bob", "Ann"):
        run = store.acting_for(owner(name, provider)).create(
            "train", RECIPE.to_dict(), f"Of {name}"
        )
        store.update(run.id, status=Status.CANCELLED)
        runs[name] = run.id

    bob = enter("Bob")
    bob.goto(school.url("runs", run=runs["Ann"]))
    bob.get_by_text("A run of Ann.").wait_for()
    school.settle(bob)
    assert bob.get_by_role("button", name="Delete").count() == 0
    cells = bob.locator('[data-testid="stDataFrame"] td')
    cells.filter(has_text="Of Bob").first.wait_for(state="attached")
    names = cells.all_inner_texts()
    assert names.index("Of Bob") < names.index("Of Ann"), "own runs come first"

    # A page that was drawn while the run was still his: what he presses then is refused below it.
    bob.goto(school.url("runs", run=runs["Bob"]))
    bob.get_by_role("button", name="Delete").click()
    confirm = bob.get_by_role("dialog").get_by_role("button", name="Delete")
    confirm.wait_for()
    store.update(runs["Bob"], owner=owner("Ann", provider).id)
    confirm.click()
    bob.get_by_text("Run 'Of Bob' belongs to somebody else.").wait_for()
    assert store.get(runs["Bob"]).name == "Of Bob"

    cy = enter("Cy")
    cy.goto(school.url("runs", run=runs["Ann"]))
    cy.get_by_role("button", name="Delete").click()
    cy.get_by_role("dialog").get_by_role("button", name="Delete").click()
    cy.get_by_role("dialog").wait_for(state="detached")
    assert runs["Ann"] not in {run.id for run in store.list()}


@pytest.mark.browser
def test_who_logs_out_sees_nothing_any_more(enter, school):
    ann = enter("Ann")
    ann.get_by_role("button", name="Log out").click()
    ann.wait_for_url(lambda address: not address.startswith(school.address))  # the provider's
    ann.goto(school.url("runs"))
    ann.get_by_role("heading", name="Log in to cnnkit").wait_for()
