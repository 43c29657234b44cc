"""Names with markup in them, as somebody may give them: every page shows them as text."""

from __future__ import annotations

import json

import pytest

from cnnkit.runs import STARTER_ID, RunStore, Status
from cnnkit.runs._starter import FOLDER
from cnnkit.settings import Settings

pytestmark = pytest.mark.browser

SCRIPT = "<script>window.harmed = 1</script>"
IMAGE = "<img src=x onerror='window.harmed = 1'>"
LINK = "[text](javascript:window.harmed=1)"
NAME = f"{SCRIPT}{IMAGE}{LINK}"


@pytest.fixture
def home(app, tmp_path):
    """The server's home with a run whose name and classes are markup; yields the run's id."""
    store = RunStore(Settings.from_environment({"CNNKIT_HOME": str(app.home)}))
    starter = store.get(STARTER_ID)
    run = store.create("train", starter.spec, NAME, status=Status.FINISHED)
    card = json.loads((FOLDER / "card.json").read_text("utf-8"))
    card["class_names"] = [f"{number}{IMAGE}{SCRIPT}" for number in range(10)]
    (tmp_path / "card.json").write_text(json.dumps(card))
    for path in (tmp_path / "card.json", FOLDER / "model.keras", FOLDER / "predictions.npz"):
        store.add_artifact(run.id, path)
    store.set_metrics(run.id, dict(starter.metrics))
    yield run.id
    store.delete(run.id)


@pytest.mark.parametrize("place", ["home", "inside", "runs"])
def test_a_page_shows_markup_in_names_as_text(app, page, home, place):
    places = {"home": app.url(), "runs": app.url("runs", run=home)}
    page.goto(places.get(place) or app.url("inside", network=f"run.{home}"))
    app.settle(page)
    if place != "runs":  # which draws its table on a canvas
        page.get_by_text("window.harmed").first.wait_for()
    assert page.evaluate("window.harmed") is None
    assert page.locator("img[onerror], a[href^='javascript:']").count() == 0
    texts = page.locator("script").all_text_contents()
    assert not any("harmed" in text for text in texts)
