"""Explanations in a real worker: progress, stop, a method that fails, and a second look."""

from dataclasses import replace

import numpy as np
import psutil
import pytest

from cnnkit._cli.worker import NICE
from cnnkit.datasets import load_dataset
from cnnkit.explain import contrast, deletion, get_method
from cnnkit.explain.request import ExplanationRequest, images_digest
from cnnkit.jobs.session_server import ACTIVE
from cnnkit.jobs.visualization import VisualizationWorker
from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.settings import Settings
from cnnkit.visualize import channel, class_logit
from tests.jobs.test_visualization_worker import Running
from tests.records import new_store

STARTER = "run.starter"


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    settings = Settings.from_environment({"CNNKIT_HOME": str(tmp_path_factory.mktemp("home"))})
    new_store(settings)
    opened = VisualizationWorker(settings)
    opened.wake()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def images():
    return load_dataset("digits").part("test")[0][:2].astype(np.float32)


@pytest.fixture
def ask(worker, images):
    """Ask for explanations of the starter network."""

    def ask(*methods, target=None, options=None) -> tuple[Running, list[ExplanationRequest]]:
        target = class_logit(7) if target is None else target
        digest = images_digest(images)
        requests = [
            ExplanationRequest(STARTER, digest, target, name, (options or {}).get(name, {}))
            for name in methods
        ]
        return Running(worker, worker.explain(requests, {digest: images})), requests

    return ask


def test_each_method_is_among_the_results_with_its_seconds(worker, images, ask):
    session, requests = ask("grad_cam", "integrated_gradients", target=contrast(7, 1))
    assert session.becomes(Status.FINISHED).fraction == 1
    model = NetworkRef.parse(STARTER).open().model
    for request in requests:
        found = worker.explanation(request)
        expected = get_method(request.method)(model, images, contrast(7, 1))
        np.testing.assert_allclose(found.maps, expected, rtol=1e-3, atol=1e-4)
        assert found.card["seconds"] > 0
    gaps = found.card["gaps"]
    assert len(gaps) == len(images) and max(gaps) < 0.01


def test_progress_is_told_batch_by_batch_and_stop_is_obeyed(worker, ask):
    session, (request,) = ask("rise", options={"rise": {"masks": 60_000}})
    running = session.until(lambda state: state.step > 0 and state.details["entries"][0]["left"])
    (entry,) = running.details["entries"]
    assert entry["status"] == "running" and 0 < entry["batch"] < entry["batches"]
    assert running.steps == 100 and running.step == 100 * entry["batch"] // entry["batches"]
    session.send("stop")
    stopped = session.becomes(Status.CANCELLED)
    assert stopped.fraction < 1 and worker.explanation(request) is None
    session.send("resume")
    session.until(lambda state: state.step > stopped.step)
    session.send("stop")
    session.becomes(Status.CANCELLED)


def test_a_method_that_fails_says_so_and_the_others_go_on(worker, ask):
    options = {"grad_cam": {"layer": "nowhere"}}
    session, (bad, good) = ask("grad_cam", "gradient", options=options, target=class_logit(3))
    state = session.becomes(Status.FINISHED)
    failed, finished = state.details["entries"]
    assert failed["status"] == "failed" and "nowhere" in failed["error"]
    assert finished["status"] == "finished" and finished["error"] == ""
    assert worker.explanation(bad) is None and worker.explanation(good) is not None


def test_a_layer_after_the_target_is_refused_in_one_sentence(ask):
    session, _ = ask("grad_cam", target=channel("block1_conv1", 3))
    (entry,) = session.becomes(Status.FINISHED).details["entries"]
    assert entry["error"].startswith("The score does not depend on layer 'block2")


def test_a_second_look_takes_no_method_again(ask):
    session, _ = ask("occlusion", target=class_logit(2))
    session.becomes(Status.FINISHED)
    again, _ = ask("occlusion", target=class_logit(2))
    (entry,) = again.becomes(Status.FINISHED).details["entries"]
    assert entry["status"] == "finished" and entry["seconds"] == 0


