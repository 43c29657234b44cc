"""A real child process: it starts, is steered, goes back, survives others' mistakes, and ends."""

import json
import time

import numpy as np
import psutil
import pytest
from PIL import Image

from cnnkit.errors import StorageError
from cnnkit.models import ModelCache
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings
from cnnkit.studio import Source, Studio
from cnnkit.studio.status import Look, read_look, write_frame, write_look
from cnnkit.visualize import Plan, class_logit, presets
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.presets import completed
from tests.records import new_store

PATIENCE = 120.0  # seconds, for importing TensorFlow on a busy machine


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("studio-home")


@pytest.fixture(scope="module")
def studio(home):
    settings = get_settings().__class__.from_environment({"CNNKIT_HOME": str(home)})
    new_store(settings)
    opened = Studio(settings)
    opened.wake()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def starter(root):
    return Source("folder", str(root / "cnnkit" / "starter"))


def plan(steps=40, **changes):
    made = presets.get("quick").plan(class_logit(7), size=(28, 28), **({"steps": steps} | changes))
    return completed(made)


def until(studio, session, reached, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        look = studio.look(session)
        if reached(look):
            return look
        time.sleep(0.05)
    raise AssertionError(f"It did not come to that: {studio.look(session)}")


def known_layers(studio, source):
    question = studio.ask_layers(source)
    while (answer := studio.answer(question)) is None:
        time.sleep(0.05)
    return answer["layers"]


def finished(look):
    return look.status == "finished"


def test_an_image_is_climbed_told_and_kept(studio, starter):
    session = studio.start(starter, plan())
    look = until(studio, session, finished)
    assert look.number == look.steps == 40
    logits = look.curves["terms/0"]
    assert logits[-1] > logits[0] + 5
    frame = studio.frame(session)
    assert frame.shape == (1, 28, 28, 1) and frame.dtype == np.uint8
    assert 0 in look.kept and 40 in look.kept
    assert not np.array_equal(studio.frame(session, 0), frame)
    kept = studio.results.get(look.key)
    np.testing.assert_array_equal(np.clip(np.rint(kept.images), 0, 255).astype(np.uint8), frame)


def test_turning_a_slider_goes_on_from_the_image(studio, starter):
    session = studio.start(starter, plan(steps=5000))
    until(studio, session, lambda look: look.number > 30)
    before = studio.look(session).curves["terms/1"][-1]
    studio.steer(session, {"terms/1/weight": -100.0})
    look = until(
        studio, session, lambda look: look.curves and look.curves["terms/1"][-1] < 0.3 * before
    )
    assert look.number > 30  # it was not begun anew
    assert look.plan["objective"][1]["weight"] == -100
    studio.stop(session)
    assert studio.look(session).status == "stopped"


def test_pause_go_back_and_other_noise(studio, starter):
    session = studio.start(starter, plan(steps=3000))
    until(studio, session, lambda look: look.number > 20)
    studio.pause(session)
    paused = until(studio, session, lambda look: look.status == "paused")
    time.sleep(0.5)
    assert studio.look(session).number == paused.number
    early = next(n for n in paused.kept if n)
    wanted = studio.frame(session, early)
    studio.go_back(session, early)
    back = until(studio, session, lambda look: look.number == early)
    assert back.status == "paused" and max(back.kept) == early
    np.testing.assert_array_equal(studio.frame(session), wanted)
    studio.resume(session)
    until(studio, session, lambda look: look.number > early + 20)
    studio.restart(session, seed=9)
    again = until(studio, session, lambda look: look.plan["seed"] == 9)
    assert again.status == "running"
    studio.stop(session)


def test_two_sessions_take_turns(studio, starter):
    sessions = [studio.start(starter, plan(steps=4000, seed=seed)) for seed in (1, 2)]
    for session in sessions:
        until(studio, session, lambda look: look.number > 10)
    numbers = [studio.look(session).number for session in sessions]
    assert max(numbers) < 4000
    for session in sessions:
        studio.stop(session)


def test_one_visitors_mistake_is_told_to_that_visitor_alone(studio, starter):
    good = studio.start(starter, plan(steps=3000))
    until(studio, good, lambda look: look.number > 5)
    with pytest.raises(StorageError, match="/nowhere are not here"):
        studio.start(Source("folder", "/nowhere"), plan())
    unit = studio.start(starter, completed(presets.get("quick").plan(class_logit(99))))
    failed = until(studio, unit, lambda look: look.status == "failed")
    assert "10 units, 0 to 9. Received: 99" in failed.reason
    studio.steer(good, {"terms/9/weight": 1.0})
    told = until(studio, good, lambda look: look.reason)
    assert "No number 'terms/9/weight'" in told.reason
    number = studio.look(good).number
    until(studio, good, lambda look: look.number > number)
    studio.stop(good)


def test_vgg16_climbs_from_end_to_end_with_random_weights(studio):
    vgg16 = Source("untrained", "vgg16")
    wanted = presets.get("quick").plan(class_logit(1), size=(224, 224), steps=3)
    session = studio.start(vgg16, wanted)
    look = until(studio, session, finished)
    logits = look.curves["terms/0"]
    assert look.status == "finished" and logits[-1] > logits[0]
    assert studio.frame(session).shape == (1, 224, 224, 3)


@pytest.mark.weights
def test_vgg16_without_top_opens_with_its_trained_filters():
    source = Source("without_top", "vgg16")
    opened = source.open(ModelCache(10**9))
    assert opened.model.get_layer("block5_conv3").filters == 512
    # Trained filters of the first layer are far from the random ones.
    kernel = opened.model.get_layer("block1_conv1").get_weights()[0]
    assert float(abs(kernel).max()) > 0.5
    assert opened.card.class_names == () and source.digest()
    assert 0.9 < source.bytes() / (4 * opened.model.count_params()) < 1.1


def test_questions_about_layers_and_the_fooling_check(studio, starter):
    assert known_layers(studio, starter)[0][1] == "Conv2D"
    session = studio.start(starter, plan(steps=80))
    until(studio, session, finished)
    question = studio.ask_check(session, starter, [starter], ["7"])
    while (answer := studio.answer(question)) is None:
        time.sleep(0.05)
    (verdicts,) = answer["verdicts"]
    assert [v["form"] for v in verdicts] == [
        "as it is",
        "8 bit",
        "JPEG 75",
        "moved 3 pixels",
        "8 bit",
    ]
    assert verdicts[1]["target"] > 0.99 and verdicts[1]["answers"][0]["name"] == "7"


def test_a_dream_is_told_like_an_image(studio, starter):
    image = np.tile(np.linspace(0, 255, 40, dtype=np.float32)[None, :, None], (40, 1, 1))
    layer = next(name for name, kind, _ in known_layers(studio, starter) if kind == "Conv2D")
    session = studio.dream(starter, Dream(layers={layer: 1.0}, octaves=2, steps=5), image)
    look = until(studio, session, finished)
    assert look.number == look.steps and look.curves["value"][-1] > look.curves["value"][-3]
    frame = studio.frame(session)
    assert frame.shape == (1, 40, 40, 1) and not np.array_equal(frame[0], image.astype("uint8"))
    bad = studio.dream(starter, Dream(layers={"nowhere": 1.0}), image)
    assert "Unknown layer 'nowhere'" in until(studio, bad, lambda one: one.over).reason


def test_what_is_finished_is_recorded_as_a_run(studio, starter):
    session = studio.start(starter, plan(steps=8), title="a seven", address={"unit": "7"})
    look = until(studio, session, lambda look: look.run)
    assert look.status == "finished" and not look.reason
    store = RunStore(studio.settings)
    (run,) = store.list(kind="visualize")
    assert run.id == look.run and run.name == "a seven" and run.status == "finished"
    assert run.spec["address"] == {"unit": "7"} and "class_logit(unit=7)" in run.spec["objective"]
    with Image.open(store.artifact(run.id, "image.png")) as image:
        np.testing.assert_array_equal(np.asarray(image), studio.frame(session)[0, ..., 0])
    assert Plan.from_dict(json.loads(store.artifact(run.id, "plan.json").read_text())).steps == 8
    assert store.artifact(run.id, "curves.csv").read_text().startswith("step,terms/0")


@pytest.mark.faults
def test_when_the_child_is_killed_the_session_is_interrupted_and_the_next_starts(studio, starter):
    session = studio.start(starter, plan(steps=5000))
    until(studio, session, lambda look: look.number > 5)
    psutil.Process(studio.pid).kill()
    until(studio, session, lambda look: look.status == "interrupted", 10)
    again = studio.start(starter, plan(steps=5))
    until(studio, again, finished)


def test_the_child_ends_with_its_studio(home, starter):
    settings = get_settings().__class__.from_environment({"CNNKIT_HOME": str(home)})
    studio = Studio(settings)
    studio.wake()
    child = psutil.Process(studio.pid)
    studio.close()
    assert not child.is_running() and not studio.folder.exists()


def test_a_look_is_read_whole_or_not_at_all(tmp_path):
    assert read_look(tmp_path) is None
    write_look(tmp_path, Look(status="running", number=3, steps=12, curves={"step": [1.0]}))
    look = read_look(tmp_path)
    assert look.fraction == 0.25 and not look.over
    write_frame(tmp_path / "frame.npy", np.zeros((1, 4, 4, 3), np.uint8))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["frame.npy", "state.json"]
