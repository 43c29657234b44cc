"""A real child process: sessions start, are steered, go back, survive mistakes, and end."""

import json
import shutil
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from PIL import Image

from cnnkit.datasets import load_dataset
from cnnkit.errors import RunNotFoundError
from cnnkit.explain import get_method
from cnnkit.jobs.kinds.questions import ClassMapTask
from cnnkit.jobs.kinds.top_activations import IMAGES, PLACES, POSITIONS, VALUES
from cnnkit.jobs.sessions import write_frame
from cnnkit.jobs.visualization import VisualizationWorker
from cnnkit.models import CARD_FILE, MODEL_FILE, ModelCache, load_card
from cnnkit.networks import NetworkRef
from cnnkit.runs import RunStore, Status
from cnnkit.settings import Settings
from cnnkit.visualize import Plan, class_logit, presets
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.presets import completed
from tests.forked import wake
from tests.records import new_store

PATIENCE = 120.0  # seconds, for importing TensorFlow on a busy machine


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("worker-home")


@pytest.fixture(scope="module")
def worker(home):
    settings = Settings.from_environment({"CNNKIT_HOME": str(home)})
    new_store(settings)
    wake()
    opened = VisualizationWorker(settings)
    opened.wake()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def starter():
    return NetworkRef("run", "starter")


@pytest.fixture
def start(worker, starter):
    """Start sessions of the starter network, which are stopped after the test."""
    started = []

    def start(steps=5000, **changes) -> "Running":
        started.append(worker.optimize(starter, plan(steps=steps, **changes)))
        return Running(worker, started[-1])

    yield start
    for session in started:
        worker.command(session, "stop")