def test_a_check_uses_the_maps_that_are_there_and_is_kept(worker, images, ask):
    session, (request,) = ask("gradient", target=class_logit(4))
    session.becomes(Status.FINISHED)
    checks = [replace(request, check=name) for name in ("faithfulness", "randomization")]
    session = Running(worker, worker.explain(checks, {request.images: images}))
    session.becomes(Status.FINISHED)
    areas, weights = map(worker.explanation, checks)
    model = NetworkRef.parse(STARTER).open().model
    maps = worker.explanation(request).maps
    expected = deletion(model, images, maps, class_logit(4))
    np.testing.assert_allclose(areas.card["deletion"], expected.areas, atol=1e-3)
    np.testing.assert_allclose(areas.arrays["deletion"], expected.scores, atol=1e-3)
    assert weights.card["randomized"][-1] == 1 and len(weights.card["depends"]) == len(images)
    # The network itself is as it was.
    again = get_method("gradient")(model, images, class_logit(4))
    np.testing.assert_allclose(again, maps, rtol=1e-3, atol=1e-5)


def test_images_of_another_size_fail_alone(worker, ask):
    small = np.zeros((1, 8, 8, 1), np.float32)
    digest = images_digest(small)
    request = ExplanationRequest(STARTER, digest, class_logit(1), "gradient")
    session = Running(worker, worker.explain([request], {digest: small}))
    (entry,) = session.becomes(Status.FINISHED).details["entries"]
    assert "takes images of" in entry["error"]


def test_what_no_page_reads_any_more_gives_way(worker, ask, monkeypatch):
    monkeypatch.setattr("cnnkit.jobs.visualization.UNREAD_SECONDS", 0.3)
    left, _ = ask("rise", target=class_logit(5), options={"rise": {"masks": 8000}})
    shown, _ = ask("rise", target=class_logit(6), options={"rise": {"masks": 8000}})
    shown.until(lambda _: worker.busy("") == 1)
    assert worker.state(left.id) is None and not shown.state.over
    shown.send("stop")
    shown.becomes(Status.CANCELLED)


def test_the_key_depends_on_all_that_decides_the_maps(images):
    request = ExplanationRequest(STARTER, images_digest(images), class_logit(7), "smoothgrad")
    others = [
        ExplanationRequest(STARTER, images_digest(images + 1), class_logit(7), "smoothgrad"),
        ExplanationRequest(STARTER, images_digest(images), class_logit(8), "smoothgrad"),
        ExplanationRequest(STARTER, images_digest(images), contrast(7, 8), "smoothgrad"),
        ExplanationRequest(STARTER, images_digest(images), class_logit(7), "vargrad"),
        ExplanationRequest(
            STARTER, images_digest(images), class_logit(7), "smoothgrad", {"samples": 10}
        ),
    ]
    keys = {one.key("weights") for one in (request, *others)} | {request.key("others")}
    assert len(keys) == len(others) + 2
    default = ExplanationRequest(
        STARTER, images_digest(images), class_logit(7), "smoothgrad", {"samples": 50}
    )
    assert default.key("weights") == request.key("weights")
    assert ExplanationRequest.from_dict(request.to_dict()) == request


def test_ten_visitors_at_once_are_bounded_and_told_their_place(worker, ask):
    """As many run as there are slots, at a priority below the app's; a Stop lets the next begin."""
    sessions = [
        ask("rise", target=class_logit(number), options={"rise": {"masks": 60_000}})[0]
        for number in range(10)
    ]
    try:
        sessions[ACTIVE - 1].until(lambda state: state.status is Status.RUNNING)
        sessions[-1].until(lambda state: state.ahead == len(sessions) - ACTIVE - 1)
        statuses = [session.state.status for session in sessions]
        assert statuses == [Status.RUNNING] * ACTIVE + [Status.QUEUED] * (10 - ACTIVE)
        assert psutil.Process(worker.pid).nice() == NICE
        # A question of another visitor is answered meanwhile.
        asked = Running(worker, worker.ask_layers(NetworkRef.parse(STARTER)))
        assert asked.becomes(Status.FINISHED).details["layers"]
        sessions[0].send("stop")
        sessions[0].becomes(Status.CANCELLED)
        sessions[ACTIVE].becomes(Status.RUNNING)
    finally:
        for session in sessions:
            session.send("stop")
        for session in sessions:
            session.until(lambda state: state.over)
