"""What belongs to one person is read only for the others, and each has limits."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets import dataset_info
from cnnkit.datasets.folders import delete, image_folder, rename
from cnnkit.errors import LimitError, NotAllowedError
from cnnkit.jobs.limits import PersonalLimits
from cnnkit.jobs.personal import PersonalJobs, PersonalWorker
from cnnkit.networks import UPLOADED, NetworkRef, check_uploads, remove_upload
from cnnkit.people import LOCAL, Person
from cnnkit.runs import RunStore, Status
from tests.jobs.test_turns import StillPool
from tests.workers import StillWorker

ROOT = Path(__file__).resolve().parents[2]
ANN, BOB = Person("a" * 16, "Ann"), Person("b" * 16, "Bob")
ADMIN = Person("c" * 16, "Cy", admin=True)


class Desk:
    """What a person has in hand on a server."""

    def __init__(self, person: Person, store: RunStore, worker: StillWorker):
        self.person, self.store = person, store.acting_for(person)
        pool = StillPool(store.settings, store)
        self.limits = PersonalLimits(store.settings, self.store, person, worker.busy)
        self.jobs = PersonalJobs(pool, self.store, self.limits)
        self.worker = PersonalWorker(worker, person, lambda: self.limits)


@pytest.fixture
def worker(settings) -> StillWorker:
    return StillWorker(settings)


@pytest.fixture
def desks(store, worker) -> dict[str, Desk]:
    return {one.name: Desk(one, store, worker) for one in (ANN, BOB, ADMIN)}


@pytest.fixture
def things(desks, store, settings) -> dict[str, str]:
    """What Ann has: runs in two states, a session, a data set, an uploaded network."""
    ann = desks["Ann"]
    over = ann.jobs.submit(kind="rehearsal", name="Ann's").id
    store.update(over, status=Status.PAUSED)
    upload = settings.home / "uploads" / ("0" * 32)
    upload.mkdir(parents=True)
    (upload / "upload.json").write_text(json.dumps({"owner": ANN.id, "title": "a.keras"}))
    return {
        "live": ann.jobs.submit(kind="rehearsal", name="Ann's").id,
        "over": over,
        "session": ann.worker.start("dream", {"dream": {}}, {"image": np.zeros((4, 4, 3))}),
        "images": image_folder(archive(), name="flowers.zip", owner=ANN).name,
        "upload": f"{UPLOADED}.{upload.name}",
    }


def archive() -> io.BytesIO:
    file, draw = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(file, "w") as packed:
        for name in (f"{kind}/{number}.png" for kind in "ab" for number in range(3)):
            image = io.BytesIO()
            Image.fromarray(draw.integers(0, 255, (8, 8, 3), np.uint8)).save(image, "png")
            packed.writestr(name, image.getvalue())
    return file


# Everything that the pages can change, in the hands of a person: the desk, and Ann's things.
ACTIONS = {
    "rename a run": lambda desk, its: desk.store.rename(its["over"], "mine"),
    "delete a run": lambda desk, its: desk.store.delete(its["over"]),
    "add a file to a run": lambda desk, its: desk.store.add_artifact(its["over"], Path(__file__)),
    "replace a file, as of class names": lambda desk, its: desk.store.replace_artifact(
        its["over"], Path(__file__)
    ),
    "cancel a run": lambda desk, its: desk.jobs.cancel(its["live"]),
    "pause a run": lambda desk, its: desk.jobs.pause(its["live"]),
    "resume a run": lambda desk, its: desk.jobs.resume(its["over"]),
    "stop a session": lambda desk, its: desk.worker.command(its["session"], "stop"),
    "steer a session": lambda desk, its: desk.worker.command(its["session"], "steer", numbers={}),
    "take the images of a session": lambda desk, its: desk.worker.ask_recheck(
        NetworkRef("run", "starter"), [], [], session=its["session"]
    ),
    "rename a data set": lambda desk, its: rename(its["images"], title="x", person=desk.person),
    "delete a data set": lambda desk, its: delete(its["images"], person=desk.person),
    "train an uploaded network": lambda desk, its: desk.jobs.submit(
        kind="rehearsal", spec={"network": its["upload"]}
    ),
    "visualize an uploaded network": lambda desk, its: desk.worker.start(
        "layers", {"network": its["upload"]}
    ),
    "remove an uploaded network": lambda desk, its: remove_upload(
        NetworkRef.parse(its["upload"]), desk.person
    ),
    "open an uploaded network": lambda desk, its: check_uploads(its["upload"], desk.person),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_somebody_else_is_refused_in_a_sentence_and_the_owner_is_not(action, desks, things, store):
    before = {name: store.get(things[name]) for name in ("live", "over")}
    with pytest.raises(NotAllowedError, match=r"belongs to somebody else\..*\.$"):
        ACTIONS[action](desks["Bob"], things)
    assert {name: store.get(things[name]) for name in before} == before
    ACTIONS[action](desks["Ann"], things)


def test_an_administrator_may_do_all_of_it(desks, things):
    for action in ("rename a run", "cancel a run", "stop a session", "delete a data set"):
        ACTIONS[action](desks["Cy"], things)
    ACTIONS["delete a run"](desks["Cy"], things)


def test_others_see_runs_and_no_session(desks, things):
    assert desks["Bob"].store.get(things["over"]).owner_name == "Ann"
    assert dataset_info(things["images"]).owner_name == "Ann"
    assert desks["Bob"].worker.state(things["session"]) is None
    assert desks["Bob"].worker.frame(things["session"]) is None
    assert desks["Ann"].worker.state(things["session"]) is not None


def test_a_finished_image_is_a_run_of_whoever_asked_for_it(desks, worker):
    from cnnkit.jobs.sessions import read_order

    session = desks["Ann"].worker.start("dream", {"dream": {}}, {"image": np.zeros((4, 4, 3))})
    assert read_order(worker.folder / session)[2] == ANN


def test_the_same_images_stay_those_of_who_brought_them_first(things):
    again = image_folder(archive(), name="mine.zip", owner=BOB)
    assert (again.name, again.new) == (things["images"], False)
    assert dataset_info(again.name).owner == ANN.id


def test_pages_change_nothing_but_through_the_hands_of_the_visitor():
    """No page reaches around the one layer that asks who somebody is."""
    around = {"shared_store", "shared_jobs", "shared_worker"}
    personal = {"image_folder": "owner", "add_upload": "owner"}
    strays = []
    sources = [*(ROOT / "cnnkit" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
            given = {one.arg for one in node.keywords} if name else set()
            if name in around and path.name not in ("cache.py", "server.py"):
                strays.append(f"{path.name}:{node.lineno} {name}")
            if name in personal and personal[name] not in given:
                strays.append(f"{path.name}:{node.lineno} {name} without {personal[name]}")
    assert strays == []


# Limits


@pytest.fixture
def tight(store, worker) -> Desk:
    """Bob where little is allowed."""
    limits = {"jobs_per_person": 2, "sessions_per_person": 1, "upload_size": 2**20}
    store.settings = replace(store.settings, storage_per_person=2 * 2**20, **limits)
    return Desk(BOB, store, worker)


def test_a_job_too_many_is_refused_with_what_there_is_and_what_would_help(tight, store):
    first = tight.jobs.submit(kind="rehearsal")
    tight.jobs.submit(kind="rehearsal")
    with pytest.raises(LimitError, match="You have 2 jobs running or queued, and 2 are allowed."):
        tight.jobs.submit(kind="rehearsal")
    assert len(store.list(owner=BOB.id)) == 2, "nothing stays of what was refused"
    tight.jobs.cancel(first.id)
    tight.jobs.submit(kind="rehearsal")
    with pytest.raises(LimitError):
        tight.jobs.resume(first.id)


def test_a_session_too_many_is_refused(tight, worker):
    session = _running(tight, worker)
    with pytest.raises(LimitError, match="1 images or explanations are being computed for you"):
        tight.worker.start("layers", {})
    worker.put(session, status=Status.CANCELLED)
    tight.worker.start("layers", {})


def _running(desk: Desk, worker: StillWorker) -> str:
    worker.reading = True  # the question is not answered yet
    return desk.worker.start("layers", {})


def test_a_full_storage_stops_jobs_uploads_and_imports(tight, store, settings):
    run = tight.jobs.submit(kind="rehearsal")
    store.update(run.id, status=Status.FINISHED)
    folder = settings.artifacts / run.id / "artifacts"
    folder.mkdir(parents=True)
    (folder / "model.keras").write_bytes(b"0" * 3 * 2**20)
    full = "take 3 MB, and 2 MB are allowed. Delete runs"
    for refused in (
        lambda: tight.jobs.submit(kind="rehearsal"),
        lambda: tight.limits.check_upload("a.zip", 1),
    ):
        with pytest.raises(LimitError, match=full):
            refused()
    with pytest.raises(LimitError, match="These 6 images need 1 MB, and you may store 0 MB more"):
        image_folder(archive(), name="a.zip", owner=BOB, room=tight.limits.room())
    tight.store.delete(run.id)
    tight.limits.check_storage()


def test_a_file_too_large_is_refused(tight):
    with pytest.raises(LimitError, match="big.zip has 3 MB, and files of at most 1 MB may be"):
        tight.limits.check_upload("big.zip", 3 * 2**20)


def test_what_a_person_has_is_counted(desks, things):
    usage = desks["Ann"].limits.usage()
    assert (usage.jobs, usage.sessions) == (1, 0)
    assert usage.stored >= 6 * 256 * 256 * 3
    assert desks["Bob"].limits.usage().stored == 0


@pytest.mark.parametrize("person", (ADMIN, LOCAL))
def test_nothing_limits_administrators_and_the_local_person(person, tight, store, worker):
    desk = Desk(person, store, worker)
    for _ in range(4):
        desk.jobs.submit(kind="rehearsal")
    worker.reading = True
    assert [desk.worker.start("layers", {}) for _ in range(3)]
    assert desk.limits.room() is None
