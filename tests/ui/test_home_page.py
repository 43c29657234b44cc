"""Home as a first visitor finds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnnkit.errors import CorruptRunError
from cnnkit.runs import STARTER_ID, RunStore, Status
from cnnkit.settings import get_settings
from cnnkit.training import get_recipe
from cnnkit.ui.common import page
from cnnkit.ui.home.showcase import first_filters, load_showcase
from tests.pages import opened

ROOT = Path(__file__).resolve().parents[2]
# Plotly is not among them: Streamlit imports it wherever it is installed.
HEAVY = ("keras", "tensorflow", "mlflow", "distributed", "sklearn", "scipy")


def home():
    at = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    assert not at.exception
    return at


def words_of(at):
    return "\n".join(element.value for element in (*at.markdown, *at.caption))


def test_the_first_paint_loads_nothing_heavy():
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        "at = AppTest.from_file('app.py', default_timeout=60).run();"
        f"print('loaded:', *sorted(set({HEAVY}) & set(sys.modules)), len(at.exception))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )
    assert told.stdout.split()[-2:] == ["loaded:", "0"], told.stdout + told.stderr


def test_the_starter_s_mistakes_and_filters_are_there_at_once():
    assert "Misclassified images" in words_of(home())
    shown = load_showcase()
    assert shown.filters.shape == (20, 5, 5)
    assert shown.images.shape[1:] == (28, 28)
    assert (shown.labels != shown.predicted).all()


def test_every_page_is_linked_and_every_link_has_a_page():
    files = {one.file for one in page.PAGES}
    found = {path.name for path in (ROOT / "pages").glob("*.py")} - set(page.OLD_ADDRESSES)
    assert files == {"app.py", *(f"pages/{name}" for name in found)}
    home()


def _without_tests_of_their_own():
    tested = {path.stem for path in Path(__file__).parent.glob("test_*_page.py")}
    return [one.file for one in page.PAGES[1:] if f"test_{Path(one.file).stem}_page" not in tested]


@pytest.mark.parametrize("file", _without_tests_of_their_own())
def test_a_page_opens_for_its_first_visitor(file):
    assert opened(file).title[0].value


def test_what_is_not_on_this_machine_can_be_fetched(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNKIT_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    at = home()
    assert "missing" in words_of(at)
    at.button(key="download_mnist").click().run()
    assert not at.exception
    assert "mnist.npz is not on this machine" in at.error[0].value  # offline, so it says where
    assert "storage.googleapis.com" in at.error[0].value


def test_a_download_that_succeeds_shows_the_data_as_here(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNKIT_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()

    def arrives(name, progress):  # stands for the network
        progress(5_000_000, 11_490_434)
        (tmp_path / "datasets").mkdir()
        (tmp_path / "datasets" / "mnist.npz").touch()

    monkeypatch.setattr("cnnkit.assets.fetch", arrives)
    at = home()
    at.button(key="download_mnist").click().run()
    assert not at.exception and not at.error
    assert "**MNIST** :green-badge" in words_of(at)


def test_a_damaged_starter_is_said_and_the_page_goes_on(monkeypatch):
    def broken(*_):
        raise CorruptRunError(STARTER_ID, "predictions.npz", "is damaged")

    monkeypatch.setattr("cnnkit.ui.home.showcase.load_showcase", broken)
    at = home()
    assert "predictions.npz is damaged" in at.error[0].value
    assert "Networks to train" in words_of(at)


def test_without_a_starter_there_are_digits_to_look_at(monkeypatch):
    monkeypatch.setattr("cnnkit.ui.home.home._starter_run", lambda: None)
    assert "digits" in words_of(home())


def test_the_last_runs_come_after_the_first_paint(store):
    run = store.create("train", get_recipe("lenet_tutorial", "fast").to_dict(), "Yesterday's")
    store.update(run.id, status=Status.FINISHED)
    at = home()
    links = [link.label for link in at.get("page_link")]
    assert "Yesterday's" not in links
    at.run()  # what the browser's timer does
    assert "Yesterday's" in [link.label for link in at.get("page_link")]


def badges_of(at):
    return [
        card.value for card in at.markdown if ":green-badge[:material/check: done]" in card.value
    ]


def test_the_path_marks_a_finished_training_and_the_pages_that_were_opened(store):
    assert badges_of(home()) == []
    run = store.create("train", get_recipe("lenet_tutorial", "fast").to_dict(), "First")
    store.update(run.id, status=Status.FINISHED)
    at = home()
    assert badges_of(at) == []  # MLflow is imported after the first paint
    assert len(badges_of(at.run())) == 1
    at.switch_page("pages/runs.py").run()
    at.switch_page("app.py").run()
    assert len(badges_of(at)) == 1
    at.switch_page("pages/draw.py").run()
    at.switch_page("app.py").run()
    assert not at.exception
    (trained, drawn) = badges_of(at)
    assert "train it" in trained and "digit" in drawn


def test_the_steps_after_training_open_on_the_newest_run(store):
    run = store.create("train", get_recipe("lenet_tutorial", "fast").to_dict(), "First")
    store.update(run.id, status=Status.FINISHED)
    links = {link.proto.label: link.proto.query_string for link in home().run().get("page_link")}
    assert links["2. Draw a digit"] == f"runs={run.id}"
    assert links["3. Look inside"] == f"run={run.id}"
    assert links["4. Visualize a class"] == f"network=run.{run.id}"


def test_visualize_opens_without_a_network_of_its_own_before_the_first_training(store):
    links = {link.proto.label: link.proto.query_string for link in home().run().get("page_link")}
    assert links["4. Visualize a class"] == ""


def test_filters_are_those_that_keras_reads():
    from cnnkit import anatomy
    from cnnkit.models import load_model

    path = RunStore(get_settings()).artifact(STARTER_ID, "model.keras")
    model, _ = load_model(path.parent)
    kernels = anatomy.filters(model, anatomy.kernel_layers(model)[0])
    assert (first_filters(path) == kernels[:, :, 0, :].transpose(2, 0, 1)).all()
