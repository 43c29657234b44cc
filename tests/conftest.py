"""What every test may count on: a home of its own, quiet libraries, no network."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before TensorFlow or MLflow can be imported, here or in a child process.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As many tests run at once as there are cores: more threads would only wait for each other.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
# What runs before a test's own home is set (a fixture of a wider scope) finds this one.
os.environ["CNNKIT_HOME"] = tempfile.mkdtemp(prefix="cnnkit-tests-")

import pytest

from tests.decoded import keep, lend

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch) -> Path:
    """Send everything cnnkit keeps to a folder of this test alone, and stay offline."""
    from cnnkit.settings import get_settings

    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CNNKIT_HOME", str(home))
    monkeypatch.setenv("CNNKIT_OFFLINE", "1")
    for name in ("MLFLOW_TRACKING_URI", "CNNKIT_SCHEDULER", "CNNKIT_SLOTS", "CNNKIT_WARM_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()
    yield home
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def kept_images(tmp_path_factory) -> Path:
    """Folder of what `tests.decoded` keeps, the same for all processes that test at once."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "decoded"


@pytest.fixture
def decoded(own_home, kept_images) -> Iterator[None]:
    """Flowers need not be drawn or decoded anew."""
    lend(kept_images, own_home / "images")
    yield
    keep(own_home / "images", kept_images)


@pytest.fixture(autouse=True, scope="module")
def seeded() -> None:
    """Give networks without weights the same ones at every run."""
    if "keras" in sys.modules:
        import keras  # waits where a thread of a page is still importing it

        keras.utils.set_random_seed(0)


@pytest.fixture
def forking(own_home) -> None:
    """Start jobs by forking, in this test and in later ones of this process.

    One fork server imports TensorFlow for all of them.
    """
    from tests.forked import wake

    wake()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium or Chrome of this machine."""
    return _chromium() or pytest.skip("no Chromium or Chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot show."""
    lacking = {}
    if not _real_mnist():
        lacking["mnist"] = "real MNIST is not on this machine (see CNNKIT_DATA_DIR in README.md)"
    if not _real_flowers():
        lacking["flowers"] = "the 17 flowers are not on this machine (see CNNKIT_DATA_DIR)"
    if not _real_weights():
        lacking["weights"] = "CNNKIT_DATA_DIR names no folder with weights and photos"
    if not _chromium():
        lacking["browser"] = "no Chromium or Chrome on PATH, and CNNKIT_CHROMIUM is not set"
    for item in items:
        for marker, reason in lacking.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(os.environ["CNNKIT_HOME"], ignore_errors=True)


def _chromium() -> str | None:
    found = filter(None, map(shutil.which, CHROMIUM_NAMES))
    return os.environ.get("CNNKIT_CHROMIUM") or next(found, None)


def _real_weights() -> bool:
    from cnnkit.settings import get_settings

    folder = get_settings().data_dir
    return bool(folder) and all((folder / name).is_dir() for name in ("weights", "photos"))


def _real_flowers() -> bool:
    from cnnkit.assets import find

    return find("flowers17") is not None


def _real_mnist() -> bool:
    from cnnkit.assets import find

    return find("mnist") is not None
