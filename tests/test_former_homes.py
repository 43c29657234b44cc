"""Homes, records and addresses of earlier versions, which called images pictures."""

from __future__ import annotations

import json
import tarfile
import time
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cnnkit.__main__ import main
from cnnkit.datasets import dataset_info, list_datasets, load_dataset
from cnnkit.datasets._store import ImageStore
from cnnkit.datasets.folders import import_report
from cnnkit.runs import Status
from cnnkit.settings import Settings, get_settings
from cnnkit.visualize import Plan
from cnnkit.visualize.results import ResultCache
from tests.pages import opened
from tests.records import new_store

PETS, GONE = "own-f958f7da0fb1", "own-7c3cf3f7d9c4"


@pytest.fixture
def home(own_home, root):
    """A home that the last version before the renaming wrote: two imports, one deleted."""
    with tarfile.open(root / "tests" / "data" / "home_with_pictures.tar.xz") as archive:
        archive.extractall(own_home, filter="data")
    return own_home


def test_imported_data_sets_are_found_and_moved_once(home):
    assert list_datasets("own") == [PETS]
    assert dataset_info(PETS).title == "Pets of the house"
    assert load_dataset(PETS).images.shape == (24, 256, 256, 3)
    assert not (home / "pictures").exists()
    assert (home / "images" / PETS / "images.npy").is_file()


def test_what_was_known_of_a_deleted_set_is_known_still(home):
    assert dataset_info(GONE).title == "gone"
    assert dataset_info(GONE).deleted


def test_the_report_of_an_import_is_read(home):
    report = import_report(PETS)
    assert report.images == 24
    assert [one.file for one in report.left_out] == ["cats/bad.png"]


def test_sets_of_both_versions_are_kept_where_both_wrote(home):
    (home / "images" / "own-1").mkdir(parents=True)
    (home / "images" / ".deleted").mkdir()
    (home / "images" / ".deleted" / "own-2.json").write_text("{}")
    assert ImageStore.of().keys() == ["own-1", PETS]
    names = {path.stem for path in (home / "images" / ".deleted").iterdir()}
    assert names == {GONE, "own-2"}


def test_finished_images_are_read(home):
    settings = get_settings()
    found = ResultCache(settings.results, settings.results_memory).get("a" * 32)
    assert found is not None
    assert found.plan.images == 2
    assert found.images.shape == (2, 8, 8, 3)


def test_plans_are_read(home):
    plan = Plan.from_dict(json.loads((home / "plan.json").read_text()))
    assert plan.images == 2
    assert plan.size == (8, 8)


def test_the_speed_of_a_stored_run_is_read():
    from mlflow.entities import Metric

    store = new_store(get_settings())
    run = store.create("train", {"model": "toy_cnn"}, "Old", status=Status.FINISHED)
    progress = json.dumps({"epoch": 3, "epochs": 5, "pictures_per_second": 12.5})
    store.client.set_tag(run.id, "cnnkit.progress", progress)
    points = [Metric("live/pictures_per_second", 9.5, int(time.time() * 1000), 1)]
    store.client.log_batch(run.id, metrics=points)
    found = store.get(run.id).progress
    assert found is not None and found.images_per_second == 12.5
    assert store.live(run.id) == [{"step": 1, "images_per_second": 9.5}]


def test_the_image_of_a_stored_visualization_is_found(tmp_path):
    store = new_store(get_settings())
    run = store.create("visualize", {}, "Old", status=Status.FINISHED)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "picture.png")
    store.add_artifact(run.id, tmp_path / "picture.png")
    assert store.artifact(run.id, "image.png").name == "picture.png"


def test_the_former_name_of_the_environment_variable_is_read():
    former = {"CNNKIT_PICTURES_MEMORY": "3"}
    assert Settings.from_environment(former).images_memory == 3 * 2**20
    both = former | {"CNNKIT_IMAGES_MEMORY": "4"}
    assert Settings.from_environment(both).images_memory == 4 * 2**20


def test_the_former_name_of_an_option_is_read():
    result = CliRunner().invoke(main, ["gradcheck", "--pictures", "0"])
    assert result.exit_code == 2
    assert "0 is not in the range" in result.output


inside = partial(opened, "pages/inside.py", run="starter")


def test_addresses_of_earlier_versions_open_on_the_same_image():
    new_store(get_settings())
    former, now = inside(picture="7"), inside(image="7")
    assert not former.exception
    assert former.number_input(key="image").value == now.number_input(key="image").value == 7
    assert former.query_params["image"] == "7"
    assert "picture" not in former.query_params


def test_addresses_of_earlier_versions_open_ideas_on_as_many_images():
    new_store(get_settings())
    page = partial(opened, "pages/architectures.py", view="ideas", idea="depth")
    at = page(twin_depth_pictures="500")
    names = [slider.key for slider in at.select_slider]
    assert "twin_depth_images" in names, names
    assert at.select_slider(key="twin_depth_images").value == 500
    assert not page(twin_depth_pictures="7").exception