@dataclass
class Running:
    """A session of a worker."""

    worker: VisualizationWorker
    id: str

    def send(self, command, **values):
        self.worker.command(self.id, command, **values)

    @property
    def state(self):
        return self.worker.state(self.id)

    def until(self, reached, patience=PATIENCE):
        """The first state of which something is true, all commands obeyed."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            state = self.state
            if not state.wish and reached(state):
                return state
            time.sleep(0.02)
        raise AssertionError(f"It did not come to that: {self.state}")

    def becomes(self, status):
        return self.until(lambda state: state.status is status)

    def reaches(self, step):
        return self.until(lambda state: state.step >= step)


def plan(steps=40, **changes):
    made = presets.get("quick").plan(class_logit(7), size=(28, 28), **({"steps": steps} | changes))
    return completed(made)


def answer(worker, question):
    state = Running(worker, question).until(lambda state: state.over)
    assert state.status is Status.FINISHED, state.reason
    return state.details


def stands_still(session):
    step = session.state.step
    time.sleep(0.4)
    return session.state.step == step


# From one status to the next


def test_start_takes_all_steps_and_keeps_the_result(worker, start):
    session = start(steps=40)
    state = session.becomes(Status.FINISHED)
    assert state.step == state.steps == 40 and state.over
    logits = state.details["curves"]["objective.class_logit"]
    assert logits[-1] > logits[0] + 5
    frame = worker.frame(session.id)
    assert frame.shape == (1, 28, 28, 1) and frame.dtype == np.uint8
    assert {0, 40} <= set(state.details["snapshots"])
    assert not np.array_equal(worker.frame(session.id, "snapshot-000000.npy"), frame)
    kept = worker.results.get(state.details["key"])
    np.testing.assert_array_equal(np.clip(np.rint(kept.images), 0, 255).astype(np.uint8), frame)


def test_pause_then_resume(start):
    session = start()
    session.reaches(10)
    session.send("pause")
    paused = session.becomes(Status.PAUSED)
    assert paused.over and stands_still(session)
    session.send("resume")
    session.until(lambda state: state.status is Status.RUNNING and state.step > paused.step)


def test_stop_then_resume_goes_on_from_where_it_stands(start):
    session = start()
    session.reaches(10)
    session.send("stop")
    assert session.state.wish == "stop" or session.state.status is Status.CANCELLED
    stopped = session.becomes(Status.CANCELLED)
    assert stopped.over and stands_still(session)
    session.send("resume")
    state = session.until(lambda state: state.step > stopped.step)
    assert state.status is Status.RUNNING and not state.details["steered"]


def test_stop_then_restart_with_another_seed_runs_and_says_so(worker, start):
    session = start(steps=400)
    session.reaches(10)
    session.send("stop")
    session.becomes(Status.CANCELLED)
    session.send("restart", seed=9)
    state = session.until(lambda state: state.details["plan"]["seed"] == 9 and state.step > 5)
    assert state.status is Status.RUNNING and not state.over
    finished = session.becomes(Status.FINISHED)
    # Begun anew and never steered: it is the result of the plan with the new seed.
    assert worker.results.get(finished.details["key"]).plan.seed == 9


def test_finish_then_restart(worker, start):
    session = start(steps=12)
    first = session.becomes(Status.FINISHED)
    before = worker.frame(session.id)
    session.send("restart", seed=3)
    again = session.until(
        lambda state: state.status is Status.FINISHED and state.details["plan"]["seed"] == 3
    )
    assert again.step == 12 and again.details["key"] not in ("", first.details["key"])
    assert not np.array_equal(worker.frame(session.id), before)


def test_finish_then_more_steps_then_resume(start):
    session = start(steps=12)
    session.becomes(Status.FINISHED)
    session.send("set_steps", steps=20)
    assert session.becomes(Status.PAUSED).step == 12
    session.send("resume")
    assert session.becomes(Status.FINISHED).step == 20


@pytest.mark.parametrize("before", ["pause", "stop", "run"])
def test_back_to_a_snapshot_waits_there_and_continues(worker, start, before):
    session = start()
    session.reaches(30)
    if before != "run":
        session.send(before)
        session.until(lambda state: state.over)
    # While it runs, snapshots are thinned out: what the highest power of two divides stays longest.
    early = max(session.state.details["snapshots"], key=lambda step: step & -step)
    frame = worker.frame(session.id, f"snapshot-{early:06d}.npy")
    session.send("go_back", step=early)
    back = session.becomes(Status.PAUSED)
    assert back.step == early and max(back.details["snapshots"]) == early
    assert max(back.details["curves"]["step"]) <= early
    np.testing.assert_array_equal(worker.frame(session.id), frame)
    session.send("resume")
    assert session.reaches(early + 20).details["steered"]


def test_the_fifth_session_is_queued_until_one_of_four_ends(start):
    running = [start(seed=seed) for seed in range(4)]
    for session in running:
        session.reaches(2)
    fifth, sixth = start(steps=20, seed=4), start(steps=20, seed=5)
    assert sixth.until(lambda state: state.ahead == 1).status is Status.QUEUED
    assert fifth.state.status is Status.QUEUED and fifth.state.ahead == 0
    assert sixth.until(lambda state: state.starts_in).starts_in > 0
    running[0].send("stop")
    fifth.becomes(Status.FINISHED)
    sixth.becomes(Status.FINISHED)
    # What is resumed takes its turn in the queue too.
    another = start(seed=6)
    another.reaches(2)
    running[0].send("resume")
    assert running[0].becomes(Status.QUEUED).ahead == 0
    assert stands_still(running[0])
    another.send("pause")
    running[0].becomes(Status.RUNNING)


def test_a_queued_session_can_be_stopped_and_paused(start):
    running = [start(seed=seed) for seed in range(4)]
    for session in running:
        session.reaches(2)
    queued, other = start(seed=5), start(seed=6)
    queued.send("stop")
    assert queued.becomes(Status.CANCELLED).step == 0
    other.send("pause")
    assert other.becomes(Status.PAUSED).step == 0
    running[0].send("stop")
    other.send("resume")
    other.reaches(2)


def test_sessions_that_nobody_has_read_for_longest_are_evicted(worker, start, monkeypatch):
    monkeypatch.setattr("cnnkit.jobs.visualization.SESSIONS", 3)
    running, first = start(), start(steps=2)
    first.becomes(Status.FINISHED)
    others = [start(steps=2) for _ in range(3)]
    assert first.state is None and worker.frame(first.id) is None
    first.send("restart")  # nothing happens
    running.reaches(2)  # what runs is not evicted
    others[-1].becomes(Status.FINISHED)


def test_a_session_that_left_the_workers_memory_can_be_restarted(start):
    first = start(steps=6, seed=5)
    first.becomes(Status.FINISHED)
    for _ in range(26):
        start(steps=1)
    first.send("go_back", step=6)
    assert "has no snapshot" in first.until(lambda state: state.reason).reason
    first.send("restart")
    state = first.until(lambda state: state.status is Status.FINISHED and state.step == 6)
    assert state.details["plan"]["seed"] == 5 and not state.reason


def test_sessions_of_a_killed_worker_say_so_and_can_be_restarted(worker, start):
    session, finished = start(), start(steps=2)
    finished.becomes(Status.FINISHED)
    session.reaches(5)
    session.send("steer", numbers={"objective.total_variation.weight": -5.0})
    session.until(lambda state: state.details["steered"])
    psutil.Process(worker.pid).kill()
    gone = session.until(lambda state: state.status is Status.INTERRUPTED, 10)
    assert "process has ended" in gone.reason and gone.over
    assert finished.state.status is Status.FINISHED
    # Another start makes a new process; it knows nothing of the old session, which still says so.
    start(steps=2).becomes(Status.FINISHED)
    assert session.state.status is Status.INTERRUPTED
    session.send("restart", seed=4)
    again = session.until(lambda state: state.status is Status.RUNNING and state.step > 5)
    assert again.details["plan"]["seed"] == 4
    assert again.details["plan"]["objective"][1]["weight"] == -5  # as it was steered


# Dreams


@pytest.fixture
def dream(worker, starter):
    layer = next(
        name
        for name, kind, _ in answer(worker, worker.ask_layers(starter))["layers"]
        if kind == "Conv2D"
    )

    def dream(steps=5, layer=layer):
        image = np.tile(np.linspace(0, 255, 40, dtype=np.float32)[None, :, None], (40, 1, 1))
        how = Dream(layers={layer: 1.0}, octaves=2, steps=steps)
        return Running(worker, worker.dream(starter, how, image)), image

    return dream


def test_a_dream_is_paused_stopped_resumed_and_restarted(worker, dream):
    session, image = dream(steps=300)
    session.reaches(3)
    session.send("pause")
    paused = session.becomes(Status.PAUSED)
    session.send("resume")
    session.reaches(paused.step + 3)
    session.send("stop")
    stopped = session.becomes(Status.CANCELLED)
    assert stands_still(session)
    session.send("resume")
    session.reaches(stopped.step + 3)
    session.send("restart")
    session.until(lambda state: state.status is Status.RUNNING and state.step < stopped.step)
    session.send("steer", numbers={})
    assert "does not know" in session.until(lambda state: state.reason).reason
    session.send("stop")


def test_a_dream_finishes_and_a_bad_one_says_why(worker, dream):
    session, image = dream()
    state = session.becomes(Status.FINISHED)
    values = state.details["curves"]["value"]
    assert state.step == state.steps and values[-1] > values[-3]
    frame = worker.frame(session.id)
    assert frame.shape == (1, 40, 40, 1) and not np.array_equal(frame[0], image.astype("uint8"))
    bad, _ = dream(layer="nowhere")
    assert "Unknown layer 'nowhere'" in bad.becomes(Status.FAILED).reason


# Steering, questions, records, mistakes


def test_steering_goes_on_from_the_image(start):
    session = start()
    session.reaches(30)
    before = session.state.details["curves"]["objective.total_variation"][-1]
    session.send("steer", numbers={"objective.total_variation.weight": -100.0})
    state = session.until(
        lambda state: state.details["curves"]["objective.total_variation"][-1] < 0.3 * before
    )
    assert state.step > 30  # it was not begun anew
    assert state.details["plan"]["objective"][1]["weight"] == -100


@pytest.mark.parametrize(
    ("change", "seed"),  # a seed of its own each: no other test has kept that result
    [("nothing", 101), ("steer", 102), ("go back", 103), ("set_steps", 104), ("restart", 105)],
)
def test_only_images_that_followed_their_plan_are_kept_as_its_result(worker, start, change, seed):
    session = start(steps=1000, seed=seed)
    session.reaches(5)
    if change == "steer":
        session.send("steer", numbers={"objective.total_variation.weight": -5.0})
    elif change == "go back":
        session.send("go_back", step=0)
        session.becomes(Status.PAUSED)
        session.send("resume")
    elif change == "set_steps":
        session.send("set_steps", steps=1100)
    elif change == "restart":
        session.send("restart", seed=seed + 100)
    ended = session.becomes(Status.FINISHED)
    plan_now = Plan.from_dict(ended.details["plan"])
    key = worker.key(NetworkRef("run", "starter"), plan_now)
    # More steps, or a restart, change the plan; steered or gone back, no plan makes these images.
    followed = change not in ("steer", "go back")
    assert (ended.details["key"] == key, worker.results.get(key) is not None) == (followed,) * 2


def test_two_sessions_take_turns(start):
    sessions = [start(seed=seed) for seed in (1, 2)]
    for session in sessions:
        session.reaches(10)
    assert all(not session.state.over for session in sessions)


def test_one_visitors_mistake_is_told_to_that_visitor_alone(worker, starter, start):
    good = start()
    good.reaches(5)
    with pytest.raises(RunNotFoundError):
        worker.optimize(NetworkRef("run", "f" * 32), plan())
    bad = worker.optimize(starter, completed(presets.get("quick").plan(class_logit(99))))
    failed = Running(worker, bad).becomes(Status.FAILED)
    assert "10 units, 0 to 9. Received: 99" in failed.reason
    good.send("steer", numbers={"objective.l3.weight": 1.0})
    told = good.until(lambda state: state.reason)
    assert "No number 'objective.l3.weight'" in told.reason and told.status is Status.RUNNING
    good.reaches(told.step + 5)
    good.send("somersault")
    assert (
        "does not know the command 'somersault'"
        in good.until(lambda state: "somersault" in state.reason).reason
    )


def test_vgg16_is_optimized_from_end_to_end_with_random_weights(worker):
    vgg16 = NetworkRef("built", "vgg16")
    session = worker.optimize(
        vgg16, presets.get("quick").plan(class_logit(1), size=(224, 224), steps=3)
    )
    logits = (
        Running(worker, session).becomes(Status.FINISHED).details["curves"]["objective.class_logit"]
    )
    assert logits[-1] > logits[0]
    assert worker.frame(session).shape == (1, 224, 224, 3)


def test_questions_about_layers_and_the_recheck(worker, starter, start):
    assert answer(worker, worker.ask_layers(starter))["layers"][0][1] == "Conv2D"
    session = start(steps=80)
    session.becomes(Status.FINISHED)
    question = worker.ask_recheck(starter, [starter], ["7"], session=session.id)
    (checks,) = answer(worker, question)["checks"]
    assert [check["form"] for check in checks] == [
        "as it is",
        "8 bit",
        "JPEG 75",
        "moved 3 pixels",
        "8 bit",
    ]
    assert checks[1]["target"] > 0.99 and checks[1]["answers"][0]["name"] == "7"
    lost = Running(worker, worker.ask_layers(NetworkRef("pretrained", "nothing")))
    assert "nothing" in lost.becomes(Status.FAILED).reason


def test_the_class_map_of_an_image_is_its_grad_cam(worker, starter):
    image = load_dataset("digits").part("test")[0][0]
    session = Running(worker, worker.ask_class_map(starter, image))
    highest = session.becomes(Status.FINISHED).details["highest"]
    (expected,) = get_method("grad_cam")(starter.open().model, image[None].astype(np.float32))
    found = worker.frame(session.id)
    assert found.shape == (1, *image.shape[:2], 1) and found.max() == 255
    assert highest == pytest.approx(expected.max(), rel=1e-3)
    np.testing.assert_allclose(found[0, ..., 0] / 255, expected / expected.max(), atol=0.01)
    lost = Running(worker, worker.ask_class_map(starter, np.zeros((9, 9, 1))))
    assert "takes images of" in lost.becomes(Status.FAILED).reason


def test_a_class_map_to_which_nothing_adds_is_black(tmp_path, monkeypatch):
    def nothing(model, images):
        return np.zeros(images.shape[:3], np.float32)

    monkeypatch.setattr("cnnkit.jobs.kinds.questions.get_method", lambda name: nothing)
    write_frame(tmp_path / "image.npy", np.zeros((28, 28, 1), np.float32))
    context = SimpleNamespace(networks=ModelCache(2**30))
    task = ClassMapTask({"network": "run.starter"}, tmp_path, context)
    assert task.answer() == {"highest": 0.0}
    assert task.frame().shape == (1, 28, 28, 1) and not task.frame().any()


def test_top_activating_images_are_found_step_by_step(worker, starter):
    session = worker.ask_top_activations(starter, "block1_conv1", "digits")
    state = Running(worker, session).becomes(Status.FINISHED)
    assert state.step == state.steps > 1
    images, places = (worker.frame(session, name) for name in (IMAGES, PLACES))
    values, positions = (worker.frame(session, name) for name in (VALUES, POSITIONS))
    units = state.details["units"]
    assert places.shape == values.shape == (units, 9) and positions.shape == (units, 9, 2)
    assert (np.diff(values, axis=1) <= 0).all()
    assert images.dtype == np.uint8 and len(images) == len(state.details["names"]) == 360
    assert state.details["dead"] == np.flatnonzero(values[:, 0] <= 0).tolist()
    lost = Running(worker, worker.ask_top_activations(starter, "block9"))
    assert "block9" in lost.becomes(Status.FAILED).reason


def test_renamed_classes_are_answered_with_at_once(worker, root, tmp_path):
    store = RunStore(worker.settings)
    run = store.create("train", {"model": "lenet_tutorial"}, status=Status.FINISHED)
    for name in (MODEL_FILE, CARD_FILE):
        shutil.copy(root / "cnnkit" / "starter" / name, tmp_path / name)
        store.add_artifact(run.id, tmp_path / name)
    question = worker.ask_layers(NetworkRef("run", run.id))
    assert answer(worker, question)["class_names"][:2] == ["0", "1"]
    card = replace(load_card(tmp_path / CARD_FILE), class_names=tuple("abcdefghij"))
    (tmp_path / CARD_FILE).write_text(card.to_json())
    store.replace_artifact(run.id, tmp_path / CARD_FILE)
    question = worker.ask_layers(NetworkRef("run", run.id))
    assert answer(worker, question)["class_names"] == list("abcdefghij")


def test_questions_are_answered_while_all_slots_are_taken(worker, starter, start):
    for seed in range(5):
        start(seed=seed)
    assert answer(worker, worker.ask_layers(starter))["title"]


def test_what_is_finished_is_recorded_as_a_run(worker, starter):
    session = worker.optimize(starter, plan(steps=8), title="a seven", address={"unit": "7"})
    state = Running(worker, session).until(lambda state: state.details["run"])
    assert state.status is Status.FINISHED and not state.reason
    store = RunStore(worker.settings)
    (run,) = store.list(kind="visualize")
    assert run.id == state.details["run"] and run.name == "a seven" and run.status == "finished"
    assert run.spec["address"] == {"unit": "7", "seed": "0"}
    assert "class_logit(unit=7)" in run.spec["objective"]
    with Image.open(store.artifact(run.id, "image.png")) as image:
        np.testing.assert_array_equal(np.asarray(image), worker.frame(session)[0, ..., 0])
    assert Plan.from_dict(json.loads(store.artifact(run.id, "plan.json").read_text())).steps == 8
    assert store.artifact(run.id, "curves.csv").read_text().startswith("step,objective.class_logit")
    assert (
        run.metrics["objective.class_logit"] == state.details["curves"]["objective.class_logit"][-1]
    )


def test_images_are_recorded_over_one_connection(worker, starter):
    for seed in range(3):
        session = worker.optimize(starter, plan(steps=8, seed=seed), title=f"seed {seed}")
        Running(worker, session).until(lambda state: state.details["run"])
    opened = [file.path for file in psutil.Process(worker.pid).open_files()]
    assert sum(path.endswith("runs.db") for path in opened) <= 2


def test_the_child_ends_with_its_worker_and_leaves_nothing(home):
    settings = Settings.from_environment({"CNNKIT_HOME": str(home)})
    worker = VisualizationWorker(settings)
    worker.wake()
    child = psutil.Process(worker.pid)
    worker.close()
    assert not child.is_running() and not worker.folder.exists()
    orphan = settings.home / "sessions" / "999999999-abc"
    orphan.mkdir(parents=True)
    VisualizationWorker(settings)
    assert not orphan.exists()


@pytest.mark.weights
def test_vgg16_without_top_opens_with_its_trained_filters():
    source = NetworkRef("without_top", "vgg16")
    opened = source.open(ModelCache(10**9))
    assert opened.model.get_layer("block5_conv3").filters == 512
    # Trained filters of the first layer are far from the random ones.
    kernel = opened.model.get_layer("block1_conv1").get_weights()[0]
    assert float(abs(kernel).max()) > 0.5
    assert opened.card.class_names == () and source.digest()
    assert 0.9 < source.bytes() / (4 * opened.model.count_params()) < 1.1
